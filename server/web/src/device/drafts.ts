// Drafts as they lie on this phone: sealed where the person has a PIN.

import type { DraftRecord } from "./contract";
import type { Opened } from "./opened";

let turn: Promise<unknown> = Promise.resolve();

/** On the medium when it is done; one after the other, for sealing takes its own time. */
export function keepDraft(opened: Opened, draft: DraftRecord): Promise<void> {
  const mine = turn.then(() => keep(opened, draft));
  turn = mine.catch(() => undefined);
  return mine;
}

/** What was to be kept is: nothing of it comes back behind what ends a draft. */
export function draftsKept(): Promise<unknown> {
  return turn;
}

async function keep({ database, vault }: Opened, draft: DraftRecord): Promise<void> {
  const plain = JSON.stringify(draft);
  const text = vault ? await vault.close(plain) : plain;
  const change = database.transaction("drafts", "readwrite", { durability: "strict" });
  await Promise.all([change.store.put({ id: draft.id, text }), change.done]);
}

/** The newest first. */
export async function drafts({ database, vault }: Opened): Promise<DraftRecord[]> {
  const kept = await database.getAll("drafts");
  const texts = await Promise.all(kept.map(({ text }) => (vault ? vault.read(text) : text)));
  const drafts = texts.map((text) => JSON.parse(text) as DraftRecord);
  return drafts.sort((one, other) => other.changed_ms - one.changed_ms);
}
