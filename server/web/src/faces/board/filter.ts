// What is looked for stands in the address: the list and the map read the same filter, and a link shows the same.

import type { CaseState, Filter } from "../../device/contract";

export const OPEN: CaseState[] = ["reported", "filed", "assigned", "fixed", "checked"];
export const STATES: CaseState[] = [...OPEN, "closed", "declined", "duplicate", "void"];

export type View = "list" | "map";

export function filterOf(query: URLSearchParams): Filter {
  const filter: Filter = {};
  const state = query.get("state") ?? "open";
  if (state === "open") filter.states = OPEN;
  else if (STATES.includes(state as CaseState)) filter.states = [state as CaseState];
  for (const name of ["log", "category", "area", "unit", "text"] as const) {
    const value = query.get(name);
    if (value) filter[name] = value;
  }
  if (query.get("waiting")) filter.waiting = true;
  // A case that is named is shown whatever its state.
  if (query.get("at")) delete filter.states;
  return filter;
}

export function changed(query: URLSearchParams, name: string, value: string): string {
  const next = new URLSearchParams(query);
  next.delete("at");
  if (value) next.set(name, value);
  else next.delete(name);
  return `/cases?${next.toString()}`;
}
