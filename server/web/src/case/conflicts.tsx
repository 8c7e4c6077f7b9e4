// Two people wrote different things: both values beside each other, and one tap that decides, as a new correction.

import type { Shown } from "../device/contract";
import { newId, useAttempt, useDevice } from "../app/device";
import { Button, Refused } from "../app/parts";
import { useLanguage, useWords } from "../app/settings";
import type { CaseDocument, Conflict, Held } from "./document";
import { isSealed } from "./document";
import { FieldValue, fieldLabel, useCatalogueOf, who } from "./facts";
import { useReference } from "./reference";

export function Conflicts({ shown, document }: { shown: Shown; document: CaseDocument }) {
  if (document.conflicts.length === 0) return null;
  return (
    <>
      {document.conflicts.map((conflict) => <Two key={`${conflict.field}${conflict.rev}`} shown={shown} document={document} conflict={conflict} />)}
    </>
  );
}

function Two({ shown, document, conflict }: { shown: Shown; document: CaseDocument; conflict: Conflict }) {
  const words = useWords();
  const language = useLanguage();
  const device = useDevice();
  const attempt = useAttempt();
  const reference = useReference(shown.log);
  const catalogue = useCatalogueOf(document, reference);
  const may = shown.can.includes("amend");
  const settle = (to: Held) =>
    attempt.run(async () => {
      const path = `changes.${conflict.field}.to`;
      // A sealed value is written anew: only its text can be sealed again.
      const text = isSealed(to.value) ? await device.value(to.value.sealed) : null;
      await device.capture({
        id: newId(),
        log: shown.log,
        case: document.id,
        kind: "amend",
        body: { changes: { [conflict.field]: { was: conflict.winner.value, to: to.value } } },
        values: text === null ? {} : { [path]: text },
        photos: [],
        page: null,
        changed_ms: Date.now(),
      });
    });
  const side = (held: Held, by: string | null, stands: boolean) => (
    <div class={stands ? "stands" : undefined}>
      <p class="small soft">{stands ? words.case.stands : words.case.lost} · {by ?? (held.role ? words.roles[held.role as keyof typeof words.roles] : words.case.server)}</p>
      <p><b><FieldValue field={conflict.field} value={held.value} catalogue={catalogue} document={document} /></b></p>
      {may && (
        <Button disabled={attempt.busy} look={stands ? undefined : "main"} onPress={() => void settle(held)}>
          {stands ? words.case.keep : words.case.let_win}
        </Button>
      )}
    </div>
  );
  return (
    <section class="card stack conflict" aria-label={words.case.conflict}>
      <h3>{words.case.conflict}</h3>
      <p class="soft">{fieldLabel(conflict.field, catalogue, document, words, language)}</p>
      <div class="versus">
        {side(conflict.winner, null, true)}
        {side(conflict.loser, conflict.loser_by ? who(reference, conflict.loser_by, words) : null, false)}
      </div>
      <Refused attempt={attempt} />
    </section>
  );
}
