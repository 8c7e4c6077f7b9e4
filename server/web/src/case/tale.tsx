// How a case came to be so: from its document at once, and entry by entry from the server where there is a network.

import { useState } from "preact/hooks";
import type { Hash, LookBackTask, Shown } from "../device/contract";
import { useAttempt, useDevice } from "../app/device";
import { Button, Refused } from "../app/parts";
import { useLanguage, useWords } from "../app/settings";
import type { Words } from "../words";
import { day } from "../words";
import type { By, CaseDocument } from "./document";
import { Unsealed, useCatalogueOf, who } from "./facts";
import { choiceName, kindName, type Catalogue, type Choice, type Reference } from "./reference";
import { kindOf } from "./document";
import type { Language } from "../device/contract";

interface Event {
  by: Pick<By, "account" | "op" | "rev" | "received_ms">;
  kind: string;
  more?: string;
  text?: Hash | null;
}

function events(document: CaseDocument, looks: LookBackTask[], catalogue: Catalogue | null, reference: Reference, words: Words, language: Language): Event[] {
  const { category, subtype } = kindOf(document);
  const of = catalogue?.categories.find((it) => it.code === category)?.subtypes.find((it) => it.code === subtype);
  const all: (Event | null)[] = [
    { by: document.reporter, kind: "report", more: kindName(catalogue, category, subtype, language) },
    document.filed && { by: document.filed, kind: "file", more: choiceName(of?.filing_conditions, document.filed.code, language), text: document.filed.note?.sealed },
    document.assignment && { by: document.assignment.by, kind: "assign", more: reference.units.get(document.assignment.unit)?.name[language], text: document.assignment.note?.sealed },
    document.assignment?.accepted ? { by: document.assignment.accepted, kind: "accept" } : null,
    document.fix && { by: document.fix.by, kind: "submit_fix", text: document.fix.note?.sealed },
    document.check && { by: document.check, kind: "check", more: document.check.code === "fail" ? words.form.fail : words.form.pass, text: document.check.note?.sealed },
    document.end && ended(document, catalogue, [...(of?.closing_conditions ?? []), ...(of?.settle_outcomes ?? [])], language),
    ...looks.flatMap((task) => task.results.map((result) => ({ by: result.by, kind: "look_back", more: words.look_back.verdicts[result.verdict], text: result.note?.sealed }))),
    ...(document.relapses ?? []).map((relapse) => ({ by: relapse.found, kind: "relapse", more: words.look_back.counts(unitNames([relapse.fixed_by, relapse.closed_with], reference, language)) })),
    ...document.comments.map((remark) => ({ by: remark.by, kind: "comment", text: remark.text.sealed })),
  ];
  return all.filter((event): event is Event => event !== null).sort((one, other) => one.by.received_ms - other.by.received_ms || one.by.rev - other.by.rev);
}

function unitNames(units: (string | undefined)[], reference: Reference, language: Language): string {
  return units.flatMap((unit) => (unit ? [reference.units.get(unit)?.name[language] ?? unit] : [])).join(" → ");
}

function ended(document: CaseDocument, catalogue: Catalogue | null, conditions: Choice[], language: Language): Event | null {
  if (!document.end) return null;
  const kind = document.state === "declined" ? "decline" : document.state === "void" ? "void" : "close";
  const choices = kind === "decline" ? catalogue?.decline_reasons : conditions;
  return { by: document.end, kind, more: kind === "void" ? "" : choiceName(choices, document.end.code, language), text: document.end.note?.sealed };
}

export function Tale({ shown, document, reference }: { shown: Shown; document: CaseDocument; reference: Reference }) {
  const words = useWords();
  const language = useLanguage();
  const catalogue = useCatalogueOf(document, reference);
  return (
    <section class="card stack" aria-label={words.case.tale}>
      <h3>{words.case.tale}</h3>
      <ol class="tale">
        {events(document, shown.look_backs, catalogue, reference, words, language).map((event) => (
          <li key={`${event.by.op}${event.kind}`}>
            <b>{words.steps[event.kind]}</b> {event.more}
            {event.text && <p><Unsealed hash={event.text} /></p>}
            <p class="small soft number">{who(reference, event.by.account, words)} · {event.by.received_ms ? day(language, event.by.received_ms) : words.chain.phone}</p>
          </li>
        ))}
      </ol>
      <Entries shown={shown} reference={reference} />
    </section>
  );
}

interface EntryRow {
  actor: string;
  outcome: { rev: number; kind: string; received_ms: number; record: string };
}

function Entries({ shown, reference }: { shown: Shown; reference: Reference }) {
  const words = useWords();
  const language = useLanguage();
  const device = useDevice();
  const attempt = useAttempt();
  const [rows, setRows] = useState<EntryRow[] | null>(null);
  const read = async () => {
    const all: EntryRow[] = [];
    let after: number | null = 0;
    while (after !== null) {
      const page: { entries: EntryRow[]; next: number | null } = await device.entries(shown.log, shown.document.id, after);
      all.push(...page.entries);
      after = page.next;
    }
    setRows(all);
  };
  if (!rows) {
    return (
      <>
        <Refused attempt={attempt} />
        <Button disabled={attempt.busy} onPress={() => void attempt.run(read)}>{words.case.whole_tale}</Button>
      </>
    );
  }
  return (
    <div class="table-way">
      <table class="table small">
        <tbody>
          {rows.map((row) => {
            const record = JSON.parse(row.outcome.record) as { outcome: string; code?: string };
            const refused = record.code ? words.codes[record.code] ?? record.code : "";
            return (
              <tr key={row.outcome.rev}>
                <td class="number">{row.outcome.rev}</td>
                <td><b>{words.steps[row.outcome.kind] ?? row.outcome.kind}</b>{refused && <span class="fault"> {refused}</span>}</td>
                <td>{who(reference, row.actor, words)}</td>
                <td class="number">{day(language, row.outcome.received_ms)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
