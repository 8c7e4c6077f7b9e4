// The filters: each a part of the address.

import { useEffect, useState } from "preact/hooks";
import { useMe } from "../../app/device";
import { Button, Select } from "../../app/parts";
import { replace, useRoute } from "../../app/route";
import { useLanguage, useWords } from "../../app/settings";
import { useReference, type Area } from "../../case/reference";
import { said } from "../../words";
import { STATES, changed } from "./filter";

/** Letters typed are looked for after a pause. */
const PAUSE_MS = 300;

export function Filters() {
  const words = useWords();
  const language = useLanguage();
  const { query } = useRoute();
  const me = useMe();
  const log = query.get("log") ?? me.logs[0]?.log ?? null;
  const reference = useReference(log);
  const set = (name: string, value: string) => replace(changed(query, name, value));
  const any = { value: "", text: words.board.any };
  const depth = (area: Area): number => (area.parent ? 1 + depth(reference.areas.get(area.parent) ?? { ...area, parent: null }) : 0);
  const areas = inOrder([...reference.areas.values()]).map((area) => ({ value: area.id, text: `${"　".repeat(depth(area))}${said(area.name, language)}` }));
  const [open, setOpen] = useState(false);
  const filtered = ["text", "state", "category", "area", "unit", "waiting", "at"].some((name) => query.get(name));
  return (
    <div class={`filters ${open ? "" : "filters-few"}`} role="search" aria-label={words.nav.cases}>
      <Text value={query.get("text") ?? ""} onChange={(text) => set("text", text)} />
      <Button pressed={open} onPress={() => setOpen(!open)}>{words.board.filters}</Button>
      {me.logs.length > 1 && (
        <Select bare label={words.capture.log} value={query.get("log") ?? ""} of={[any, ...me.logs.map((it) => ({ value: it.log, text: said(it.name, language) }))]} onChange={(value) => set("log", value)} />
      )}
      <Select
        bare
        label={words.board.state}
        value={query.get("state") ?? "open"}
        of={[{ value: "open", text: words.board.open }, { value: "any", text: `${words.board.state}${words.colon}${words.board.any}` }, ...STATES.map((value) => ({ value, text: words.states[value] }))]}
        onChange={(value) => set("state", value === "open" ? "" : value)}
      />
      <Select
        bare
        label={words.board.category}
        value={query.get("category") ?? ""}
        of={[{ value: "", text: words.board.category }, ...(reference.catalogue?.categories ?? []).map((it) => ({ value: it.code, text: said(it.name, language) }))]}
        onChange={(value) => set("category", value)}
      />
      <Select bare label={words.board.area} value={query.get("area") ?? ""} of={[{ value: "", text: words.board.area }, ...areas]} onChange={(value) => set("area", value)} />
      <Select
        bare
        label={words.board.unit}
        value={query.get("unit") ?? ""}
        of={[{ value: "", text: words.board.unit }, ...[...reference.units.values()].map((it) => ({ value: it.id, text: said(it.name, language) }))]}
        onChange={(value) => set("unit", value)}
      />
      <Button pressed={Boolean(query.get("waiting"))} onPress={() => set("waiting", query.get("waiting") ? "" : "1")}>{words.board.only_waiting}</Button>
      {filtered && <Button look="bare" onPress={() => replace(`/cases${query.get("view") ? "?view=map" : ""}`)}>{words.board.clear}</Button>}
    </div>
  );
}

/** Parents before their children, each followed by its own. */
function inOrder(areas: Area[]): Area[] {
  const below = new Map<string | null, Area[]>();
  for (const area of areas) below.set(area.parent, [...(below.get(area.parent) ?? []), area]);
  const walk = (parent: string | null): Area[] => (below.get(parent) ?? []).flatMap((area) => [area, ...walk(area.id)]);
  return walk(null);
}

function Text({ value, onChange }: { value: string; onChange: (text: string) => void }) {
  const words = useWords();
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    if (typed === value) return;
    const wait = setTimeout(() => onChange(typed.trim()), PAUSE_MS);
    return () => clearTimeout(wait);
  }, [typed]);
  return <input class="input" type="search" aria-label={words.board.search} placeholder={words.board.search} value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />;
}
