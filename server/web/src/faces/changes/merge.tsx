// A unit goes into another one: its members and its cases follow.

import { useState } from "preact/hooks";
import type { Id } from "../../device/contract";
import { newId, useAttempt, useDevice } from "../../app/device";
import { Button, Input, Refused, Select } from "../../app/parts";
import { go } from "../../app/route";
import { useLanguage, useWords } from "../../app/settings";
import type { Reference } from "../../case/reference";
import { said } from "../../words";

export function Merge({ log, reference }: { log: Id; reference: Reference }) {
  const words = useWords();
  const language = useLanguage();
  const device = useDevice();
  const attempt = useAttempt();
  const [unit, setUnit] = useState("");
  const [successor, setSuccessor] = useState("");
  const [reason, setReason] = useState("");
  const units = [...reference.units.values()].filter((one) => !one.merged).map((one) => ({ value: one.id, text: said(one.name, language) }));
  const none = { value: "", text: words.changes.choose };
  const send = () =>
    attempt.run(async () => {
      const { op } = await device.capture({ id: newId(), log, case: unit, kind: "merge_unit", body: { successor }, values: { reason }, photos: [], page: null, changed_ms: Date.now() });
      device.sync();
      go(`/changes?receipt=${op}`);
    });
  return (
    <section class="card stack" data-merge>
      <h2>{words.steps.merge_unit}</h2>
      <Select label={words.changes.ends} value={unit} of={[none, ...units]} onChange={setUnit} />
      <Select label={words.changes.goes_on} value={successor} of={[none, ...units.filter((one) => one.value !== unit)]} onChange={setSuccessor} />
      <Input label={words.changes.reason} value={reason} onChange={setReason} most={200} />
      <p class="note note-bad">{words.changes.merge_sure}</p>
      <Refused attempt={attempt} />
      <Button look="bad" disabled={!unit || !successor || !reason.trim() || attempt.busy} onPress={() => void send()}>{words.steps.merge_unit}</Button>
    </section>
  );
}
