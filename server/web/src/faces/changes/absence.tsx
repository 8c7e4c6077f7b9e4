// Somebody is away: who stands in, and until when. It ends by itself.

import { useState } from "preact/hooks";
import type { Id } from "../../device/contract";
import { newId, useAttempt, useDevice, useLive, useMe, valueOf } from "../../app/device";
import { Button, Input, Refused, Select } from "../../app/parts";
import { useLanguage, useWords } from "../../app/settings";
import { who } from "../../case/facts";
import type { AccountEntity, Reference } from "../../case/reference";
import { day } from "../../words";

const DAY_MS = 24 * 3600 * 1000;

export function Absence({ log, reference, others }: { log: Id; reference: Reference; others: boolean }) {
  const words = useWords();
  const language = useLanguage();
  const device = useDevice();
  const me = useMe();
  const attempt = useAttempt();
  const [of, setOf] = useState(me.account);
  const [deputy, setDeputy] = useState("");
  const [last, setLast] = useState("");
  const all = valueOf(useLive((device) => device.entities(log, "account"), ["cases"], [log]));
  const people = ((all ?? []) as AccountEntity[]).filter((one) => one.disabled_rev === null);
  const away = people.filter((one) => one.absent && (others || one.id === me.account || one.absent.deputy === me.account));
  const until_ms = last ? new Date(`${last}T00:00:00`).getTime() + DAY_MS : NaN;
  const ask = (account: Id, kind: string, body: Record<string, unknown>) =>
    attempt.run(async () => {
      await device.capture({ id: newId(), log, case: account, kind, body, values: {}, photos: [], page: null, changed_ms: Date.now() });
      device.sync();
    });
  const named = (all: AccountEntity[]) => all.map((one) => ({ value: one.id, text: one.name }));
  return (
    <section class="card stack" data-absences={away.length}>
      <h2>{words.changes.absence}</h2>
      {away.map((one) => one.absent && (
        <div class="row-wrap" key={one.id} data-away={one.id}>
          <span class="grow">{words.changes.away(one.name, who(reference, one.absent.deputy, words), day(language, one.absent.until_ms - 1))}</span>
          <Button disabled={attempt.busy} onPress={() => void ask(one.id, "end_absence", {})}>{words.changes.back}</Button>
        </div>
      ))}
      {others && <Select label={words.changes.who} value={of} of={named(people)} onChange={setOf} />}
      <Select label={words.changes.deputy} value={deputy} of={[{ value: "", text: words.changes.choose }, ...named(people.filter((one) => one.id !== of && !one.absent))]} onChange={setDeputy} />
      <Input label={words.changes.last_day} type="date" value={last} onChange={setLast} />
      <p class="small soft">{words.changes.absence_hint}</p>
      <Refused attempt={attempt} />
      <Button look="main" disabled={!deputy || !(until_ms > Date.now()) || attempt.busy} onPress={() => void ask(of, "set_absent", { deputy, until_ms })}>{words.steps.set_absent}</Button>
    </section>
  );
}
