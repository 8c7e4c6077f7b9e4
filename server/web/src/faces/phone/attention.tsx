// What went another way than its author thought, in plain words, each with what can be done about it.

import type { AttentionItem } from "../../device/contract";
import { useAttempt, useDevice, useLive, useMe } from "../../app/device";
import { Button, Empty, Refused, Show } from "../../app/parts";
import { saveFile } from "../../app/browser";
import { caseAt } from "../../app/route";
import { useLanguage, useWords } from "../../app/settings";
import { ago } from "../../words";
import { fieldLabel } from "../../case/facts";
import type { CaseDocument } from "../../case/document";
import { useReference } from "../../case/reference";

export function Attention() {
  const words = useWords();
  const items = useLive((device) => device.attention(), ["status", "cases"], []);
  return (
    <Show loaded={items}>
      {(items) => items.length === 0 ? <Empty icon="check">{words.attention.empty}</Empty> : (
        <ul class="stack">
          {items.map((item) => <li key={item.id}><Item item={item} /></li>)}
        </ul>
      )}
    </Show>
  );
}

/** Kinds that can be filled in anew; a report is made anew by capturing. */
const REDONE = /^(amend|add_evidence|comment|file|decline|link_duplicate|assign|accept|return_assignment|submit_fix|check|close|reopen|void|waive_evidence|withdraw_evidence)$/;

function Item({ item }: { item: AttentionItem }) {
  const words = useWords();
  const language = useLanguage();
  const device = useDevice();
  const attempt = useAttempt();
  const me = useMe();
  const reference = useReference(item.log);
  const detail = (item.detail ?? {}) as { code?: string; kind?: string; fields?: string[]; conflicts?: string[] };
  const fields = detail.conflicts ?? detail.fields ?? [];
  const plain = { fields: {} } as unknown as CaseDocument;
  const grave = ["fork", "set_back", "bad_signature", "photo_gone", "browser_cleared"].includes(item.trouble);
  const exported = () => attempt.run(async () => saveFile(await device.exportUnsent(), `rectify-${me.login}.export`));
  const at = item.log && item.entity ? caseAt(item.log, item.entity) : null;
  return (
    <section class={`card stack ${grave ? "note-bad" : ""}`} data-trouble={item.trouble}>
      <div class="row">
        <h2 class="grow">{words.attention.troubles[item.trouble] ?? item.trouble}</h2>
        <span class="small soft">{ago(words, item.since_ms, Date.now())}</span>
      </div>
      {(detail.kind || detail.code) && (
        <p>
          {detail.kind && <b>{words.steps[detail.kind] ?? detail.kind}{detail.code ? words.colon : ""}</b>}
          {detail.code && (words.codes[detail.code] ?? detail.code)}
        </p>
      )}
      {fields.length > 0 && <p>{fields.map((field) => fieldLabel(field, reference.catalogue, plain, words, language)).join(", ")}</p>}
      <Refused attempt={attempt} />
      <div class="row-wrap">
        {at && <a class="button" href={`#${at}`}>{words.attention.look}</a>}
        {at && item.trouble === "rejected" && detail.kind && REDONE.test(detail.kind) && (
          <a class="button button-main" href={`#${at}/do/${detail.kind}`}>{words.attention.redo}</a>
        )}
        {grave && <Button onPress={() => void exported()}>{words.attention.export}</Button>}
        <Button look="bare" disabled={attempt.busy} onPress={() => void attempt.run(() => device.settle(item.id))}>
          {item.trouble === "rejected" ? words.attention.withdraw : words.attention.done}
        </Button>
      </div>
    </section>
  );
}
