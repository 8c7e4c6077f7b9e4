// The fields of the steps about time: more of it, none for a while, and appeals.

import { Choices, Input } from "../app/parts";
import { useLanguage, useWords } from "../app/settings";
import { kindOf, type Clock } from "../case/document";
import { useCatalogueOf } from "../case/facts";
import { stageName, subtypeOf } from "../case/reference";
import { merged } from "./draft";
import { Check, Note, Reason } from "./fields";
import type { Filled } from "./kinds";

/** Which of some clocks it is about. The only one needs no choice. */
function StageChoice({ filled, of }: { filled: Filled; of: (clock: Clock) => boolean }) {
  return <Stages filled={filled} codes={(filled.document.clocks ?? []).filter(of).map((clock) => clock.stage)} />;
}

function Stages({ filled, codes }: { filled: Filled; codes: string[] }) {
  const words = useWords();
  const language = useLanguage();
  const { drafting, document, reference } = filled;
  const catalogue = useCatalogueOf(document, reference);
  const { category, subtype } = kindOf(document);
  const { draft, change } = drafting;
  const stages = codes.map((stage) => ({ value: stage, text: stageName(catalogue, category, subtype, stage, language) }));
  return <Choices label={words.clock.stage} of={stages} value={draft.body.stage ?? null} onChange={(stage) => void change({ body: merged(draft.body, { stage }) })} />;
}

function Grant({ drafting }: Filled) {
  const words = useWords();
  const { draft, change } = drafting;
  const of = [{ value: "yes", text: words.clock.grant }, { value: "no", text: words.clock.refuse }];
  const now = draft.body.grant === true ? "yes" : draft.body.grant === false ? "no" : null;
  return <Choices label={words.clock.decision} of={of} value={now} onChange={(it) => void change({ body: { ...draft.body, grant: it === "yes" } })} />;
}

export function RequestExtension(filled: Filled) {
  return (
    <>
      <StageChoice filled={filled} of={(clock) => clock.timed === "unit" && clock.running.is === "running" && clock.overdue_rev == null} />
      <Reason {...filled} />
    </>
  );
}

export function Decide(filled: Filled) {
  return (
    <>
      <Grant {...filled} />
      <Reason {...filled} />
    </>
  );
}

export function AppealOverdue(filled: Filled) {
  return (
    <>
      <StageChoice filled={filled} of={(clock) => clock.timed === "unit" && clock.overdue_rev != null && !clock.appeal} />
      <Reason {...filled} />
    </>
  );
}

export function DecideAppeal(filled: Filled) {
  return (
    <>
      <StageChoice filled={filled} of={(clock) => Boolean(clock.appeal)} />
      <Decide {...filled} />
    </>
  );
}

export function EndStage(filled: Filled) {
  const { document, reference } = filled;
  const catalogue = useCatalogueOf(document, reference);
  const { category, subtype } = kindOf(document);
  const procedures = (subtypeOf(catalogue, category, subtype)?.stages ?? []).filter((stage) => stage.procedure).map((stage) => stage.code);
  return (
    <>
      <StageChoice filled={filled} of={(clock) => clock.running.is === "running" && procedures.includes(clock.stage)} />
      <Note {...filled} />
    </>
  );
}

export function InterimCheck(filled: Filled) {
  return (
    <>
      <Stages filled={filled} codes={(filled.document.interim ?? []).map((interim) => interim.stage)} />
      <Check {...filled} kept />
    </>
  );
}

const DAY_MS = 86_400_000;

export function Suspend(filled: Filled) {
  const words = useWords();
  const { draft, type } = filled.drafting;
  const days = Number(draft.page?.days ?? 0);
  const wrong = draft.page?.days && (!Number.isInteger(days) || days < 1 || days > 366) ? words.form.between("1", "366") : null;
  return (
    <>
      <Input
        label={words.clock.days}
        mode="numeric"
        value={String(draft.page?.days ?? "")}
        onChange={(typed) => type({ page: { ...draft.page, days: typed }, body: merged(draft.body, { until_ms: untilOf(Number(typed)) }) })}
        fault={wrong}
      />
      <Reason {...filled} />
    </>
  );
}

function untilOf(days: number): number | undefined {
  return Number.isInteger(days) && days >= 1 && days <= 366 ? Date.now() + days * DAY_MS : undefined;
}

export function SubmitFix(filled: Filled) {
  const words = useWords();
  const { draft, change } = filled.drafting;
  const results = ["fixed", "gone_on_arrival", "not_found", "cannot_be_fixed_here"] as const;
  return (
    <>
      <Choices
        label={words.clock.result}
        of={results.map((value) => ({ value, text: words.clock.results[value] }))}
        value={draft.body.result ?? "fixed"}
        onChange={(result) => void change({ body: merged(draft.body, { result: result === "fixed" ? undefined : result }) })}
      />
      <Note {...filled} />
    </>
  );
}
