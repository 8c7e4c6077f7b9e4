// Many cases by one step each: each to its responsible unit, or all to one. What can't be assigned is told case by case.

import { useState } from "preact/hooks";
import type { CaseRow, Device, Suggestion } from "../../device/contract";
import { useAttempt, useDevice, useLive, valueOf } from "../../app/device";
import { Button, Choices, Refused } from "../../app/parts";
import { useWords } from "../../app/settings";
import { useReference } from "../../case/reference";
import { advised } from "../../case/responsible";
import { Units } from "../../forms/fields";

type Way = "each" | "same";

/** Who should have each of the cases, district by district. */
async function suggested(device: Device, rows: CaseRow[]): Promise<Map<string, Suggestion | null>> {
  const found = new Map<string, Suggestion | null>();
  for (const log of new Set(rows.map((row) => row.log))) {
    const cases = rows.filter((row) => row.log === log).map((row) => row.case);
    (await device.suggestions(log, cases))?.forEach((one, nth) => found.set(cases[nth] ?? "", one));
  }
  return found;
}

export function Bulk({ rows, onDone }: { rows: CaseRow[]; onDone: () => void }) {
  const words = useWords();
  const device = useDevice();
  const attempt = useAttempt();
  const reference = useReference(rows[0]?.log ?? null);
  const [open, setOpen] = useState(false);
  const [picked, setWay] = useState<Way | null>(null);
  const [body, setBody] = useState<Record<string, any>>({});
  const chosen = rows.map((row) => row.case).join();
  const found = valueOf(useLive((device) => (open ? suggested(device, rows) : Promise.resolve(null)), [], [open, chosen]));
  const each = rows.flatMap((row) => {
    const advice = advised(found?.get(row.case) ?? null);
    return advice ? [{ log: row.log, case: row.case, body: advice }] : [];
  });
  const way = picked ?? (each.length > 0 ? "each" : "same");
  const all = way === "each" ? each : body.unit ? rows.map((row) => ({ log: row.log, case: row.case, body })) : [];
  const send = async () => {
    const done = await attempt.run(() => device.captureMany(all, "assign"));
    device.sync();
    if (done) onDone();
  };
  return (
    <section class="card stack" style={{ position: "sticky", bottom: "84px", zIndex: 5 }} aria-label={words.board.assign}>
      <div class="row">
        <b class="grow">{words.board.chosen(rows.length)}</b>
        {!open && <Button look="main" onPress={() => setOpen(true)}>{words.board.assign}</Button>}
      </div>
      {open && found && (
        <>
          {found.size > 0 && (
            <Choices label={words.board.assign} of={[{ value: "each", text: words.responsible.each }, { value: "same", text: words.responsible.same }]} value={way} onChange={setWay} />
          )}
          {way === "each" ? <Each rows={rows} found={found} /> : <Units body={body} reference={reference} onChange={setBody} />}
          <Refused attempt={attempt} />
          <div class="row">
            <Button look="bare" onPress={() => setOpen(false)}>{words.cancel}</Button>
            <Button look="main" disabled={all.length === 0 || attempt.busy} onPress={() => void send()}>{words.board.assign}</Button>
          </div>
        </>
      )}
    </section>
  );
}

/** How many go where, and how many nobody or several should have. */
function Each({ rows, found }: { rows: CaseRow[]; found: Map<string, Suggestion | null> }) {
  const words = useWords();
  const leads = rows.map((row) => found.get(row.case)?.leads ?? []);
  const clear = leads.filter((all) => all.length === 1);
  const several = leads.filter((all) => all.length > 1).length;
  const gaps = leads.length - clear.length - several;
  return (
    <>
      <p class="note">{words.responsible.each_counts(clear.length, new Set(clear.map((all) => all[0]?.unit)).size)}</p>
      {gaps + several > 0 && <p class="note note-warn">{words.responsible.left(gaps, several)}</p>}
    </>
  );
}
