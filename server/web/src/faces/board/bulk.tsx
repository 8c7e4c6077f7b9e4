// Many cases to one unit, by one step each: what can't be assigned is told case by case.

import { useState } from "preact/hooks";
import type { CaseRow } from "../../device/contract";
import { useAttempt, useDevice } from "../../app/device";
import { Button, Refused } from "../../app/parts";
import { useWords } from "../../app/settings";
import { useReference } from "../../case/reference";
import { Units } from "../../forms/fields";

export function Bulk({ rows, onDone }: { rows: CaseRow[]; onDone: () => void }) {
  const words = useWords();
  const device = useDevice();
  const attempt = useAttempt();
  const reference = useReference(rows[0]?.log ?? null);
  const [open, setOpen] = useState(false);
  const [body, setBody] = useState<Record<string, any>>({});
  const send = async () => {
    const done = await attempt.run(() => device.captureMany(rows.map((row) => ({ log: row.log, case: row.case })), "assign", body));
    device.sync();
    if (done) onDone();
  };
  return (
    <section class="card stack" style={{ position: "sticky", bottom: "84px", zIndex: 5 }} aria-label={words.board.assign}>
      <div class="row">
        <b class="grow">{words.board.chosen(rows.length)}</b>
        {!open && <Button look="main" onPress={() => setOpen(true)}>{words.board.assign}</Button>}
      </div>
      {open && (
        <>
          <Units body={body} reference={reference} onChange={setBody} />
          <Refused attempt={attempt} />
          <div class="row">
            <Button look="bare" onPress={() => setOpen(false)}>{words.cancel}</Button>
            <Button look="main" disabled={!body.unit || attempt.busy} onPress={() => void send()}>{words.board.assign}</Button>
          </div>
        </>
      )}
    </section>
  );
}
