// The device of this page: what the faces ask, answered from what is on this phone.

import { now } from "./clocks";
import type * as C from "./contract";
import { drafts, draftsKept, keepDraft } from "./drafts";
import { enrolPerson, openPerson, type Opened } from "./opened";
import { keepPerson, people, person } from "./people";
import { claims, keepPhoto, picture, sweep } from "./photos";
import { beTold, beToldNoMore, pushState } from "./push";
import { refuse } from "./refusal";
import { setPin } from "./reseal";
import { unsent } from "./unsent";
import { wipe, wiped } from "./wipe";

/** A browser that promises nothing may clear what was not used for so long. */
const CLEARED_AFTER_MS = 7 * 86_400_000;

/** How long an enrolment waits for the first pull. */
const FIRST_PULL_MS = 20_000;

type Position = { lat: number; lon: number };
const e7 = ({ lat, lon }: Position) => ({ lat_e7: lat, lon_e7: lon });

export class PageDevice implements C.Device {
  private opened: Opened | null = null;
  private who: C.Me | null = null;
  private readonly listeners = new Set<(what: C.Change) => void>();

  // --- people on this phone ---

  people = people;

  async open(name: string, pin: string | null): Promise<C.Me> {
    const row = await person(name);
    if (!row) throw refuse("no_person", `本机没有 ${name}`, `There is no ${name} on this phone`);
    await this.lock();
    return this.begin(await openPerson(row, pin, language, this.tell));
  }

  async enrol(name: string, code: string, label: string, pin: string | null): Promise<C.Me> {
    const row = (await person(name)) ?? { name, account: null, lock: null, unsent: 0 };
    await this.lock();
    const opened = await enrolPerson(row, code, label, pin, language, this.tell);
    // The first pull brings the catalogue. Without it everything works all the same.
    const patience = new Promise((resolve) => setTimeout(resolve, FIRST_PULL_MS));
    await Promise.race([opened.session?.settled, patience]);
    return this.begin(opened);
  }

  private async begin(opened: Opened): Promise<C.Me> {
    this.opened = opened;
    this.who = opened.me();
    await sweep(opened);
    this.tell({ what: "people" });
    if (!this.who) throw refuse("not_enrolled", "本机尚未登记", "This phone is not enrolled yet");
    return this.who;
  }

  async lock(): Promise<void> {
    const { opened } = this;
    if (!opened) return;
    const row = await person(opened.name);
    if (row) await keepPerson({ ...row, unsent: (await this.status()).on_this_phone });
    opened.close();
    this.opened = this.who = null;
    this.tell({ what: "people" });
  }

  /** What was delivered is not kept by a device that was shut out. What it still holds stays, and is tried again. */
  private async end(): Promise<void> {
    const { opened, who } = this;
    if (!opened || !who || !(await wipe(opened, who))) return;
    this.opened = this.who = null;
    this.tell({ what: "people" });
  }

  wiped = wiped;

  async setPin(pin: string): Promise<void> {
    const { name } = this.here;
    const row = await person(name);
    if (!row || row.lock) throw refuse("has_pin", "已经设过 PIN", "There is a PIN already");
    await setPin(this.here, row, pin);
    await this.lock();
    await this.open(name, pin);
  }

  me(): C.Me | null {
    return this.who;
  }

  private get here(): Opened {
    if (!this.opened) throw refuse("locked", "请先打开", "Nobody's store is open");
    return this.opened;
  }

  private ask<T>(name: string, ...input: unknown[]): Promise<T> {
    return Promise.resolve().then(() => this.here.rules.ask<T>(name, ...input));
  }

  // --- reading ---

  status(): Promise<C.Status> {
    return this.ask("status");
  }

  async storage(): Promise<C.Storage> {
    const { usage = 0, quota = 0 } = (await navigator.storage?.estimate?.()) ?? {};
    const persistent = (await navigator.storage?.persisted?.()) ?? false;
    const waits = this.opened && (await this.status()).on_this_phone > 0;
    const send_before_ms = persistent || !waits ? null : Date.now() + CLEARED_AFTER_MS;
    return { persistent, used_bytes: usage, quota_bytes: quota, send_before_ms };
  }

  async askForPersistence(): Promise<boolean> {
    return (await navigator.storage?.persist?.()) ?? false;
  }

  list(filter: C.Filter, after: C.After | null, rows: number): Promise<C.CaseRow[]> {
    return this.ask("list", filter, after, rows, now());
  }

  count(filter: C.Filter): Promise<number> {
    return this.ask("count", filter);
  }

  show(log: C.Id, entity: C.Id): Promise<C.Shown | null> {
    return this.ask("show", log, entity, now());
  }

  value(sealed: C.Hash): Promise<string | null> {
    return this.ask("value", sealed);
  }

  entities(log: C.Id, kind: string): Promise<Record<string, any>[]> {
    return this.ask("entities", log, kind);
  }

  catalogue(log: C.Id): Promise<{ hash: C.Hash; document: any } | null> {
    return this.ask("catalogue", log);
  }

  catalogueOf(hash: C.Hash): Promise<any | null> {
    return this.ask("document", hash);
  }

  areas(log: C.Id): Promise<any | null> {
    return this.ask("areas", log);
  }

  logAt(position: Position): Promise<C.Id | null> {
    return this.ask("log_at", e7(position));
  }

  near(log: C.Id, category: string, _subtype: string, subject: string | null, position: Position): Promise<C.NearCase[]> {
    return this.ask("near", log, category, subject, e7(position), now());
  }

  suggestions(log: C.Id, cases: C.Id[]): Promise<(C.Suggestion | null)[] | null> {
    return this.ask("suggestions", log, cases, now());
  }

  attention(): Promise<C.AttentionItem[]> {
    return this.ask("attention");
  }

  async settle(item: number): Promise<void> {
    await this.here.rules.change("settle", [item]);
  }

  async photo(_log: C.Id, sha256: C.Hash, size: 320 | 1280 | "original"): Promise<Blob | null> {
    return picture(this.here, sha256, size);
  }

  // --- making ---

  async keepPhoto(photo: C.TakenPhoto): Promise<void> {
    await keepPhoto(this.here, photo);
  }

  async saveDraft(draft: C.DraftRecord): Promise<void> {
    await keepDraft(this.here, draft);
    this.tell({ what: "status" });
  }

  async drafts(): Promise<C.DraftRecord[]> {
    return drafts(this.here);
  }

  async dropDraft(id: string): Promise<void> {
    await draftsKept();
    await this.here.database.delete("drafts", id);
    await sweep(this.here);
    this.tell({ what: "status" });
  }

  async capture(draft: C.DraftRecord): Promise<C.Receipt> {
    const opened = this.here;
    const { position } = draft.body;
    const log = draft.log ?? (position ? await this.ask<C.Id | null>("log_at", position) : null) ?? this.who?.logs[0]?.log;
    if (!log) throw refuse("unknown_log", "本机没有可用的区", "This phone has no district for it");
    const input = [log, draft.case, draft.kind, draft.body, draft.values, await claims(opened, draft), now()];
    await draftsKept();
    const receipt = await opened.rules.change<C.Receipt>("capture", input, (change) => {
      void change.objectStore("drafts").delete(draft.id);
    });
    this.tell({ what: "cases" });
    opened.session?.wake();
    return receipt;
  }

  async captureMany(cases: { log: C.Id; case: C.Id; body: Record<string, any> }[], kind: string): Promise<C.Receipt[]> {
    const receipts: C.Receipt[] = [];
    for (const one of cases) {
      receipts.push(await this.capture({ ...one, id: "", kind, values: {}, photos: [], page: null, changed_ms: 0 }));
    }
    return receipts;
  }

  async exportUnsent(): Promise<Blob> {
    return unsent(this.here);
  }

  // --- the session with the server ---

  connection(): C.Connection {
    return this.opened?.session?.connection() ?? { is: "fine", since_ms: 0 };
  }

  sync(): void {
    this.opened?.session?.wake();
  }

  subscribe(changed: (what: C.Change) => void): () => void {
    this.listeners.add(changed);
    return () => this.listeners.delete(changed);
  }

  private readonly tell = (change: C.Change): void => {
    // What was pulled may be what this person is allowed, and which districts there are.
    if (change.what === "cases" || change.what === "status") this.who = this.opened?.me() ?? this.who;
    if (change.what === "shut_out") void this.end().catch((error) => console.error(error));
    for (const listener of this.listeners) listener(change);
  };

  // --- what only the server knows ---

  entries(log: C.Id, entity: C.Id, after: number): Promise<{ entries: any[]; next: number | null }> {
    return this.call("GET", `/v1/logs/${log}/cases/${entity}/entries?after=${after}`);
  }

  async notices(log: C.Id, entity: C.Id): Promise<C.NoticeRow[]> {
    const all: C.NoticeRow[] = [];
    let before = "";
    for (;;) {
      const page: { notices: C.NoticeRow[]; next: number | null } = await this.call("GET", `/v1/logs/${log}/cases/${entity}/notices${before}`);
      all.push(...page.notices);
      if (page.next === null) return all;
      before = `?before=${page.next}`;
    }
  }

  async order(log: C.Id, entity: C.Id): Promise<string> {
    const { path }: { path: string } = await this.call("POST", `/v1/logs/${log}/cases/${entity}/notice`, {});
    return path;
  }

  private readonly asked = (method: string, path: string, body?: unknown) => this.call(method, path, body);

  pushState(): Promise<C.PushState> {
    return pushState(this.asked);
  }

  async push(on: boolean): Promise<void> {
    await (on ? beTold(this.asked) : beToldNoMore(this.asked));
    this.tell({ what: "people" });
  }

  noteOpened(log: C.Id, entity: C.Id): void {
    this.here.seen.add(`/v1/logs/${log}/cases/${entity}/opened`);
    void this.here.tellSeen();
  }

  async parked(log: C.Id, after: number): Promise<{ parked: C.ParkedOp[]; next: number | null }> {
    type Page = { parked: { op: C.Id; entity: C.Id; code: string; line: string | null }[]; next: number | null };
    const page: Page = await this.call("GET", `/v1/logs/${log}/parked?after=${after}`);
    const parked = page.parked.map(({ op, entity, code, line }) => {
      const { kind = "", actor = "", captured } = line ? JSON.parse(line) : {};
      return { log, op, entity, code, kind, actor, received_ms: captured?.wall_ms ?? 0 };
    });
    return { parked, next: page.next ?? null };
  }

  async takeIn(file: Blob): Promise<C.TakenIn> {
    return this.here.takeIn(file);
  }

  async call(method: string, path: string, body?: unknown): Promise<any> {
    return this.here.call(method, path, body);
  }
}

/** For the server's explanations. */
function language(): string {
  return document.documentElement.lang || "zh-CN";
}
