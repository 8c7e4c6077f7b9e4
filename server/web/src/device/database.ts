// What stays in the browser: a database for each person, and one that says who there is.

import { type DBSchema, type IDBPDatabase, type IDBPTransaction, openDB } from "idb";
import type { DraftRecord, Hash, TakenPhoto } from "./contract";
import type { Lock } from "./pin";

/** A photo's bytes, and how it was taken. */
export interface KeptPhoto {
  sha256: Hash;
  jpeg: Blob;
  source: TakenPhoto["source"];
  taken: TakenPhoto["taken"];
}

export interface Own {
  /** The device's key: the browser signs with it and gives it to nobody. */
  key: CryptoKeyPair;
  /** Which tab has the store: another that still runs can't write any more. */
  holder: string;
}

interface PersonSchema extends DBSchema {
  rows: { key: [string, string]; value: string };
  photos: { key: Hash; value: KeptPhoto };
  drafts: { key: string; value: DraftRecord };
  own: { key: string; value: Own[keyof Own] };
  /** Other people's photos, small, as seen. */
  pictures: { key: string; value: Blob };
}

/** Somebody whose store is in this browser. */
export interface PersonRow {
  name: string;
  account: string | null;
  lock: Lock | null;
  unsent: number;
}

interface PeopleSchema extends DBSchema {
  people: { key: string; value: PersonRow };
}

export type Database = IDBPDatabase<PersonSchema>;
export type Stores = ("rows" | "photos" | "drafts" | "own" | "pictures")[];
export type Change = IDBPTransaction<PersonSchema, Stores, "readwrite">;

export const ALL: Stores = ["rows", "photos", "drafts", "own"];

export function openPerson(name: string): Promise<Database> {
  return openDB<PersonSchema>(`rectify person ${name}`, 1, {
    upgrade(database) {
      database.createObjectStore("rows");
      database.createObjectStore("photos", { keyPath: "sha256" });
      database.createObjectStore("drafts", { keyPath: "id" });
      database.createObjectStore("own");
      database.createObjectStore("pictures");
    },
  });
}

export function openPeople(): Promise<IDBPDatabase<PeopleSchema>> {
  return openDB<PeopleSchema>("rectify people", 1, {
    upgrade(database) {
      database.createObjectStore("people", { keyPath: "name" });
    },
  });
}

/** A change that is on the medium when it is done, and is not done where another tab has taken the store over. */
export async function change(database: Database, holder: string, write: (change: Change) => void): Promise<void> {
  const transaction = database.transaction(ALL, "readwrite", { durability: "strict" }) as unknown as Change;
  const done = transaction.done;
  try {
    if ((await transaction.objectStore("own").get("holder")) !== holder) throw new DOMException("another tab has it", "AbortError");
    write(transaction);
  } catch (error) {
    transaction.abort();
    await done.catch(() => undefined);
    throw error;
  }
  await done;
}
