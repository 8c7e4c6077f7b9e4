// In which order steps are offered: what moves a case on comes first, what ends it against its course comes last.

import { standing, type CaseDocument } from "../case/document";

const ORDER = [
  "file", "assign", "accept", "submit_fix", "check", "close",
  "end_stage", "finish_help", "interim_check", "look_back", "add_evidence", "comment", "request_extension", "decide_extension", "appeal_overdue", "decide_appeal", "urge", "supervise", "resume",
  "amend", "suspend", "decline", "return_assignment", "link_duplicate", "unlink_duplicate",
  "reopen", "withdraw_evidence", "waive_evidence", "void",
];
const LEADS = 6;

/** Below 10 for a step that moves a case on. */
export function orderOf(kind: string): number {
  const place = ORDER.indexOf(kind);
  return place < LEADS ? place : place + 10;
}

/** The steps that have a form here and something to be about, most wanted first. */
export function stepsFor(can: string[], document: CaseDocument): string[] {
  const withdrawable = standing(document).length > 0;
  const waivable = standing(document).some((one) => one.verified_rev === null);
  return ORDER.filter((kind) => can.includes(kind))
    .filter((kind) => kind !== "withdraw_evidence" || withdrawable)
    .filter((kind) => kind !== "waive_evidence" || waivable);
}
