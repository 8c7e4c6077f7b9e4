// What a correction changes: each field against the value that its author was looking at.

import type { DraftRecord } from "../device/contract";
import { isSealed, valueOfField, type CaseDocument } from "../case/document";

export interface Change {
  was: unknown;
  to: unknown;
}

/** Wanted values by field name stand under `page.wanted`; sealed ones under `values`, by their path. */
export function changesOf(draft: DraftRecord, document: CaseDocument): Record<string, Change> {
  const changes: Record<string, Change> = {};
  const wanted = (draft.page?.wanted ?? {}) as Record<string, unknown>;
  for (const [field, to] of Object.entries(wanted)) {
    const was = valueOfField(document, field);
    if (!same(was, to)) changes[field] = { was, to };
  }
  for (const path of Object.keys(draft.values)) {
    const found = /^changes\.(.+)\.to$/.exec(path);
    // The device puts the seal where the text will be named.
    if (found?.[1]) changes[found[1]] = { was: valueOfField(document, found[1]), to: null };
  }
  return changes;
}

function same(one: unknown, other: unknown): boolean {
  if (isSealed(one) && isSealed(other)) return one.sealed === other.sealed;
  const ordered = (value: unknown) => JSON.stringify(value, value && typeof value === "object" ? Object.keys(value).sort() : undefined);
  return ordered(one ?? null) === ordered(other ?? null);
}
