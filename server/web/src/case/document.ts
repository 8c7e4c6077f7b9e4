// The case document as the faces read it: the shape that the schema gives it.

import type { CaseState, Hash, Id } from "../device/contract";
import type { PositionE7 } from "./place";

export interface By {
  account: Id;
  op: Id;
  rev: number;
  received_ms: number;
}
export interface Sealed {
  sealed: Hash;
}
export interface Marked {
  by: By;
  reason: Sealed;
}
export interface StepDone extends By {
  code: string;
  note: Sealed | null;
}
export type EvidenceRole = "before" | "after" | "check" | "lookback" | "document";
export interface Evidence {
  sha256: Hash;
  role: EvidenceRole;
  by: By;
  late: boolean;
  verified_rev: number | null;
  flags: string[];
  withdrawn: Marked | null;
  waived: Marked | null;
}
export interface Held {
  value: unknown;
  rev: number;
  role: string | null;
}
export interface Conflict {
  field: string;
  winner: Held;
  loser: Held;
  loser_by: Id | null;
  rev: number;
}
export interface Clock {
  stage: string;
  timed: "unit" | "helper" | "case" | "office";
  unit?: Id;
  issued_rev: number;
  due: { at_ms: number; confidence: "exact" | "provisional" };
  course?: ({ turn: "pause"; from_ms: number; to_ms: number } | { turn: "extension" })[];
  running: { is: "running" | "paused" | "met" | "stopped"; by_phone?: boolean };
  overdue_rev?: number;
  appeal?: { decisions: { granted: boolean }[] };
}

export interface CaseDocument {
  id: Id;
  short_code: string;
  number: string | null;
  state: CaseState;
  catalogue: Hash | null;
  source: { channel: "patrol" | "hotline" | "leader" | "inspection" | "survey"; number?: string };
  area: Id;
  fields: Record<string, Held>;
  flags: string[];
  reporter: By;
  evidence: Evidence[];
  comments: { by: By; text: Sealed }[];
  conflicts: Conflict[];
  filed: StepDone | null;
  /** Who had it before, oldest first. */
  predecessors?: { unit: Id; holder?: Id }[];
  assignment: { by: By; unit: Id; co_units: Id[]; holder: Id | null; note: Sealed | null; accepted: By | null; helped?: { unit: Id; by: By }[] } | null;
  fix: { by: By; note: Sealed | null } | null;
  check: StepDone | null;
  end: StepDone | null;
  duplicate_of: Id | null;
  duplicates: Id[];
  clocks?: Clock[];
  interim?: { stage: string; next_ms: number; asked_rev?: number; checks?: StepDone[] }[];
  suspended?: { by: By; until_ms: number; reason: Sealed };
  supervised?: { by: By; reason: Sealed };
  extension?: { by: By; request: Id; granted: unknown[] };
  urged?: number;
  /** Each time it was found to have come back after it was closed. */
  relapses?: { found: By; fixed_by?: Id; closed_with?: Id }[];
  returns: number;
  reworks: number;
  reopened: number;
  needs_audit: boolean;
  changed_ms: number;
}

export function valueOfField(document: CaseDocument, field: string): unknown {
  return document.fields[field]?.value ?? null;
}

export function kindOf(document: CaseDocument): { category: string; subtype: string } {
  return (valueOfField(document, "kind") as { category: string; subtype: string } | null) ?? { category: "", subtype: "" };
}

export function positionOf(document: CaseDocument): PositionE7 | null {
  return valueOfField(document, "position") as PositionE7 | null;
}

export function subjectOf(document: CaseDocument): string | null {
  return valueOfField(document, "subject") as string | null;
}

/** What still counts: neither withdrawn nor given up. */
export function standing(document: CaseDocument): Evidence[] {
  return document.evidence.filter((one) => !one.withdrawn && !one.waived);
}

export function isSealed(value: unknown): value is Sealed {
  return Boolean(value && typeof value === "object" && "sealed" in value);
}
