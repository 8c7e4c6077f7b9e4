// The map: the areas' own boundaries and the cases, and nothing from any other host. It is fetched when it is shown.

import L from "leaflet";
import "leaflet/dist/leaflet.css";
import { useEffect, useRef } from "preact/hooks";
import type { CaseRow, CaseState, Id } from "../../device/contract";
import { caseAt } from "../../app/route";
import { useLanguage, useWords } from "../../app/settings";
import { useReference, type Area } from "../../case/reference";
import { said } from "../../words";
import { OPEN } from "./filter";

const COLOURS: Record<CaseState, string> = {
  reported: "#2b6cc4", filed: "#6a4fc4", assigned: "#d17a00", fixed: "#2f9e5a", checked: "#12795f",
  closed: "#7d8782", declined: "#a6aca8", duplicate: "#a6aca8", void: "#a6aca8",
};

interface Shown {
  rows: CaseRow[];
  /** The case to go to. */
  at: Id | null;
}

export function CaseMap({ rows, at }: Shown) {
  const words = useWords();
  const language = useLanguage();
  const box = useRef<HTMLDivElement>(null);
  const map = useRef<L.Map | null>(null);
  const areasLayer = useRef(L.layerGroup());
  const casesLayer = useRef(L.layerGroup());
  const reference = useReference(rows[0]?.log ?? null);
  const framed = useRef(false);
  const shown = useRef<Map<Id, L.CircleMarker>>(new Map());

  useEffect(() => {
    if (!box.current) return;
    const made = L.map(box.current, { preferCanvas: true, attributionControl: false, zoomSnap: 0.5, minZoom: 8, maxZoom: 19, zoomControl: true });
    made.setView([36.06, 120.38], 13);
    areasLayer.current.addTo(made);
    casesLayer.current.addTo(made);
    map.current = made;
    const resized = new ResizeObserver(() => made.invalidateSize());
    resized.observe(box.current);
    return () => {
      resized.disconnect();
      made.remove();
    };
  }, []);

  useEffect(() => {
    areasLayer.current.clearLayers();
    for (const area of reference.areas.values()) drawArea(area, said(area.name, language), areasLayer.current);
  }, [reference.areas, language]);

  useEffect(() => {
    casesLayer.current.clearLayers();
    shown.current = new Map();
    for (const row of [...rows].reverse()) {
      const marker = drawCase(row, at === row.case);
      if (!marker) continue;
      marker.on("click", () => (location.hash = caseAt(row.log, row.case)));
      marker.bindTooltip(`${row.number ?? row.short_code} · ${words.states[row.state]}${row.subject ? ` · ${row.subject}` : ""}`);
      marker.addTo(casesLayer.current);
      shown.current.set(row.case, marker);
    }
    const target = at ? shown.current.get(at) : null;
    if (target) map.current?.setView(target.getLatLng(), 16);
    else if (!framed.current) framed.current = frame(map.current, [...shown.current.values()]);
  }, [rows, at, language]);

  return (
    <>
      <div ref={box} class="map" role="region" aria-label={words.board.map_label} data-markers={rows.filter((row) => row.position).length} />
      <p class="map-key" aria-hidden="true">
        {OPEN.map((state) => <span key={state}><i style={{ background: COLOURS[state] }} />{words.states[state]}</span>)}
      </p>
    </>
  );
}

function frame(map: L.Map | null, markers: L.CircleMarker[]): boolean {
  if (!map || markers.length === 0) return false;
  map.fitBounds(L.latLngBounds(markers.map((marker) => marker.getLatLng())).pad(0.1), { maxZoom: 16 });
  return true;
}

function drawArea(area: Area, name: string, into: L.LayerGroup): void {
  const fine = area.level === "grid" || area.level === "community";
  const rings = area.boundary.map((polygon) => polygon.map((ring) => ring.map(([lon, lat]): [number, number] => [lat / 1e7, lon / 1e7])));
  const drawn = L.polygon(rings, {
    color: fine ? "#9aa39e" : "#0f5c4d",
    weight: fine ? 1 : area.level === "district" ? 3 : 2,
    fill: area.level === "grid",
    fillColor: "#0f5c4d",
    fillOpacity: 0.03,
    interactive: area.level === "grid",
  });
  if (area.level === "grid") drawn.bindTooltip(name, { sticky: true });
  drawn.addTo(into);
}

function drawCase(row: CaseRow, chosen: boolean): L.CircleMarker | null {
  if (!row.position) return null;
  return L.circleMarker([row.position.lat / 1e7, row.position.lon / 1e7], {
    radius: chosen ? 13 : 8,
    color: chosen ? "#000" : "#fff",
    weight: 2,
    fillColor: COLOURS[row.state],
    fillOpacity: 0.95,
  });
}
