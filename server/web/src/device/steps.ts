// The steps of the session: each does what the rules say is next, and reports what came of it.

import { sha256 } from "./bytes";
import { now } from "./clocks";
import type { Change, Hash, Id } from "./contract";
import type { Opened } from "./opened";
import { keptPhoto } from "./photos";
import { isRefusal } from "./refusal";
import type { Rules } from "./rules";
import type { Granted, Tokens } from "./tokens";
import { CallError, type Transport } from "./transport";
import { upload } from "./upload";

export type Event = { event: string; [member: string]: unknown };
export type Effect = { effect: string; log?: Id; ops_max?: number; ms?: number };

interface ToSend {
  sha256: Hash;
  size: number;
  offset: number;
}

interface Answered {
  progress: { rows: number; decided: number };
  event: Event | null;
  why: string | null;
}

/** Photos in one question to the server. */
const OFFER_MAX = 200;

export class Steps {
  private readonly rules: Rules;
  private readonly transport: Transport;
  private readonly tokens: Tokens;
  private photos: ToSend[] = [];
  private handingIn = false;
  /** Something of the step under way succeeded. */
  advanced = false;

  constructor(
    private readonly opened: Opened,
    private readonly device: Id,
    private readonly tell: (change: Change) => void,
    private readonly heard: (error: CallError | null) => void,
  ) {
    this.rules = opened.rules;
    this.transport = opened.transport;
    this.tokens = opened.tokens;
  }

  perform(effect: Effect): Promise<Event> {
    switch (effect.effect) {
      case "sync":
        return this.sync(effect, false);
      case "deliver":
        return this.sync(effect, true);
      case "fetch_documents":
        return this.documents();
      case "offer_photos":
        return this.offer();
      case "send_photo":
        return this.sendPhoto();
      case "hand_in_photo":
        return this.handInPhoto();
      case "refresh_token":
        return this.refresh();
      default:
        throw new Error(`no step ${effect.effect}`);
    }
  }

  private failed(error: unknown): Event {
    if (!(error instanceof CallError)) throw error;
    this.heard(error);
    return this.rules.ask("failed", error.status, error.code, error.retry_after_ms, error.timed_out);
  }

  private later(): Event {
    return this.rules.ask("failed", null, null, null, false);
  }

  private async sync(effect: Effect, byKey: boolean): Promise<Event> {
    const message = await this.rules.change<string | null>("request", [effect.log, effect.ops_max, now()]);
    const body = this.rules.ask<string>("signed", message === null ? null : await this.tokens.sign(message));
    let answer: string;
    try {
      answer = await this.transport.sync(byKey ? this.tokens.byKey(this.device) : this.tokens.bearer(), body);
    } catch (error) {
      return this.failed(error);
    }
    this.heard(null);
    const taken = await this.take(answer);
    if (!taken?.event) return this.later();
    if (taken.progress.rows > 0 || taken.progress.decided > 0) this.tell({ what: "cases" });
    return taken.event;
  }

  /** Null for an answer that can't be used: it is asked for again. */
  private async take(answer: string): Promise<Answered | null> {
    for (const withRows of [true, false]) {
      try {
        return await this.rules.change<Answered>("answer", [answer, now(), withRows]);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        if (error.code === "answer") return null;
        // A full disk stops pulling, never sending.
        if (error.code !== "storage_full") throw error;
      }
    }
    return null;
  }

  private async refresh(): Promise<Event> {
    const refresh = this.tokens.refresh();
    try {
      await this.tokens.take(await this.transport.json<Granted>("POST", "/v1/token", null, { refresh }));
      return { event: "refreshed" };
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      if (error.code === "device_revoked") return { event: "revoked" };
      const final = error.status !== null && this.rules.ask<boolean>("refresh_failed", error.status);
      return final ? { event: "refresh_refused" } : this.failed(error);
    }
  }

  /** The districts that the person may work in by now. Not to learn of them stops nothing else. */
  private async learnLogs(): Promise<boolean> {
    try {
      const logs = await this.transport.json<unknown[]>("GET", "/v1/logs", this.tokens.bearer());
      await this.rules.change("take_logs", [logs]);
      return false;
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      return error.code === "device_revoked";
    }
  }

  private async documents(): Promise<Event> {
    if (await this.learnLogs()) return { event: "revoked" };
    for (const [log, hash] of this.rules.ask<[Id, Hash][]>("documents_to_fetch")) {
      try {
        const answer = await this.transport.ask("GET", `/v1/logs/${log}/documents/${hash}`, this.tokens.bearer());
        await this.rules.change("take_document", [hash, await answer.text(), now()]);
        this.advanced = true;
        this.tell({ what: "cases" });
      } catch (error) {
        if (isRefusal(error) && (error.code === "wrong_hash" || error.code === "storage_full")) return this.later();
        // Not for this account, or gone: the case shows without its names.
        if (error instanceof CallError && (error.status === 403 || error.status === 404)) continue;
        return this.failed(error);
      }
    }
    return { event: "documents" };
  }

  private async offer(): Promise<Event> {
    const photos = this.rules.ask<ToSend[]>("photos_to_offer").map((photo) => photo.sha256);
    for (let from = 0; from < photos.length; from += OFFER_MAX) {
      const some = photos.slice(from, from + OFFER_MAX);
      try {
        const answer = await this.transport.json<{ photos: unknown[] }>("POST", "/v1/photos/have", this.tokens.bearer(), { photos: some });
        if (answer.photos.length !== some.length) return this.later();
        for (const [index, photo] of some.entries()) await this.rules.change("photo_answer", [photo, answer.photos[index]]);
      } catch (error) {
        return this.failed(error);
      }
    }
    this.photos = this.rules.ask<ToSend[]>("photos_to_send");
    return { event: "offered", to_send: this.photos.length };
  }

  private handInPhoto(): Promise<Event> {
    if (!this.handingIn) this.photos = this.rules.ask<ToSend[]>("photos_to_send");
    this.handingIn = true;
    return this.sendPhoto();
  }

  private async sendPhoto(): Promise<Event> {
    const photo = this.photos[0];
    if (!photo) return { event: "photo_sent", more: false };
    const kept = await keptPhoto(this.opened, photo.sha256);
    if (!kept) return this.photoGone(photo);
    try {
      await this.send(photo, kept.jpeg);
    } catch (error) {
      return this.photoFailed(photo, kept.jpeg, error);
    }
    await this.rules.change("photo_answer", [photo.sha256, { state: "verified" }]);
    this.heard(null);
    this.photos.shift();
    return { event: "photo_sent", more: this.photos.length > 0 };
  }

  private async send({ sha256, size }: ToSend, jpeg: Blob): Promise<void> {
    const authorization = this.handingIn ? await this.tokens.forPhoto(this.device, sha256) : this.tokens.bearer();
    let noted: Promise<unknown> = Promise.resolve();
    const sent = (offset: number) => {
      this.advanced = true;
      noted = noted.then(() => this.rules.change("photo_answer", [sha256, { state: "partial", offset }]));
      this.tell({ what: "photo", sha256, sent: offset, size });
    };
    await upload({ sha256, jpeg, authorization, sent });
    await noted;
  }

  private async photoFailed(photo: ToSend, jpeg: Blob, error: unknown): Promise<Event> {
    if (!(error instanceof CallError) || error.status === null) return this.failed(error);
    const more = this.photos.length > 1;
    const event = this.rules.ask<Event | null>("photo_failed", error.status, error.code, more);
    if (event === null) return this.failed(error);
    // Either the way spoilt the bytes, or this phone's medium did: the second is for a person to know.
    if ((await sha256(jpeg)) !== photo.sha256) await this.rules.change("photo_gone", [photo.sha256, now()]);
    this.photos.shift();
    return event;
  }

  private async photoGone(photo: ToSend): Promise<Event> {
    await this.rules.change("photo_gone", [photo.sha256, now()]);
    this.photos.shift();
    return this.rules.ask<Event>("photo_failed", 404, null, this.photos.length > 0);
  }
}
