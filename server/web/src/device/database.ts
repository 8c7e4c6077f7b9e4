// What stays in the browser: a database for each person, and one that says who there is.

import { type DBSchema, type IDBPDatabase, type IDBPTransaction, deleteDB, openDB } from "idb";
import type { Hash, Id, TakenPhoto } from "./contract";
import type { Lock } from "./pin";

/** A photo's bytes, and how it was taken. */
export interface KeptPhoto {
  sha256: Hash;
  jpeg: Blob;
  source: TakenPhoto["source"];
  taken: TakenPhoto["taken"];
}

/** The device's key where the person has a PIN: PKCS #8, sealed. */
export interface SealedKey {
  publicKey: CryptoKey;
  sealed: string;
}

export interface Own {
  /** The device's key: the browser signs with it and gives it to nobody. */
  key: CryptoKeyPair | SealedKey;
  /** Which tab has the store: another that still runs can't write any more. */
  holder: string;
}

/** A draft, as JSON that is sealed where the person has a PIN. */
export interface KeptDraft {
  id: string;
  text: string;
}

interface PersonSchema extends DBSchema {
  rows: { key: [string, string]; value: string };
  photos: { key: Hash; value: KeptPhoto };
  drafts: { key: string; value: KeptDraft };
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

/** What is left of a store that wiped itself, as a phone leaves it: the checkpoints make it a witness still. */
export interface WipedRow {
  device: Id;
  name: string;
  server: string;
  wall_ms: number;
  checkpoints: [Id, string][];
  /** Its database is gone; until then it is deleted again at each start. */
  done: boolean;
}

interface PeopleSchema extends DBSchema {
  people: { key: string; value: PersonRow };
  wiped: { key: Id; value: WipedRow };
}

export type Database = IDBPDatabase<PersonSchema>;
export type Stores = ("rows" | "photos" | "drafts" | "own" | "pictures")[];
export type Change = IDBPTransaction<PersonSchema, Stores, "readwrite">;

export const ALL: Stores = ["rows", "photos", "drafts", "own"];

const nameOf = (name: string) => `rectify person ${name}`;

export function openPerson(name: string): Promise<Database> {
  return openDB<PersonSchema>(nameOf(name), 1, {
    // Another tab deletes it: what is open must not hold it.
    blocking: (_now, _wanted, event) => (event.target as IDBDatabase).close(),
    upgrade(database) {
      database.createObjectStore("rows");
      database.createObjectStore("photos", { keyPath: "sha256" });
      database.createObjectStore("drafts", { keyPath: "id" });
      database.createObjectStore("own");
      database.createObjectStore("pictures");
    },
  });
}

export function deletePerson(name: string): Promise<void> {
  return deleteDB(nameOf(name));
}

export function openPeople(): Promise<IDBPDatabase<PeopleSchema>> {
  return openDB<PeopleSchema>("rectify people", 2, {
    upgrade(database, before) {
      if (before < 1) database.createObjectStore("people", { keyPath: "name" });
      database.createObjectStore("wiped", { keyPath: "device" });
    },
    blocking: (_now, _wanted, event) => (event.target as IDBDatabase).close(),
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
