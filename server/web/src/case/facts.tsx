// What a case is, in a table of facts: every field by the catalogue that it was filled in by.

import type { Hash, Id, Language } from "../device/contract";
import { useDevice, useLive, valueOf } from "../app/device";
import { useLanguage, useWords } from "../app/settings";
import type { Words } from "../words";
import { day, said } from "../words";
import { isSealed, kindOf, type CaseDocument } from "./document";
import { areaName, categoryName, choiceName, decimal, kindName, subtypeOf, type Catalogue, type FieldSpec, type Reference } from "./reference";

/** A sealed text, where this person may read it. */
export function Unsealed({ hash }: { hash: Hash }) {
  const words = useWords();
  const value = useLive((device) => device.value(hash), ["cases"], [hash]);
  if (value.is === "loading") return <>…</>;
  const text = valueOf(value);
  return text === null ? <span class="soft">{words.case.sealed}</span> : <span class="pre">{text}</span>;
}

/** A field's value as people read it. */
export function FieldValue({ field, value, catalogue, document }: { field: string; value: unknown; catalogue: Catalogue | null; document: CaseDocument }) {
  const words = useWords();
  const language = useLanguage();
  if (value === null || value === undefined) return <span class="soft">{words.none}</span>;
  if (isSealed(value)) return <Unsealed hash={value.sealed} />;
  if (field === "kind") {
    const kind = value as { category: string; subtype: string };
    return <>{categoryName(catalogue, kind.category, language)} · {kindName(catalogue, kind.category, kind.subtype, language)}</>;
  }
  if (field === "position") {
    const position = value as { lat_e7: number; lon_e7: number; accuracy_m?: number };
    const accuracy = position.accuracy_m === undefined ? "" : ` · ${words.capture.accuracy(position.accuracy_m)}`;
    return <span class="number">{(position.lat_e7 / 1e7).toFixed(5)}, {(position.lon_e7 / 1e7).toFixed(5)}{accuracy}</span>;
  }
  const { category, subtype } = kindOf(document);
  const spec = subtypeOf(catalogue, category, subtype)?.fields.find((it) => `field.${it.code}` === field);
  return <>{spec ? plain(spec, value, words, language) : String(value)}</>;
}

function plain(spec: FieldSpec, value: unknown, words: Words, language: Language): string {
  switch (spec.holds.type) {
    case "number":
      return typeof value === "number" ? `${decimal(value, spec.holds.scale)} ${spec.holds.unit}` : String(value);
    case "choice":
      return choiceName(spec.holds.choices, String(value), language);
    case "yes_no":
      return value ? words.yes : words.no;
    case "text":
    case "personal":
    case "reference":
      return String(value);
  }
}

export function fieldLabel(field: string, catalogue: Catalogue | null, document: CaseDocument, words: Words, language: Language): string {
  const { category, subtype } = kindOf(document);
  const of = subtypeOf(catalogue, category, subtype);
  if (field === "kind") return words.form.kind;
  if (field === "note") return words.capture.note;
  if (field === "position") return words.case.place;
  if (field === "subject") return said(of?.subject, language) || words.form.subject;
  const code = field.replace(/^field\./, "");
  return said(of?.fields.find((it) => it.code === code)?.label, language) || code;
}

export function who(reference: Reference, account: Id | null | undefined, words: Words): string {
  if (!account || /^[0-]+$/.test(account)) return words.case.server;
  return reference.accounts.get(account)?.name ?? account.slice(0, 8);
}

/** The catalogue that a case was filled in by, or filed under. */
export function useCatalogueOf(document: CaseDocument, reference: Reference): Catalogue | null {
  const device = useDevice();
  const own = document.catalogue && document.catalogue !== reference.hash ? document.catalogue : null;
  const older = valueOf(useLive(() => (own ? device.catalogueOf(own) : Promise.resolve(null)), [], [own]));
  return (older as Catalogue | null) ?? reference.catalogue;
}

export function Facts({ log, document, reference }: { log: Id; document: CaseDocument; reference: Reference }) {
  const words = useWords();
  const language = useLanguage();
  const catalogue = useCatalogueOf(document, reference);
  const fields = Object.keys(document.fields).filter((field) => document.fields[field]?.value !== null);
  const first = ["kind", "subject", "note"].filter((field) => fields.includes(field));
  const others = fields.filter((field) => !first.includes(field) && field !== "position");
  const { assignment } = document;
  const counts = [
    document.reworks ? words.case.reworks(document.reworks) : "",
    document.returns ? words.case.returns(document.returns) : "",
    document.reopened ? words.case.reopened(document.reopened) : "",
  ].filter(Boolean);
  const flags = document.flags.map((flag) => {
    const [name = "", code] = flag.split(":");
    const label = code ? ` ${fieldLabel(`field.${code}`, catalogue, document, words, language)}` : "";
    return (words.flags[name] ?? name) + label;
  });
  return (
    <section class="card stack" aria-label={words.case.what}>
      <h3>{words.case.what}</h3>
      {document.needs_audit && <p class="note note-warn">{words.case.needs_audit}</p>}
      <dl class="facts">
        {[...first, ...others].map((field) => (
          <Fact key={field} label={fieldLabel(field, catalogue, document, words, language)}>
            <FieldValue field={field} value={document.fields[field]?.value} catalogue={catalogue} document={document} />
          </Fact>
        ))}
        <Fact label={words.case.area}>{areaName(reference, document.area, language)}</Fact>
        {document.fields.position && (
          <Fact label={words.case.place}>
            <FieldValue field="position" value={document.fields.position.value} catalogue={catalogue} document={document} />{" "}
            <a href={`#/cases?at=${document.id}&log=${log}&view=map`}>{words.case.map}</a>
          </Fact>
        )}
        {assignment && <Fact label={words.case.unit}>{said(reference.units.get(assignment.unit)?.name, language) || assignment.unit.slice(0, 8)}</Fact>}
        {assignment && assignment.co_units.length > 0 && (
          <Fact label={words.case.co_units}>{assignment.co_units.map((unit) => said(reference.units.get(unit)?.name, language) + (assignment.helped?.some((one) => one.unit === unit) ? ` ✓` : "")).join(", ")}</Fact>
        )}
        {assignment?.holder && <Fact label={words.case.holder}>{who(reference, assignment.holder, words)}</Fact>}
        {document.predecessors && <Fact label={words.case.predecessors}>{document.predecessors.map((one) => [said(reference.units.get(one.unit)?.name, language) || one.unit.slice(0, 8), one.holder ? who(reference, one.holder, words) : ""].filter(Boolean).join(" ")).join(" → ")}</Fact>}
        <Fact label={words.case.reporter}>{who(reference, document.reporter.account, words)}</Fact>
        <Fact label={words.case.source}>{words.channels[document.source.channel]} {document.source.number ?? ""}</Fact>
        {flags.length > 0 && <Fact label={words.case.flags}>{flags.join(", ")}</Fact>}
        {counts.length > 0 && <Fact label={words.case.tale}>{counts.join(", ")}</Fact>}
        <Fact label={words.case.changed}><span class="number">{day(language, document.changed_ms)}</span></Fact>
        {document.duplicate_of && <Fact label={words.case.duplicate_of}><a href={`#/case/${log}/${document.duplicate_of}`}>{words.attention.look}</a></Fact>}
      </dl>
    </section>
  );
}

function Fact({ label, children }: { label: string; children: preact.ComponentChildren }) {
  return (
    <>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </>
  );
}
