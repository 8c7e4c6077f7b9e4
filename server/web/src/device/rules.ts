// The rules, compiled from sync-core. A call may change rows; they are on the medium before it is said to be done.

import start, { Rules as Compiled } from "../../generated/rules";
import compiled from "../../generated/rules_bg.wasm?url";
import { random } from "./bytes";
import { type Change, type Database, change } from "./database";
import type { Vault } from "./pin";
import { otherTab, refusalFrom, storageFull } from "./refusal";

let loaded: Promise<unknown> | null = null;

/** Fetches and compiles them, once; what failed is tried again when they are asked for next. */
export function load(): Promise<unknown> {
  loaded ??= start({ module_or_path: compiled }).catch((why: unknown) => {
    loaded = null;
    throw why;
  });
  return loaded;
}

type Saved = [table: string, key: string, row: string | null][];

export class Rules {
  private turn: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly rules: Compiled,
    private readonly database: Database,
    private readonly holder: string,
    private readonly vault: Vault | null,
    private readonly changed: () => void,
  ) {}

  /** Reads in what was saved. */
  static async open(database: Database, holder: string, vault: Vault | null, changed: () => void): Promise<Rules> {
    await load();
    const rules = new Compiled(random);
    const [keys, kept] = await Promise.all([database.getAllKeys("rows"), database.getAll("rows")]);
    const rows = vault ? await Promise.all(kept.map((row) => vault.read(row))) : kept;
    const some: string[] = [];
    const take = () => rules.load(`[${some.splice(0).join(",")}]`);
    keys.forEach(([table], index) => {
      if (some.push(`[${JSON.stringify(table)},${rows[index]}]`) >= 500) take();
    });
    take();
    return new Rules(rules, database, holder, vault, changed);
  }

  /** Asks; nothing is changed by it. */
  ask<T>(name: string, ...input: unknown[]): T {
    try {
      return JSON.parse(this.rules.call(name, JSON.stringify(input))) as T;
    } catch (thrown) {
      throw refusalFrom(thrown);
    }
  }

  /** Changes rows, and with them what else `also` writes: all of it or nothing, one after the other. */
  change<T>(name: string, input: unknown[], also?: (change: Change, result: T) => void): Promise<T> {
    return this.alone(async () => {
      const result = this.ask<T>(name, ...input);
      await this.save((change) => also?.(change, result), also !== undefined);
      return result;
    });
  }

  /** Between two changes. */
  alone<T>(what: () => Promise<T>): Promise<T> {
    const mine = this.turn.then(what);
    this.turn = mine.catch(() => undefined);
    return mine;
  }

  private async save(also: (change: Change) => void, always: boolean): Promise<void> {
    const rows = JSON.parse(this.rules.changes()) as Saved;
    if (rows.length === 0 && !always) return;
    try {
      // Before the transaction: it would not wait for this.
      const { vault } = this;
      if (vault) await Promise.all(rows.map(async (row) => { if (row[2] !== null) row[2] = await vault.close(row[2]); }));
      await change(this.database, this.holder, (change) => {
        const store = change.objectStore("rows");
        for (const [table, key, row] of rows) {
          if (row === null) void store.delete([table, key]);
          else void store.put(row, [table, key]);
        }
        also(change);
      });
    } catch (error) {
      this.rules.undo();
      const name = error instanceof DOMException ? error.name : "";
      throw name === "QuotaExceededError" ? storageFull() : name === "AbortError" ? otherTab() : refusalFrom(error);
    }
    this.rules.saved();
    this.changed();
  }
}
