// Who had to hear of a case: what was sent, what failed, and since when it is known that they could have seen it.

import type { NoticeRow, Shown } from "../device/contract";
import { useLive, useMe, valueOf } from "../app/device";
import { useLanguage, useWords } from "../app/settings";
import { day } from "../words";
import { who } from "./facts";
import type { Reference } from "./reference";

export function Told({ shown, reference }: { shown: Shown; reference: Reference }) {
  const words = useWords();
  const { grants } = useMe();
  const oversees = grants.some((grant) => grant.role === "supervisor" || grant.role === "auditor");
  const entity = shown.document.id;
  const load = useLive((device) => (oversees && shown.base_rev !== null ? device.notices(shown.log, entity) : Promise.resolve([])), ["cases", "connection"], [entity]);
  const notices = valueOf(load) ?? [];
  if (notices.length === 0) return null;
  return (
    <section class="card stack" aria-label={words.told.title}>
      <h3>{words.told.title}</h3>
      <p class="small soft">{words.told.about}</p>
      <ol class="tale">
        {notices.map((row) => <Notice key={row.op} row={row} reference={reference} />)}
      </ol>
    </section>
  );
}

function Notice({ row, reference }: { row: NoticeRow; reference: Reference }) {
  const words = useWords();
  const language = useLanguage();
  const { data, type, timestamp } = row.notice;
  const kind = type.replace("case.", "");
  const count = (state: string) => row.deliveries.filter((it) => it.state === state).length;
  const states = (["sent", "waiting", "failed", "held"] as const).filter((state) => count(state) > 0);
  const hearers = row.hearers ?? data.to.accounts.map(({ account }) => ({ account, kept_ms: undefined, opened_ms: undefined }));
  return (
    <li>
      <b>{words.steps[kind] ?? kind}</b> {words.told.steps[data.to.step]}
      {states.map((state) => <span key={state} class={state === "failed" ? "fault" : "soft"}> {words.told.states[state](count(state))}</span>)}
      <p class="small soft number">{day(language, Date.parse(timestamp))}</p>
      <div class="small">
        {hearers.map((hearer) => (
          <p key={hearer.account}>
            {who(reference, hearer.account, words)}{words.colon}
            <span class="number">{hearer.kept_ms ? words.told.kept(day(language, hearer.kept_ms)) : words.told.not_kept}</span>
            {" · "}
            <span class="number">{hearer.opened_ms ? words.told.opened(day(language, hearer.opened_ms)) : words.told.not_opened}</span>
          </p>
        ))}
      </div>
    </li>
  );
}
