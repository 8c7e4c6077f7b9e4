// Where the person is: behind the `#`, so that every place opens without a network and filters stand in the address.

import { useOutside } from "./outside";

export interface Route {
  /** The parts between the slashes. */
  path: string[];
  query: URLSearchParams;
}

let known = "";
let route: Route = parse();

function parse(): Route {
  const [path = "", query = ""] = known.slice(1).split("?");
  return { path: path.split("/").filter(Boolean).map(decodeURIComponent), query: new URLSearchParams(query) };
}

function now(): Route {
  if (location.hash !== known) {
    known = location.hash;
    route = parse();
  }
  return route;
}

function listen(listener: () => void): () => void {
  window.addEventListener("hashchange", listener);
  return () => window.removeEventListener("hashchange", listener);
}

export function useRoute(): Route {
  return useOutside(listen, now);
}

export function go(to: string): void {
  location.hash = to;
}

/** Another place that the way back does not lead to. */
export function replace(to: string): void {
  history.replaceState(null, "", `#${to}`);
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}

export function back(): void {
  if (history.length > 1) history.back();
  else go("/");
}

export function caseAt(log: string, id: string): string {
  return `/case/${log}/${id}`;
}
