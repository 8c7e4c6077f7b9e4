// What the page's faces know of the device: its store, its key, its queue and its session with the server. Everything is
// answered from what is on this phone; nothing here waits for the network but `enrol`, `sync` and what says so.
//
// Ids are lower-case UUIDs, hashes 64 hex digits, times ms since 1970 UTC, positions WGS-84 in 1e-7 degrees.

export type Id = string;
export type Hash = string;
export type Language = "zh" | "en";

/** A text in both languages, as the catalogue and the areas have it. */
export interface Words {
  zh: string;
  en: string;
}

export type Role = "inspector" | "crew" | "supervisor" | "auditor" | "admin";

export type CaseState =
  | "reported"
  | "filed"
  | "assigned"
  | "fixed"
  | "checked"
  | "closed"
  | "declined"
  | "duplicate"
  | "void";

/** Somebody whose queue and key are on this phone. */
export interface Person {
  /** The folder of this person's store. */
  name: string;
  account: string | null;
  /** Opened by a PIN. */
  locked: boolean;
  unsent: number;
}

/** A store that wiped itself after the server had called its device revoked. */
export interface Wiped {
  name: string;
  device: Id;
  wall_ms: number;
}

/** A person's store, open. */
export interface Me {
  account: Id;
  login: string;
  server: string;
  device: Id;
  logs: Log[];
  /** What this person may do, by the log's own account entity, newest pulled. */
  grants: { log: Id; role: Role; area: Id | null; unit: Id | null }[];
}

export interface Log {
  log: Id;
  name: Words;
  zone: string;
  /** The first pull came to its end: lists are whole. */
  pulled: boolean;
  /** Its catalogue was written for a newer page than this one. */
  outdated: boolean;
  forked: boolean;
  durability: "backup" | "replica" | "local" | null;
}

/** Honest counts, from the tables, each time anew. */
export interface Status {
  /** Own ops that only this phone has. */
  on_this_phone: number;
  /** Decided by the server, effect not pulled yet. */
  received: number;
  /** Decided, kept until the log is durable up to them. */
  awaiting_durable: number;
  photos_to_send: number;
  photos_held: number;
  photos: number;
  attention: number;
  last_contact_ms: number | null;
  clock_offset_ms: number | null;
}

/** The connection, in three different words. */
export type Connection =
  | { is: "fine"; since_ms: number }
  | { is: "no_network"; since_ms: number }
  | { is: "server_silent"; since_ms: number }
  /** The login is not good any more: capturing goes on, a person must enrol again to send. */
  | { is: "paused"; since_ms: number }
  | { is: "revoked"; since_ms: number };

/** What this browser guarantees. */
export interface Storage {
  /** The browser promised not to clear it. */
  persistent: boolean;
  used_bytes: number;
  quota_bytes: number;
  /** Without the promise: unsent work should reach the server by then; null where there is none or nothing is unsent. */
  send_before_ms: number | null;
}

export interface Filter {
  log?: Id;
  states?: CaseState[];
  category?: string;
  area?: Id;
  reporter?: Id;
  unit?: Id;
  /** With own ops that the server's version does not hold yet. */
  waiting?: boolean;
  /** With a check in between that was asked for and not made. */
  interim?: boolean;
  /** That somebody must look at again by now. */
  look_back?: boolean;
  /** Part of a number, a short code, or a subject. */
  text?: string;
}

/** How a clock stands, as the rules say. */
export type Light = "in_time" | "due_soon" | "overdue" | "paused" | "met" | "met_late" | "stopped";

/** The running clock of a case that is due first. `estimate`: reckoned here, the server has not said yet. */
export interface Due {
  stage: string;
  timed: "unit" | "case" | "office";
  at_ms: number;
  confidence: "exact" | "provisional";
  estimate: boolean;
  light: Light;
}

export interface CaseRow {
  log: Id;
  case: Id;
  state: CaseState;
  short_code: string;
  number: string | null;
  category: string;
  subtype: string;
  subject: string | null;
  area: Id;
  unit: Id | null;
  reporter: Id;
  position: { lat: number; lon: number } | null;
  due: Due | null;
  changed_ms: number;
  photos: number;
  photos_received: number;
  conflicts: number;
  waiting: number;
}

export interface After {
  changed_ms: number;
  case: Id;
}

/** An own op on an entity, with what became of it or what this phone thinks will. */
export interface OwnStep {
  op: Id;
  kind: string;
  outcome: "accepted" | "accepted_with_conflict" | "rejected" | "parked" | null;
  second: string | null;
  estimate: unknown;
  waiting: boolean;
}

/** A case as shown: the server's version with own undecided ops over it. `document` is the case document of the schema. */
export interface Shown {
  log: Id;
  document: Record<string, any>;
  base_rev: number | null;
  own: OwnStep[];
  /** Of a case's clocks, in their order. */
  lights: Light[];
  /** Op kinds that this person may do on it now, as this phone thinks: by the same rules as the server's. */
  can: string[];
  /** Of a case that was closed: when somebody looks again, as far as this person may know. */
  look_backs: LookBackTask[];
}

/** Somebody must look again at a case that was closed. */
export interface LookBackTask {
  id: Id;
  nth: number;
  opens_ms: number;
  best_ms: number;
  due_ms: number;
  opened_rev?: number;
  overdue_rev?: number;
  results: { by: { account: Id; op: Id; rev: number; received_ms: number }; verdict: "held" | "relapsed"; note?: { sealed: Hash } }[];
  dropped?: unknown;
}

/** What a person should look at. */
export interface AttentionItem {
  id: number;
  trouble: string;
  log: Id | null;
  op: Id | null;
  entity: Id | null;
  detail: any;
  since_ms: number;
}

/** A photo as the shutter left it. `jpeg` is what is sent: sized by the catalogue, EXIF written, flagged as such. */
export interface TakenPhoto {
  sha256: Hash;
  jpeg: Blob;
  source: "camera" | "system_camera" | "library";
  taken: Captured;
}

export interface Captured {
  wall_ms: number;
  elapsed_ms: number;
  boot: string;
}

/** What is being made, saved at every step and offered again after a dead battery. */
export interface DraftRecord {
  id: string;
  log: Id | null;
  /** None for a report. */
  case: Id | null;
  kind: string;
  /** The op's body as it will be; the faces keep what they need under `page`. */
  body: Record<string, any>;
  /** Free texts and personal values by their path in the body: sealed when captured. */
  values: Record<string, string>;
  photos: { sha256: Hash; role: "before" | "after" | "check" | "lookback" | "document" }[];
  page: any;
  changed_ms: number;
}

/** The op is on this phone, safe: what the person is told. */
export interface Receipt {
  op: Id;
  entity: Id;
  short_code: string;
  estimate: unknown;
}

/** A refusal before anything was stored, with the sentence to show. */
export interface Refusal {
  code: string;
  zh: string;
  en: string;
}

/** A unit or person that a rule names, and why. `rule`: its number in the document. */
export interface Candidate {
  rule: number;
  unit: Id | null;
  person: Id | null;
  matter: "all" | "category" | "subtype";
  place: "everywhere" | "district" | "subdistrict" | "community" | "grid" | "line";
  named: Words | null;
}

/** Who should have a case. One leads; none is a gap; several are an overlap, and a person chooses. */
export interface Suggestion {
  leads: Candidate[];
  wider: Candidate[];
  helpers: Candidate[];
  persons: Candidate[];
}

export interface NearCase extends CaseRow {
  /** By the subject, or by the distance. */
  by: "subject" | "distance";
  distance_m: number | null;
}

export interface ParkedOp {
  log: Id;
  op: Id;
  entity: Id;
  kind: string;
  code: string;
  received_ms: number;
  actor: Id;
}

/** What became of a file of unsent work. */
export interface TakenIn {
  name: string;
  accepted: number;
  rejected: number;
  parked: number;
  refused: number;
  photos: number;
}

export interface Device {
  // --- people on this phone ---
  people(): Promise<Person[]>;
  /** Whose stores have wiped themselves. */
  wiped(): Promise<Wiped[]>;
  /** Sets the open person's PIN, who had none: what the store holds is sealed with it. */
  setPin(pin: string): Promise<void>;
  /** Opens a person's store: everything below is this person's from here on. Throws a Refusal for a wrong PIN. */
  open(name: string, pin: string | null): Promise<Me>;
  /** Asks the server. `name` is the new person's folder; the code is scanned or typed; `server` is this page's origin. */
  enrol(name: string, code: string, label: string, pin: string | null): Promise<Me>;
  lock(): Promise<void>;
  me(): Me | null;

  // --- reading ---
  status(): Promise<Status>;
  storage(): Promise<Storage>;
  askForPersistence(): Promise<boolean>;
  list(filter: Filter, after: After | null, rows: number): Promise<CaseRow[]>;
  count(filter: Filter): Promise<number>;
  show(log: Id, entity: Id): Promise<Shown | null>;
  /** The clear text of a sealed value, where this person may read it and it is here. */
  value(sealed: Hash): Promise<string | null>;
  /** Areas, units, accounts' names: the documents of this kind that this phone holds. */
  entities(log: Id, kind: string): Promise<Record<string, any>[]>;
  catalogue(log: Id): Promise<{ hash: Hash; document: any } | null>;
  catalogueOf(hash: Hash): Promise<any | null>;
  /** The area document in force: GeoJSON-like, with boundaries. */
  areas(log: Id): Promise<any | null>;
  logAt(position: { lat: number; lon: number }): Promise<Id | null>;
  /** Cases that may be the same problem, by subject first. */
  near(log: Id, category: string, subtype: string, subject: string | null, position: { lat: number; lon: number }): Promise<NearCase[]>;
  /** Who should have each of some cases of a district, in their order; null where it is not known. */
  suggestions(log: Id, cases: Id[]): Promise<(Suggestion | null)[] | null>;
  attention(): Promise<AttentionItem[]>;
  settle(item: number): Promise<void>;
  /** An own photo's bytes, or a 320 px or 1280 px version from the server (cached when seen); null if not to be had now. */
  photo(log: Id, sha256: Hash, size: 320 | 1280 | "original"): Promise<Blob | null>;

  // --- making ---
  /** Writes the photo to disk before it answers. */
  keepPhoto(photo: TakenPhoto): Promise<void>;
  saveDraft(draft: DraftRecord): Promise<void>;
  drafts(): Promise<DraftRecord[]>;
  dropDraft(id: string): Promise<void>;
  /** Ends a draft as an op, in one transaction with its photos. Throws a Refusal. */
  capture(draft: DraftRecord): Promise<Receipt>;
  /** An op on many cases, each with its body. */
  captureMany(cases: { log: Id; case: Id; body: Record<string, any> }[], kind: string): Promise<Receipt[]>;
  exportUnsent(): Promise<Blob>;

  // --- the session with the server ---
  connection(): Connection;
  /** Wakes the session; answers at once. It goes on by itself, with back-off, on `online`, on a push from the server. */
  sync(): void;
  /** Called after anything changed: own ops, pulled versions, connection, photos on their way. */
  subscribe(changed: (what: Change) => void): () => void;

  // --- what only the server knows ---
  entries(log: Id, entity: Id, after: number): Promise<{ entries: any[]; next: number | null }>;
  /** Who had to hear of a case, newest first; for those who oversee it. */
  notices(log: Id, entity: Id): Promise<NoticeRow[]>;
  /** Tells the server that this person opened a case: now, or when there is a network. */
  noteOpened(log: Id, entity: Id): void;
  /** Where this person's browser opens the rectification order of a case, within a minute. */
  order(log: Id, entity: Id): Promise<string>;
  pushState(): Promise<PushState>;
  /** Asks the browser for leave, and the server to tell this person here; or no more. */
  push(on: boolean): Promise<void>;
  parked(log: Id, after: number): Promise<{ parked: ParkedOp[]; next: number | null }>;
  /** Hands in a file that somebody carried from a phone without a network. */
  takeIn(file: Blob): Promise<TakenIn>;
  /** A request with this person's token to one of the admin routes; throws a Refusal from the problem document. */
  call(method: string, path: string, body?: unknown): Promise<any>;
}

/** Whether this browser is told: it can't, it may not, it is not, it is. */
export type PushState = "missing" | "denied" | "off" | "on";

export interface NoticeRow {
  op: Id;
  notice: { type: string; timestamp: string; data: { rev: number; level?: number; to: { step: "holder" | "unit" | "area" | "nobody"; accounts: { account: Id }[] } } };
  deliveries: { account?: Id; state: "waiting" | "sent" | "failed" | "held"; attempts: number; tried_ms?: number; answer?: string }[];
  hearers?: { account: Id; kept_ms?: number; opened_ms?: number }[];
}

export type Change =
  | { what: "cases" }
  | { what: "connection" }
  | { what: "status" }
  | { what: "photo"; sha256: Hash; sent: number; size: number }
  | { what: "shut_out" }
  | { what: "people" };
