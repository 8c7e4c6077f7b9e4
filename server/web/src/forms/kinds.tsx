// What each kind of step asks for. Whether it is allowed is never decided here: the device says what one can do.

import type { ComponentType } from "preact";
import type { DraftRecord, Id, Shown } from "../device/contract";
import type { CaseDocument, EvidenceRole } from "../case/document";
import { kindOf, standing } from "../case/document";
import { subtypeOf, type Reference } from "../case/reference";
import type { Words } from "../words";
import type { Drafting } from "./draft";
import { AddEvidence, Amend, Assign, Check, Close, Comment, Decline, File, LinkDuplicate, LookBack, Note, Nothing, PickPhoto, Reason, ReturnAssignment } from "./fields";
import { AppealOverdue, Decide, DecideAppeal, EndStage, InterimCheck, RequestExtension, SubmitFix, Suspend } from "./clocks";
import { changesOf } from "./changes";

export interface Filled {
  drafting: Drafting;
  document: CaseDocument;
  reference: Reference;
  log: Id;
}

interface Judged {
  draft: DraftRecord;
  document: CaseDocument;
  reference: Reference;
  words: Words;
}

export interface Form {
  Fields: ComponentType<Filled>;
  /** What its photos show; none if it takes no photos. */
  photos?: (document: CaseDocument) => EvidenceRole | null;
  /** How many photos of it closing will want. */
  needs?: (document: CaseDocument, reference: Reference) => number;
  /** Why it can't be sent yet. */
  fault?: (judged: Judged) => string | null;
  /** What it is about, where that is not the case itself. */
  entity?: (shown: Shown) => Id | undefined;
  /** The body, where it is not the draft's own. */
  body?: (draft: DraftRecord, document: CaseDocument) => Record<string, unknown>;
}

const inBody = (name: string) => ({ draft, words }: Judged) => (draft.body[name] ? null : words.form.needed);
const inValues = (name: string) => ({ draft, words }: Judged) => (draft.values[name] ? null : words.form.needed);
const both = (one: Form["fault"], other: Form["fault"]) => (judged: Judged) => one?.(judged) ?? other?.(judged) ?? null;
const decided = ({ draft, words }: Judged) => (typeof draft.body.grant === "boolean" ? null : words.form.needed);
const withPhoto = ({ draft, words }: Judged) => (draft.photos.length > 0 ? null : words.form.missing_photos(1));

function needed(role: "after" | "check") {
  return (document: CaseDocument, reference: Reference) => {
    const { category, subtype } = kindOf(document);
    const wanted = subtypeOf(reference.catalogue, category, subtype)?.evidence[role] ?? 0;
    return Math.max(0, wanted - standing(document).filter((one) => one.role === role).length);
  };
}

function addsAs(document: CaseDocument): EvidenceRole {
  if (document.state === "assigned") return "after";
  return document.state === "fixed" || document.state === "checked" ? "check" : "before";
}

export const FORMS: Record<string, Form> = {
  amend: {
    Fields: Amend,
    fault: ({ draft, document, words }) => (Object.keys(changesOf(draft, document)).length > 0 ? null : words.form.no_change),
    body: (draft, document) => ({ changes: changesOf(draft, document) }),
  },
  add_evidence: { Fields: AddEvidence, photos: addsAs, fault: withPhoto },
  comment: { Fields: Comment, fault: inValues("text") },
  file: { Fields: File, fault: inBody("condition") },
  decline: { Fields: Decline, fault: inBody("reason") },
  link_duplicate: { Fields: LinkDuplicate, fault: inBody("of") },
  unlink_duplicate: { Fields: Reason, fault: inValues("reason") },
  assign: { Fields: Assign, fault: inBody("unit") },
  accept: { Fields: Nothing },
  return_assignment: { Fields: ReturnAssignment, photos: () => "document", fault: inBody("reason") },
  submit_fix: { Fields: SubmitFix, photos: () => "after", needs: needed("after") },
  finish_help: { Fields: Note, photos: () => "after" },
  interim_check: { Fields: InterimCheck, photos: () => "check", fault: both(both(inBody("stage"), inBody("verdict")), withPhoto) },
  look_back: {
    Fields: LookBack,
    photos: () => "lookback",
    fault: both(inBody("verdict"), withPhoto),
    // The one that is due first; bad news is heard behind good.
    entity: ({ look_backs: tasks }) => (tasks.find((task) => task.results.length === 0 && !task.dropped) ?? tasks.filter((task) => !task.dropped).slice(-1)[0])?.id,
  },
  check: { Fields: Check, photos: () => "check", needs: needed("check"), fault: inBody("verdict") },
  close: { Fields: Close, fault: inBody("condition") },
  reopen: { Fields: Reason, photos: () => "before", fault: inValues("reason") },
  void: { Fields: Reason, fault: inValues("reason") },
  end_stage: { Fields: EndStage, photos: () => "document", fault: inBody("stage") },
  request_extension: { Fields: RequestExtension, fault: both(inBody("stage"), inValues("reason")) },
  decide_extension: {
    Fields: Decide,
    fault: decided,
    body: (draft, document) => ({ ...draft.body, request: document.extension?.request }),
  },
  suspend: { Fields: Suspend, fault: both(inBody("until_ms"), inValues("reason")) },
  resume: { Fields: Reason, fault: inValues("reason") },
  supervise: { Fields: Reason, fault: inValues("reason") },
  urge: { Fields: Note },
  appeal_overdue: { Fields: AppealOverdue, photos: () => "document", fault: both(inBody("stage"), inValues("reason")) },
  decide_appeal: { Fields: DecideAppeal, fault: both(inBody("stage"), decided) },
  withdraw_evidence: { Fields: PickPhoto, fault: both(inBody("photo"), inValues("reason")) },
  waive_evidence: { Fields: PickPhoto, fault: both(inBody("photo"), inValues("reason")) },
};
