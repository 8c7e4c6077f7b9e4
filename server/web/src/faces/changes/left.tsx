// Cases that come here because nobody below can see to them: a unit with nobody there, an office with nobody.

import { useEffect, useState } from "preact/hooks";
import type { CaseState, Id } from "../../device/contract";
import { useAttempt, useDevice } from "../../app/device";
import { Button, Refused, StatePill, Waiting } from "../../app/parts";
import { caseAt } from "../../app/route";
import { useWords } from "../../app/settings";

interface Row {
  document: { id: Id; short_code: string; number: string | null; state: CaseState };
}

export function Left({ log }: { log: Id }) {
  const words = useWords();
  const device = useDevice();
  const attempt = useAttempt();
  const [rows, setRows] = useState<Row[] | null>(null);
  const read = () =>
    attempt.run(async () => {
      const found: Row[] = [];
      const open = "reported,filed,assigned,fixed,checked";
      for (let next: number | null | undefined; next !== null; ) {
        const before: string = next === undefined ? "" : `&before=${next}`;
        const page: { cases: Row[]; next: number | null } = await device.call("GET", `/v1/logs/${log}/cases?unattended=true&state=${open}${before}`);
        found.push(...page.cases);
        next = page.next;
      }
      setRows(found);
    });
  useEffect(() => void read(), []);
  return (
    <section class="card stack" data-left={rows?.length}>
      <h2>{words.changes.left}</h2>
      <p class="small soft">{words.changes.left_hint}</p>
      {!rows && attempt.busy && <Waiting />}
      <Refused attempt={attempt} />
      {attempt.refused && <Button onPress={() => void read()}>{words.again}</Button>}
      {rows?.length === 0 && <p class="soft">{words.none}</p>}
      <ul>
        {(rows ?? []).map(({ document }) => (
          <li key={document.id}><a href={`#${caseAt(log, document.id)}`}>{document.number ?? document.short_code}</a> <StatePill state={document.state} /></li>
        ))}
      </ul>
    </section>
  );
}
