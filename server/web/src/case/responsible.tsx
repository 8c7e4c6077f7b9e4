// Who should have a case, by the responsibilities in force: said with its reason. It is advice; a person assigns.

import type { Candidate, Language, Suggestion } from "../device/contract";
import { useLanguage, useWords } from "../app/settings";
import { said, type Words } from "../words";
import type { Reference } from "./reference";

/** The body of `assign` that follows from it; none where a person has to choose. */
export function advised(suggestion: Suggestion | null): { unit: string; co_units?: string[] } | null {
  const unit = suggestion?.leads.length === 1 ? suggestion.leads[0]?.unit : null;
  if (!suggestion || !unit) return null;
  const helpers = suggestion.helpers.flatMap((one) => one.unit ?? []);
  return helpers.length > 0 ? { unit, co_units: helpers } : { unit };
}

function why(one: Candidate, words: Words, language: Language): string {
  const place = `${words.responsible.place[one.place]} ${said(one.named, language)}`.trim();
  return `${words.responsible.matter[one.matter]}, ${place}; ${words.responsible.rule(one.rule)}`;
}

export function Responsible({ suggestion, reference }: { suggestion: Suggestion; reference: Reference }) {
  const words = useWords();
  const language = useLanguage();
  const { leads, helpers, persons } = suggestion;
  const name = (one: Candidate) =>
    [said(reference.units.get(one.unit ?? "")?.name, language), reference.accounts.get(one.person ?? "")?.name].filter(Boolean).join(" ");
  const rows: [string, Candidate[]][] = [[words.responsible.lead, leads], [words.form.co_units, helpers], [words.responsible.person, persons]];
  return (
    <section class={leads.length === 1 ? "note" : "note note-warn"} aria-label={words.responsible.title}>
      {leads.length === 0 && <p>{words.responsible.gap}</p>}
      {leads.length > 1 && <p>{words.responsible.overlap}</p>}
      {rows.flatMap(([label, all]) => all.map((one) => (
        <p key={`${label}${one.rule}`}>{label}{words.colon}<b>{name(one)}</b> <span class="small">{why(one, words, language)}</span></p>
      )))}
    </section>
  );
}
