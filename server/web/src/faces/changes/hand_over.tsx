// What somebody, a unit or an area has goes to another: how much is shown first, what has moved afterwards.

import { useEffect, useState } from "preact/hooks";
import type { CaseState, Id } from "../../device/contract";
import { newId, useAttempt, useChanges, useDevice, useLive, valueOf } from "../../app/device";
import { Button, Choices, Input, Refused, Select, StatePill, Waiting } from "../../app/parts";
import { caseAt, go } from "../../app/route";
import { useLanguage, useWords } from "../../app/settings";
import type { Reference } from "../../case/reference";
import { day, said } from "../../words";

type Whose = "unit" | "account" | "area";

interface Preview {
  cases: number;
  states: Partial<Record<CaseState, number>>;
}

interface Moved {
  from: Id;
  to: Id;
  moved: number;
  left: number;
  done: boolean;
  received_ms: number;
  cases: { case: Id; short_code: string; received_ms: number; accepted_ms: number | null }[];
}

/** Whoever it is: a person, a unit, or the areas. */
function called(reference: Reference, id: Id, language: "zh" | "en", areas: string): string {
  return reference.accounts.get(id)?.name ?? (said(reference.units.get(id)?.name, language) || areas);
}

export function HandOver({ log, reference }: { log: Id; reference: Reference }) {
  const words = useWords();
  const language = useLanguage();
  const device = useDevice();
  const attempt = useAttempt();
  const [whose, setWhose] = useState<Whose>("unit");
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const [code, setCode] = useState("");
  const [reason, setReason] = useState("");
  const [preview, setPreview] = useState<Preview | null>(null);
  const tree = valueOf(useLive((device) => device.entities(log, "areas"), [], [log]));
  const area = code.trim() ? [...reference.areas.values()].find((one) => one.code === code.trim()) : null;
  const units = [...reference.units.values()].filter((unit) => !unit.merged).map((unit) => ({ value: unit.id, text: said(unit.name, language) }));
  const people = [...reference.accounts.values()].filter((one) => one.disabled_rev === null).map((one) => ({ value: one.id, text: one.name }));
  const entity = whose === "area" ? (tree?.[0] as { id: Id } | undefined)?.id ?? "" : from;
  const ready = Boolean(entity && to && entity !== to && (area || (area === null && whose !== "area")));
  const changing = <T,>(set: (value: T) => void) => (value: T) => {
    set(value);
    setPreview(null);
  };
  const look = () =>
    attempt.run(async () => {
      const only = area ? `&area=${area.id}` : "";
      setPreview(await device.call("GET", `/v1/logs/${log}/hand-overs?from=${entity}&to=${to}${only}`));
    });
  const send = () =>
    attempt.run(async () => {
      const body = area ? { to, area: area.id } : { to };
      const { op } = await device.capture({ id: newId(), log, case: entity, kind: "hand_over", body, values: { reason }, photos: [], page: null, changed_ms: Date.now() });
      device.sync();
      go(`/changes?receipt=${op}`);
    });
  const of = whose === "account" ? people : units;
  const none = { value: "", text: words.changes.choose };
  return (
    <section class="card stack" data-hand-over>
      <h2>{words.steps.hand_over}</h2>
      <Choices label={words.changes.whose} of={(["unit", "account", "area"] as const).map((value) => ({ value, text: words.changes.kinds[value] }))} value={whose} onChange={(value) => { changing(setWhose)(value); setFrom(""); setTo(""); }} />
      {whose !== "area" && <Select label={words.changes.from} value={from} of={[none, ...of]} onChange={changing(setFrom)} />}
      <Select label={words.changes.to} value={to} of={[none, ...of.filter((one) => one.value !== from)]} onChange={changing(setTo)} />
      <Input label={words.changes.area(whose === "area")} value={code} onChange={changing(setCode)} fault={area === undefined ? words.form.needed : null} />
      <Input label={words.changes.reason} value={reason} onChange={setReason} most={200} />
      <Refused attempt={attempt} />
      {preview && (
        <p class="note" role="status" data-would-move={preview.cases}>
          {words.changes.would_move(preview.cases)} {(Object.entries(preview.states) as [CaseState, number][]).map(([state, count]) => <span key={state}><StatePill state={state} /> {count} </span>)}
        </p>
      )}
      <div class="row">
        <Button disabled={!ready || attempt.busy} onPress={() => void look()}>{words.changes.preview}</Button>
        <Button look="main" disabled={!ready || !preview || !reason.trim() || attempt.busy} onPress={() => void send()}>{words.steps.hand_over}</Button>
      </div>
    </section>
  );
}

export function Receipt({ log, op, reference }: { log: Id; op: Id; reference: Reference }) {
  const words = useWords();
  const language = useLanguage();
  const device = useDevice();
  const attempt = useAttempt();
  const changes = useChanges(["cases", "status"]);
  const [moved, setMoved] = useState<Moved | null>(null);
  const read = () => attempt.run(async () => setMoved(await device.call("GET", `/v1/logs/${log}/hand-overs/${op}`)));
  useEffect(() => void (moved?.done || read()), [changes]);
  return (
    <section class="card stack" data-receipt={op} data-done={moved?.done}>
      <h2>{words.changes.receipt}</h2>
      {!moved && <Waiting />}
      {moved && (
        <>
          <p role="status">{called(reference, moved.from, language, words.changes.kinds.area)} → {called(reference, moved.to, language, "")} · {day(language, moved.received_ms)}</p>
          <p data-moved={moved.moved}>{words.changes.moved(moved.moved, moved.moved + moved.left, moved.cases.filter((one) => one.accepted_ms !== null).length)}</p>
          <ul class="small">
            {moved.cases.slice(0, 100).map((one) => (
              <li key={one.case}><a href={`#${caseAt(log, one.case)}`}>{one.short_code}</a> · {day(language, one.received_ms)}{one.accepted_ms !== null && ` · ${words.steps.accept}`}</li>
            ))}
          </ul>
        </>
      )}
      {attempt.refused?.code !== "not_found" && <Refused attempt={attempt} />}
      {!moved?.done && <Button disabled={attempt.busy} onPress={() => void read()}>{words.again}</Button>}
    </section>
  );
}
