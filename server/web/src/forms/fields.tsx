// The fields of the single steps.

import { useEffect, useState } from "preact/hooks";
import type { Language } from "../device/contract";
import { Button, Choices, Input, Select, Waiting } from "../app/parts";
import { useLive, useMe, valueOf } from "../app/device";
import { useLanguage, useWords } from "../app/settings";
import { kindOf, standing, valueOfField, positionOf, type EvidenceRole } from "../case/document";
import { useCatalogueOf } from "../case/facts";
import { Photo } from "../case/photo";
import { subtypeOf, type Choice } from "../case/reference";
import { Responsible, advised } from "../case/responsible";
import { CaseCard } from "../case/row";
import { day, said } from "../words";
import { merged } from "./draft";
import { FieldInput } from "./field";
import type { Filled } from "./kinds";
import { PlaceInput } from "./place";

const named = (choices: Choice[], language: Language) => choices.map((choice) => ({ value: choice.code, text: said(choice.name, language) }));

/** A sealed free text. */
function Sealed({ drafting, path, label }: { drafting: Filled["drafting"]; path: string; label: string }) {
  const { draft, type } = drafting;
  return <Input label={label} rows={3} value={draft.values[path] ?? ""} onChange={(text) => type({ values: merged(draft.values, { [path]: text }) })} most={1000} />;
}

export function Nothing() {
  return null;
}

export function Note({ drafting }: Filled) {
  const words = useWords();
  return <Sealed drafting={drafting} path="note" label={`${words.form.note} (${words.optional})`} />;
}

export function Reason({ drafting }: Filled) {
  return <Sealed drafting={drafting} path="reason" label={useWords().form.reason} />;
}

export function Comment({ drafting }: Filled) {
  return <Sealed drafting={drafting} path="text" label={useWords().form.text} />;
}

/** One code of the catalogue into the body. */
function Coded({ drafting, name, label, choices }: { drafting: Filled["drafting"]; name: string; label: string; choices: Choice[] }) {
  const language = useLanguage();
  const { draft, change } = drafting;
  return <Choices label={label} of={named(choices, language)} value={draft.body[name] ?? null} onChange={(code) => void change({ body: merged(draft.body, { [name]: code }) })} />;
}

function useSubtype({ document, reference }: Filled) {
  const catalogue = useCatalogueOf(document, reference);
  const { category, subtype } = kindOf(document);
  return subtypeOf(catalogue, category, subtype);
}

export function File(filled: Filled) {
  const words = useWords();
  const language = useLanguage();
  const subtype = useSubtype(filled);
  const missing = (subtype?.fields ?? []).filter((spec) => spec.required === "file" && valueOfField(filled.document, `field.${spec.code}`) === null);
  return (
    <>
      {missing.length > 0 && (
        <p class="note note-warn">
          {words.needed(words.steps.file ?? "")}{words.colon}{missing.map((spec) => said(spec.label, language)).join(", ")}{" "}
          <a href={`#/case/${filled.log}/${filled.document.id}/do/amend`}>{words.steps.amend}</a>
        </p>
      )}
      <Coded drafting={filled.drafting} name="condition" label={words.form.condition} choices={subtype?.filing_conditions ?? []} />
    </>
  );
}

export function Close(filled: Filled) {
  const words = useWords();
  return <Coded drafting={filled.drafting} name="condition" label={words.form.condition} choices={useSubtype(filled)?.closing_conditions ?? []} />;
}

export function Decline(filled: Filled) {
  const words = useWords();
  return (
    <>
      <Coded drafting={filled.drafting} name="reason" label={words.form.reason_choice} choices={filled.reference.catalogue?.decline_reasons ?? []} />
      <Note {...filled} />
    </>
  );
}

export function ReturnAssignment(filled: Filled) {
  const words = useWords();
  return (
    <>
      <Coded drafting={filled.drafting} name="reason" label={words.form.reason_choice} choices={filled.reference.catalogue?.return_reasons ?? []} />
      <Note {...filled} />
    </>
  );
}

export function Check({ kept = false, ...filled }: Filled & { kept?: boolean }) {
  const words = useWords();
  const said = kept ? words.form.kept : words.form;
  const { draft, change } = filled.drafting;
  return (
    <>
      <Choices
        label={words.form.verdict}
        of={[{ value: "pass", text: said.pass }, { value: "fail", text: said.fail }]}
        value={draft.body.verdict ?? null}
        onChange={(verdict) => void change({ body: merged(draft.body, { verdict }) })}
      />
      <Note {...filled} />
    </>
  );
}

export function LookBack(filled: Filled) {
  const words = useWords();
  const { draft, change } = filled.drafting;
  return (
    <>
      <Choices
        label={words.look_back.found}
        of={(["held", "relapsed"] as const).map((value) => ({ value, text: words.look_back.verdicts[value] }))}
        value={draft.body.verdict ?? null}
        onChange={(verdict) => void change({ body: merged(draft.body, { verdict }) })}
      />
      <Note {...filled} />
    </>
  );
}

export function AddEvidence({ drafting, document }: Filled) {
  const words = useWords();
  const { draft, change } = drafting;
  const roles: EvidenceRole[] = ["before", "after", "check", "document"];
  const first = draft.photos[0]?.role ?? draft.page?.role ?? (document.state === "assigned" ? "after" : document.state === "fixed" ? "check" : "before");
  return (
    <Choices
      label={words.case.what}
      of={roles.map((value) => ({ value, text: words.case[value] }))}
      value={first}
      onChange={(role) => void change({ page: { ...draft.page, role }, photos: draft.photos.map((photo) => ({ ...photo, role })) })}
    />
  );
}

/** The responsible unit is chosen beforehand; another one, helpers and a person are a tap away. */
export function Assign(filled: Filled) {
  const words = useWords();
  const { drafting, document, reference, log } = filled;
  const { draft, change } = drafting;
  const [open, setOpen] = useState(false);
  const loaded = useLive((device) => device.suggestions(log, [document.id]), ["cases"], [log, document.id]);
  const suggestion = valueOf(loaded)?.[0] ?? null;
  const advice = advised(suggestion);
  useEffect(() => {
    // What a person chose before stays.
    if (advice && Object.keys(draft.body).length === 0) void change({ body: advice });
  }, [advice?.unit]);
  if (loaded.is === "loading") return <Waiting />;
  return (
    <>
      {suggestion && <Responsible suggestion={suggestion} reference={reference} />}
      {advice && !open && draft.body.unit === advice.unit ? (
        <Button onPress={() => setOpen(true)}>{words.responsible.change}</Button>
      ) : (
        <Units body={draft.body} reference={reference} onChange={(body) => void change({ body })} />
      )}
      <Note {...filled} />
    </>
  );
}

/** Lead unit, helpers and person: for one case and for many. */
export function Units({ body, reference, onChange }: { body: Record<string, any>; reference: Filled["reference"]; onChange: (body: Record<string, any>) => void }) {
  const words = useWords();
  const language = useLanguage();
  const units = [...reference.units.values()].filter((unit) => !unit.merged).map((unit) => ({ value: unit.id, text: said(unit.name, language) }));
  const helping = new Set<string>(body.co_units ?? []);
  const members = [...reference.accounts.values()].filter((account) => account.disabled_rev === null && account.units.includes(body.unit));
  const toggle = (unit: string) => {
    if (helping.has(unit)) helping.delete(unit);
    else helping.add(unit);
    const { [unit]: _, ...limits } = body.co_limits ?? {};
    onChange(merged(body, { co_units: helping.size > 0 ? [...helping] : undefined, co_limits: limits }));
  };
  /** Working days of the hour model, as in the national tables; none is the limit of the catalogue. */
  const limit = (unit: string, amount: number) => {
    const { [unit]: _, ...limits } = body.co_limits ?? {};
    if (Number.isInteger(amount) && amount > 0) limits[unit] = { amount, unit: "working_days", model: "hours" };
    onChange(merged(body, { co_limits: limits }));
  };
  return (
    <>
      <Choices label={words.form.unit} of={units} value={body.unit ?? null} onChange={(unit) => onChange(merged(body, { unit, holder: undefined, co_units: undefined, co_limits: undefined }))} />
      {body.unit && (
        <fieldset class="field">
          <legend>{words.form.co_units} ({words.optional})</legend>
          <div class="choices">
            {units.filter((unit) => unit.value !== body.unit).map((unit) => (
              <button type="button" class="choice" key={unit.value} aria-pressed={helping.has(unit.value)} onClick={() => toggle(unit.value)}>{unit.text}</button>
            ))}
          </div>
        </fieldset>
      )}
      {units.filter((unit) => helping.has(unit.value)).map((unit) => (
        <Input key={unit.value} label={words.form.co_limit(unit.text)} mode="numeric" value={String(body.co_limits?.[unit.value]?.amount ?? "")} onChange={(days) => limit(unit.value, Number(days))} />
      ))}
      {members.length > 0 && (
        <Select label={words.form.holder} value={body.holder ?? ""} of={[{ value: "", text: words.form.nobody }, ...members.map((one) => ({ value: one.id, text: one.name }))]} onChange={(holder) => onChange(merged(body, { holder }))} />
      )}
    </>
  );
}

export function LinkDuplicate({ drafting, document, log }: Filled) {
  const words = useWords();
  const { draft, change } = drafting;
  const [text, setText] = useState("");
  const found = valueOf(
    useLive(
      async (device) => {
        if (text.trim()) return device.list({ log, text: text.trim() }, null, 10);
        const position = positionOf(document);
        const { category, subtype } = kindOf(document);
        const subject = valueOfField(document, "subject") as string | null;
        return position ? device.near(log, category, subtype, subject, { lat: position.lat_e7, lon: position.lon_e7 }) : [];
      },
      [],
      [text],
    ),
  );
  return (
    <>
      <Input label={words.form.duplicate} hint={words.form.duplicate_hint} value={text} onChange={setText} type="search" />
      <ul class="cases">
        {(found ?? []).filter((row) => row.case !== document.id).map((row) => (
          <li key={row.case} class="case-with-tick">
            <label class="tick">
              <input type="radio" name="of" aria-label={row.number ?? row.short_code} checked={draft.body.of === row.case} onChange={() => void change({ body: { of: row.case } })} />
            </label>
            <CaseCard row={row} chosen={draft.body.of === row.case} />
          </li>
        ))}
      </ul>
    </>
  );
}

/** One of the photos, to take it back or to give it up. */
export function PickPhoto(filled: Filled) {
  const words = useWords();
  const language = useLanguage();
  const { account } = useMe();
  const { drafting, document, log } = filled;
  const { draft, change } = drafting;
  const waives = draft.kind === "waive_evidence";
  const all = standing(document).filter((one) => (waives ? one.verified_rev === null : true));
  const own = all.filter((one) => one.by.account === account);
  const pick = (sha256: string, op: string) => void change({ body: waives ? { photo: sha256 } : { photo: sha256, of: op } });
  return (
    <>
      <fieldset class="field">
        <legend>{words.form.which_photo}</legend>
        <div class="photos">
          {(waives || own.length === 0 ? all : own).map((one) => (
            <label key={`${one.sha256}${one.by.op}`} class="stack" style={{ gap: "0" }}>
              <Photo log={log} sha256={one.sha256} alt={words.case[one.role]} away={one.verified_rev === null} />
              <span class="row small">
                <span class="tick"><input type="radio" name="photo" checked={draft.body.photo === one.sha256} onChange={() => pick(one.sha256, one.by.op)} /></span>
                {words.case[one.role]} {day(language, one.by.received_ms)}
              </span>
            </label>
          ))}
        </div>
      </fieldset>
      <Reason {...filled} />
    </>
  );
}

export function Amend(filled: Filled) {
  const words = useWords();
  const language = useLanguage();
  const { drafting, document, reference } = filled;
  const { draft, type, change } = drafting;
  const catalogue = useCatalogueOf(document, reference);
  const wanted = (draft.page?.wanted ?? {}) as Record<string, unknown>;
  const now = (field: string) => (field in wanted ? wanted[field] : valueOfField(document, field));
  const want = (field: string, value: unknown) => type({ page: { ...draft.page, wanted: { ...wanted, [field]: value === "" || value === undefined ? null : value } } });
  const kind = now("kind") as { category: string; subtype: string } | null;
  const subtype = subtypeOf(catalogue, kind?.category ?? "", kind?.subtype ?? "");
  const kinds = (catalogue?.categories ?? []).flatMap((category) =>
    category.subtypes.map((of) => ({ value: `${category.code}/${of.code}`, text: `${said(category.name, language)} · ${said(of.name, language)}` })),
  );
  const chooseKind = (value: string) => {
    const [category = "", code = ""] = value.split("/");
    void change({ page: { ...draft.page, wanted: { ...wanted, kind: { category, subtype: code } } } });
  };
  return (
    <>
      <Select label={words.form.kind} value={kind ? `${kind.category}/${kind.subtype}` : ""} of={kinds} onChange={chooseKind} />
      <Input label={said(subtype?.subject, language) || words.form.subject} value={(now("subject") as string | null) ?? ""} onChange={(text) => want("subject", text)} most={60} />
      {(subtype?.fields ?? []).map((spec) =>
        spec.holds.type === "personal" ? (
          <FieldInput key={spec.code} spec={spec} value={draft.values[`changes.field.${spec.code}.to`]} onChange={(text) => type({ values: merged(draft.values, { [`changes.field.${spec.code}.to`]: text }) })} />
        ) : (
          <FieldInput key={spec.code} spec={spec} value={now(`field.${spec.code}`)} onChange={(value) => want(`field.${spec.code}`, value)} />
        ),
      )}
      <Sealed drafting={drafting} path="changes.note.to" label={`${words.capture.note} (${words.optional})`} />
      <details>
        <summary class="button button-bare">{words.form.position}</summary>
        <PlaceInput value={("position" in wanted ? wanted.position : null) as never} onChange={(position) => want("position", position)} />
      </details>
    </>
  );
}
