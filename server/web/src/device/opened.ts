// A person's store, open in this tab: its rules, its key, its session with the server.

import { now } from "./clocks";
import type { Change, Me, TakenIn } from "./contract";
import type { Database, PersonRow } from "./database";
import { Events } from "./events";
import { deviceKey, publicKey } from "./key";
import { keepPerson, take, unlock } from "./people";
import { type Vault, Vault as Locks, unfit } from "./pin";
import { refuse } from "./refusal";
import { Rules } from "./rules";
import { Session } from "./session";
import { Steps } from "./steps";
import { type Granted, Tokens } from "./tokens";
import { CallError, Transport } from "./transport";

interface Enrolled {
  name: string;
  tokens: Granted;
}

type Tell = (change: Change) => void;

/** The store of somebody who is on this phone, or is to be. */
export class Opened {
  session: Session | null = null;
  /** What this person opened and the server does not know of yet. */
  readonly seen = new Set<string>();
  private events: Events | null = null;

  private constructor(
    readonly name: string,
    readonly database: Database,
    readonly rules: Rules,
    readonly tokens: Tokens,
    readonly transport: Transport,
    readonly vault: Vault | null,
    private readonly key: CryptoKeyPair,
    private readonly tell: Tell,
  ) {}

  static async open(row: PersonRow, vault: Vault | null, language: () => string, tell: Tell): Promise<Opened> {
    const { database, holder } = await take(row.name);
    const key = await deviceKey(database, vault);
    const rules = await Rules.open(database, holder, vault, () => tell({ what: "status" }));
    const transport = new Transport(location.origin, language);
    return new Opened(row.name, database, rules, new Tokens(rules, key), transport, vault, key, tell);
  }

  me(): Me | null {
    return this.rules.ask("me");
  }

  /** Makes this browser the person's device, by a code. Asked again after a lost answer, it is the same device. */
  async enrol(code: string, label: string): Promise<string> {
    const input = [await publicKey(this.key), location.origin, code, label, now()];
    const request = await this.rules.change("begin_enrolment", input);
    const enrolled = await this.transport.json<Enrolled>("POST", "/v1/enrol", null, request).catch(said);
    await this.rules.change("finish_enrolment", [enrolled]);
    return enrolled.name;
  }

  begin(): void {
    const me = this.me();
    if (!me) throw refuse("not_enrolled", "本机尚未登记", "This phone is not enrolled yet");
    const heard = (error: CallError | null) => this.session?.heard(error);
    const steps = new Steps(this, me.device, this.tell, heard);
    const stands = () => {
      void this.tellSeen();
      this.tell({ what: "connection" });
    };
    this.session = new Session(this.rules, steps, stands, () => this.tell({ what: "shut_out" }));
    this.session.begin();
    this.events = new Events(this.transport, this.tokens, () => this.me()?.logs.map((log) => log.log) ?? [], this.session.wake);
  }

  close(): void {
    this.session?.end();
    this.events?.end();
    this.database.close();
  }

  /** A request with this person's token. */
  call<T>(method: string, path: string, body?: unknown): Promise<T> {
    return this.twice((bearer) => this.transport.json<T>(method, path, bearer, body));
  }

  /** Without a network it is told when there is one. What the server refuses it does not want to know. */
  async tellSeen(): Promise<void> {
    if (this.session?.connection().is !== "fine") return;
    for (const path of this.seen) {
      this.seen.delete(path);
      await this.call("POST", path, {}).catch((why: { code?: string }) => {
        if (why.code === "unreachable" || why.code === "timed_out") this.seen.add(path);
      });
      if (this.seen.has(path)) return;
    }
  }

  takeIn(file: Blob): Promise<TakenIn> {
    return this.twice((bearer) => this.transport.handIn(bearer, file));
  }

  /** Where the token has ended, once more with a new one. */
  private async twice<T>(request: (bearer: string) => Promise<T>): Promise<T> {
    try {
      return await request(this.tokens.bearer());
    } catch (error) {
      if (!(error instanceof CallError) || error.status !== 401) return said(error);
    }
    const refresh = this.tokens.refresh();
    await this.tokens.take(await this.transport.json<Granted>("POST", "/v1/token", null, { refresh }).catch(said));
    return request(this.tokens.bearer()).catch(said);
  }
}

/** A failed call as the faces show it. */
export function said(error: unknown): never {
  throw error instanceof CallError ? error.refusal : error;
}

/** Opens somebody's store and begins its session. */
export async function openPerson(row: PersonRow, pin: string | null, language: () => string, tell: Tell): Promise<Opened> {
  const opened = await Opened.open(row, await unlock(row, pin), language, tell);
  opened.begin();
  return opened;
}

/** Enrols somebody new, or somebody whose login has ended. */
export async function enrolPerson(row: PersonRow, code: string, label: string, pin: string | null, language: () => string, tell: Tell): Promise<Opened> {
  const fault = row.lock || pin === null ? null : unfit(pin);
  if (fault) throw fault;
  const made = !row.lock && pin !== null ? await Locks.make(pin) : null;
  const vault = made ? made.vault : await unlock(row, pin);
  const opened = await Opened.open(row, vault, language, tell);
  const lock = made ? made.lock : row.lock;
  try {
    // The lock is kept before what it seals.
    if (made) await keepPerson({ ...row, lock });
    const account = await opened.enrol(code, label);
    await keepPerson({ ...row, lock, account });
    opened.begin();
    return opened;
  } catch (error) {
    opened.close();
    throw error;
  }
}
