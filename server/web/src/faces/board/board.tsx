// The same cases as a list and as a map, by one filter; supervisors choose several and send them to a unit.

import { Suspense, lazy } from "preact/compat";
import { useEffect, useState } from "preact/hooks";
import type { CaseRow, Device, Filter } from "../../device/contract";
import { useChanges, useDevice, useLive, valueOf } from "../../app/device";
import { useRoles } from "../../app/face";
import { Button, Empty, Icon, Trouble, Waiting, useSeen } from "../../app/parts";
import { replace, useRoute } from "../../app/route";
import { useWords } from "../../app/settings";
import { useFix } from "../../case/place";
import { CaseCard } from "../../case/row";
import { Pulled } from "../phone/home";
import { Bulk } from "./bulk";
import { Filters } from "./filters";
import { changed, filterOf, type View } from "./filter";

const CaseMap = lazy(() => import("./map").then((found) => ({ default: found.CaseMap })));
/** Rows shown before more are asked for. */
const PAGE = 40;
/** Rows read at a time. */
const READ = 500;

/** All rows that fit: the map and the list are made of the same. */
async function all(device: Device, filter: Filter, part: (rows: CaseRow[]) => boolean): Promise<void> {
  let rows: CaseRow[] = [];
  let page = await device.list(filter, null, READ);
  for (;;) {
    rows = rows.concat(page);
    const last = page[page.length - 1];
    const goesOn = part(rows);
    if (!goesOn || page.length < READ || !last) return;
    page = await device.list(filter, { changed_ms: last.changed_ms, case: last.case }, READ);
  }
}

function useCases(filter: Filter): { rows: CaseRow[] | null; why: unknown } {
  const device = useDevice();
  const changes = useChanges(["cases"]);
  const [rows, setRows] = useState<CaseRow[] | null>(null);
  const [why, setWhy] = useState<unknown>(null);
  const key = JSON.stringify(filter);
  useEffect(() => {
    let gone = false;
    const wait = setTimeout(() => {
      all(device, filter, (rows) => {
        if (!gone) setRows(rows);
        return !gone;
      }).catch((why) => !gone && setWhy(why));
    }, changes === 0 ? 0 : 250);
    return () => {
      gone = true;
      clearTimeout(wait);
    };
  }, [device, key, changes]);
  return { rows, why };
}

export function Board() {
  const words = useWords();
  const { query } = useRoute();
  const roles = useRoles();
  const desk = useWide();
  const view: View = query.get("view") === "map" ? "map" : "list";
  const filter = filterOf(query);
  const { rows, why } = useCases(filter);
  const [chosen, setChosen] = useState<Set<string> | null>(null);
  const count = valueOf(useLive((device) => device.count(filter), ["cases"], [JSON.stringify(filter)]));
  const mayAssign = roles.has("supervisor");
  const toggle = (id: string) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  return (
    <div class="board">
      <Pulled />
      <Filters />
      <div class="row-wrap">
        <b class="grow number" data-found={count ?? undefined}>{count === null ? "" : words.board.found(count)}</b>
        {mayAssign && <a class="button button-bare" href="#/changes">{words.changes.title}</a>}
        {mayAssign && (
          <Button look="bare" pressed={chosen !== null} onPress={() => setChosen(chosen ? null : new Set())}>{chosen ? words.cancel : words.board.choose}</Button>
        )}
        {chosen && rows && <Button look="bare" onPress={() => setChosen(new Set(rows.map((row) => row.case)))}>{words.board.choose_all}</Button>}
        {!desk && (
          <Button onPress={() => replace(changed(query, "view", view === "list" ? "map" : ""))}>
            <Icon name={view === "list" ? "map" : "list"} />
            {view === "list" ? words.board.map : words.board.list}
          </Button>
        )}
      </div>
      {why ? <Trouble why={why} /> : null}
      {!rows ? <Waiting /> : rows.length === 0 ? <Empty icon="list">{words.board.empty}</Empty> : (
        <div class={desk ? "board-both" : undefined} style={desk ? { display: "grid", gap: "16px" } : undefined}>
          {(desk || view === "list") && <List key={JSON.stringify(filter)} rows={rows} chosen={chosen} onToggle={toggle} />}
          {(desk || view === "map") && (
            <div class="board-map">
              <Suspense fallback={<Waiting />}><CaseMap rows={rows} at={query.get("at")} /></Suspense>
            </div>
          )}
        </div>
      )}
      {chosen && chosen.size > 0 && rows && <Bulk rows={rows.filter((row) => chosen.has(row.case))} onDone={() => setChosen(null)} />}
    </div>
  );
}

function List({ rows, chosen, onToggle }: { rows: CaseRow[]; chosen: Set<string> | null; onToggle: (id: string) => void }) {
  const finding = useFix();
  const [shown, setShown] = useState(PAGE);
  const fix = finding.is === "here" ? finding.fix : null;
  return (
    <div class="stack">
      <ul class="cases" data-rows={rows.length}>
        {rows.slice(0, shown).map((row) => (
          <li key={row.case} class={chosen ? "case-with-tick" : undefined}>
            {chosen && (
              <label class="tick">
                <input type="checkbox" aria-label={row.number ?? row.short_code} checked={chosen.has(row.case)} onChange={() => onToggle(row.case)} />
              </label>
            )}
            <CaseCard row={row} from={fix} chosen={chosen?.has(row.case)} />
          </li>
        ))}
      </ul>
      {shown < rows.length && <More key={shown} onSeen={() => setShown(shown + PAGE)} />}
    </div>
  );
}

/** Comes into view at the list's end. */
function More({ onSeen }: { onSeen: () => void }) {
  const words = useWords();
  const [box, seen] = useSeen();
  useEffect(() => {
    if (seen) onSeen();
  }, [seen]);
  return <p class="waiting" ref={(it) => { box.current = it; }}><span class="only-heard">{words.loading}</span></p>;
}

const WIDE = "(min-width: 1000px)";

function useWide(): boolean {
  const [wide, setWide] = useState(() => matchMedia(WIDE).matches);
  useEffect(() => {
    const found = matchMedia(WIDE);
    const look = () => setWide(found.matches);
    found.addEventListener("change", look);
    return () => found.removeEventListener("change", look);
  }, []);
  return wide;
}
