// The last look at a report: where, what exactly, whether it is known already; then it is made.

import { useState } from "preact/hooks";
import type { NearCase } from "../../device/contract";
import { useLive, valueOf, type Attempt } from "../../app/device";
import { Button, Choices, Icon, Input, Refused, Select, StatePill } from "../../app/parts";
import { caseAt } from "../../app/route";
import { useLanguage, useWords } from "../../app/settings";
import { Photo, CasePhoto } from "../../case/photo";
import type { PositionE7 } from "../../case/place";
import { kindName, subtypeOf, type FieldSpec, type Reference } from "../../case/reference";
import { merged, type Drafting } from "../../forms/draft";
import { FieldInput } from "../../forms/field";
import { PlaceInput } from "../../forms/place";
import { far, said } from "../../words";

interface Shown {
  drafting: Drafting;
  reference: Reference;
  attempt: Attempt;
  onPhotos: () => void;
  onKind: () => void;
  onSend: (outcome: string | null) => void;
}

export function Details({ drafting, reference, attempt, onPhotos, onKind, onSend }: Shown) {
  const words = useWords();
  const language = useLanguage();
  const { draft, type } = drafting;
  const { body, values } = draft;
  const [settling, setSettling] = useState(false);
  const subtype = subtypeOf(reference.catalogue, body.category, body.subtype);
  const set = (change: Record<string, unknown>) => type({ body: merged(draft.body, change) });
  const ready = Boolean(body.position && subtype) && !attempt.busy;
  return (
    <>
      <div class="row">
        {draft.photos.slice(0, 3).map((photo) => (
          <span key={photo.sha256} style={{ width: "72px" }}>
            <Photo log={draft.log ?? ""} sha256={photo.sha256} alt={words.form.photos} onPress={onPhotos} />
          </span>
        ))}
        <button type="button" class="button button-bare grow" style={{ justifyContent: "flex-start", textAlign: "left" }} onClick={onKind}>
          {subtype ? kindName(reference.catalogue, body.category, body.subtype, language) : words.capture.kind}
        </button>
      </div>
      <PlaceInput value={(body.position as PositionE7 | undefined) ?? null} onChange={(position) => void drafting.change({ body: merged(draft.body, { position }) })} />
      {subtype?.subject && <Input label={said(subtype.subject, language)} value={body.subject ?? ""} onChange={(subject) => set({ subject })} most={60} />}
      <Near drafting={drafting} />
      <Fields specs={subtype?.fields ?? []} drafting={drafting} />
      <Input label={`${words.capture.note} (${words.optional})`} hint={words.capture.note_hint} value={values.note ?? ""} rows={2} onChange={(note) => type({ values: merged(draft.values, { note }) })} most={1000} />
      <SourceInput drafting={drafting} />
      <p class="hint">{words.capture.exif}</p>
      <Refused attempt={attempt} />
      {settling && subtype ? (
        <div class="foot foot-choices">
          <Choices
            label={words.capture.settle_how}
            of={subtype.settle_outcomes.map((choice) => ({ value: choice.code, text: said(choice.name, language) }))}
            value={null}
            onChange={(outcome) => ready && onSend(outcome)}
          />
          <Button look="bare" onPress={() => setSettling(false)}>{words.cancel}</Button>
        </div>
      ) : (
        <div class="foot">
          {subtype && subtype.settle_outcomes.length > 0 && (
            <Button disabled={!ready} onPress={() => setSettling(true)}>{words.capture.settle}</Button>
          )}
          <Button look="main" disabled={!ready} onPress={() => onSend(null)}><Icon name="send" />{words.capture.report}</Button>
        </div>
      )}
    </>
  );
}

/** What the report needs comes first; the rest is folded away. */
function Fields({ specs, drafting }: { specs: FieldSpec[]; drafting: Drafting }) {
  const words = useWords();
  const { draft, type } = drafting;
  const personal = (spec: FieldSpec) => spec.holds.type === "personal";
  const input = (spec: FieldSpec) => {
    const path = `fields.${spec.code}`;
    const value = personal(spec) ? draft.values[path] : draft.body.fields?.[spec.code];
    const change = (next: unknown) =>
      personal(spec)
        ? type({ values: merged(draft.values, { [path]: next }) })
        : type({ body: merged(draft.body, { fields: merged(draft.body.fields ?? {}, { [spec.code]: next }) }) });
    return <FieldInput key={spec.code} spec={spec} value={value} onChange={change} />;
  };
  const first = specs.filter((spec) => spec.required === "report");
  const rest = specs.filter((spec) => spec.required !== "report");
  return (
    <>
      {first.map(input)}
      {rest.length > 0 && (
        <details>
          <summary class="button button-bare">{words.capture.more_fields} ({rest.length})</summary>
          <div class="stack" style={{ paddingTop: "8px" }}>{rest.map(input)}</div>
        </details>
      )}
    </>
  );
}

/** A possible duplicate nearby is shown before one is made. */
function Near({ drafting }: { drafting: Drafting }) {
  const words = useWords();
  const { draft } = drafting;
  const position = draft.body.position as PositionE7 | undefined;
  const { category, subtype, subject } = draft.body;
  const near = valueOf(
    useLive(
      async (device) =>
        position && draft.log ? device.near(draft.log, category, subtype, subject ?? null, { lat: position.lat_e7, lon: position.lon_e7 }) : [],
      [],
      [position?.lat_e7, position?.lon_e7, category, subtype, subject],
    ),
  );
  if (!near || near.length === 0) return null;
  return (
    <section class="note note-warn stack" aria-label={words.capture.near}>
      <h2>{words.capture.near}</h2>
      {near.slice(0, 3).map((row) => <NearRow key={row.case} row={row} />)}
    </section>
  );
}

function NearRow({ row }: { row: NearCase }) {
  const words = useWords();
  return (
    <div class="near">
      <span><CasePhoto log={row.log} id={row.case} count={row.photos} /></span>
      <span class="grow small">
        <b>{row.subject ?? row.short_code}</b> <StatePill state={row.state} />
        <br />
        {words.capture.near_by[row.by]}{row.distance_m === null ? "" : ` · ${far(words, row.distance_m)}`}
      </span>
      <a class="button" href={`#${caseAt(row.log, row.case)}/do/add_evidence`}>{words.capture.near_same}</a>
    </div>
  );
}

const CHANNELS = ["patrol", "hotline", "leader", "inspection", "survey"] as const;

function SourceInput({ drafting }: { drafting: Drafting }) {
  const words = useWords();
  const { draft, type } = drafting;
  const source = draft.body.source ?? { channel: "patrol" };
  const set = (change: Record<string, unknown>) => type({ body: merged(draft.body, { source: merged(source, change) }) });
  return (
    <details open={source.channel !== "patrol"}>
      <summary class="button button-bare">{words.capture.channel}{words.colon}{words.channels[source.channel as keyof typeof words.channels]}</summary>
      <div class="stack" style={{ paddingTop: "8px" }}>
        <Select label={words.capture.channel} value={source.channel} of={CHANNELS.map((value) => ({ value, text: words.channels[value] }))} onChange={(channel) => set({ channel })} />
        {source.channel !== "patrol" && <Input label={words.capture.source_number} value={source.number ?? ""} onChange={(number) => set({ number })} most={60} />}
      </div>
    </details>
  );
}
