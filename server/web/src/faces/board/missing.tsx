// Cases whose photo is known here and never came: oldest first, so that somebody asks whoever took it.

import type { CaseRow, Device } from "../../device/contract";
import { useLive } from "../../app/device";
import { Empty, Show } from "../../app/parts";
import { useWords } from "../../app/settings";
import { caseAt } from "../../app/route";
import { CaseCard } from "../../case/row";

const READ = 500;

async function missing(device: Device): Promise<CaseRow[]> {
  const found: CaseRow[] = [];
  let page = await device.list({}, null, READ);
  for (;;) {
    found.push(...page.filter((row) => row.photos_received < row.photos && row.waiting === 0));
    const last = page[page.length - 1];
    if (page.length < READ || !last) return found.sort((one, other) => one.changed_ms - other.changed_ms);
    page = await device.list({}, { changed_ms: last.changed_ms, case: last.case }, READ);
  }
}

export function Missing() {
  const words = useWords();
  const rows = useLive(missing, ["cases"], []);
  return (
    <Show loaded={rows}>
      {(rows) => rows.length === 0 ? <Empty icon="picture">{words.board.missing_empty}</Empty> : (
        <ul class="cases">
          {rows.map((row) => (
            <li key={row.case} class="stack" style={{ gap: "4px" }}>
              <CaseCard row={row} />
              <a class="button" href={`#${caseAt(row.log, row.case)}/do/waive_evidence`}>{words.board.waive}</a>
            </li>
          ))}
        </ul>
      )}
    </Show>
  );
}
