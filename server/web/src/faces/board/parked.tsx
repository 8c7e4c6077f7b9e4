// Steps in the server's custody: a supervisor lets them take effect or ends them, as a step of their own.

import { useEffect, useRef, useState } from "preact/hooks";
import type { ParkedOp, TakenIn } from "../../device/contract";
import { newId, useAttempt, useDevice, useMe } from "../../app/device";
import { Button, Empty, Input, Refused, Waiting } from "../../app/parts";
import { caseAt } from "../../app/route";
import { useLanguage, useWords } from "../../app/settings";
import { who } from "../../case/facts";
import { useReference } from "../../case/reference";
import { day } from "../../words";

export function Parked() {
  const words = useWords();
  const device = useDevice();
  const me = useMe();
  const attempt = useAttempt();
  const [all, setAll] = useState<ParkedOp[] | null>(null);
  const read = () =>
    attempt.run(async () => {
      const found: ParkedOp[] = [];
      for (const { log } of me.logs) {
        let after: number | null = 0;
        while (after !== null) {
          const page: { parked: ParkedOp[]; next: number | null } = await device.parked(log, after);
          found.push(...page.parked);
          after = page.next;
        }
      }
      setAll(found);
    });
  useEffect(() => void read(), []);
  return (
    <div class="stack">
      <Carried onTaken={() => void read()} />
      {attempt.busy && !all && <Waiting />}
      <Refused attempt={attempt} />
      {attempt.refused && <Button onPress={() => void read()}>{words.again}</Button>}
      {all && all.length === 0 && <Empty icon="pause">{words.parked.empty}</Empty>}
      {(all ?? []).map((op) => <Op key={op.op} op={op} onDone={() => setAll((all ?? []).filter((it) => it.op !== op.op))} />)}
    </div>
  );
}

/** The file of a phone that reaches no server. */
function Carried({ onTaken }: { onTaken: () => void }) {
  const words = useWords();
  const device = useDevice();
  const attempt = useAttempt();
  const chosen = useRef<HTMLInputElement>(null);
  const [taken, setTaken] = useState<TakenIn | null>(null);
  const take = async (file: File | undefined) => {
    if (file && (await attempt.run(async () => setTaken(await device.takeIn(file))))) onTaken();
    if (chosen.current) chosen.current.value = "";
  };
  return (
    <section class="card stack">
      <p class="soft">{words.parked.carried_hint}</p>
      <input ref={chosen} type="file" hidden data-carried onChange={(event) => void take(event.currentTarget.files?.[0])} />
      <Button disabled={attempt.busy} onPress={() => chosen.current?.click()}>{words.parked.carried}</Button>
      <Refused attempt={attempt} />
      {taken && <p class="note note-good" role="status" data-taken>{words.parked.taken(taken)}</p>}
    </section>
  );
}

function Op({ op, onDone }: { op: ParkedOp; onDone: () => void }) {
  const words = useWords();
  const language = useLanguage();
  const device = useDevice();
  const attempt = useAttempt();
  const reference = useReference(op.log);
  const [reason, setReason] = useState("");
  const decide = async (kind: "release" | "discard") => {
    const done = await attempt.run(() =>
      device.capture({ id: newId(), log: op.log, case: op.entity, kind, body: { parked: op.op }, values: { reason }, photos: [], page: null, changed_ms: Date.now() }),
    );
    device.sync();
    if (done) onDone();
  };
  return (
    <section class="card stack" data-parked={op.op}>
      <h2>{words.steps[op.kind] ?? op.kind}</h2>
      <p>{words.codes[op.code] ?? op.code}</p>
      <p class="small soft">{words.parked.from(who(reference, op.actor, words))} · {day(language, op.received_ms)} · <a href={`#${caseAt(op.log, op.entity)}`}>{words.attention.look}</a></p>
      <Input label={words.parked.reason} value={reason} onChange={setReason} most={500} />
      <Refused attempt={attempt} />
      <div class="row">
        <Button look="main" disabled={!reason.trim() || attempt.busy} onPress={() => void decide("release")}>{words.parked.release}</Button>
        <Button look="bad" disabled={!reason.trim() || attempt.busy} onPress={() => void decide("discard")}>{words.parked.discard}</Button>
      </div>
    </section>
  );
}
