// A case in a list: its photo, what and where it is, how it stands.

import type { CaseRow } from "../device/contract";
import { StatePill } from "../app/parts";
import { caseAt } from "../app/route";
import { useLanguage, useWords } from "../app/settings";
import { ago, far } from "../words";
import { DuePill } from "./clocks";
import { CasePhoto } from "./photo";
import { metres, ofRow, type Fix } from "./place";
import { areaName, kindName, useReference } from "./reference";

export function CaseCard({ row, from, chosen }: { row: CaseRow; from?: Fix | null; chosen?: boolean }) {
  const words = useWords();
  const language = useLanguage();
  const reference = useReference(row.log);
  const away = from && row.position ? metres(from, ofRow(row.position)) : null;
  const title = kindName(reference.catalogue, row.category, row.subtype, language);
  return (
    <a class={`case ${chosen ? "case-chosen" : ""}`} href={`#${caseAt(row.log, row.case)}`} data-case={row.case}>
      <CasePhoto log={row.log} id={row.case} count={row.photos} />
      <span class="case-text">
        <b class="case-name">{row.subject ? `${title} · ${row.subject}` : title}</b>
        <span class="case-line cut">
          {away !== null && <b>{far(words, away)}</b>}
          <span class="cut">{areaName(reference, row.area, language)}</span>
        </span>
        <span class="case-line">
          <StatePill state={row.state} />
          {row.due && <DuePill due={row.due} reference={reference} category={row.category} subtype={row.subtype} />}
          {row.waiting > 0 && <span class="pill state" style={{ "--tone": "var(--warn)", "--tone-soft": "var(--warn-soft)" }}>{words.tasks.waiting}</span>}
          {row.conflicts > 0 && <span class="pill state" style={{ "--tone": "var(--bad)", "--tone-soft": "var(--bad-soft)" }}>{words.board.conflicts}</span>}
        </span>
        <span class="case-line number">
          <span>{row.number ?? row.short_code}</span>
          <span>{ago(words, row.changed_ms, Date.now())}</span>
          {row.photos > row.photos_received && <span>{words.chain.photos(row.photos_received, row.photos)}</span>}
        </span>
      </span>
    </a>
  );
}
