// The end of a phone that was shut out: once the server has all that only it held, the person's store is deleted, the key
// with it. A note stays, with the newest checkpoints that were verified. The note comes first: what is interrupted behind it
// goes on at the next start.

import { now } from "./clocks";
import type { Hash, Id, Me, Status, Wiped } from "./contract";
import { deletePerson, openPeople } from "./database";
import type { Opened } from "./opened";

/** True where the note is written: nothing of the store may be used from here on. */
export async function wipe(opened: Opened, me: Me): Promise<boolean> {
  const { rules, name } = opened;
  // Asked between two changes, and the store is closed before there can be another one.
  const checkpoints = await rules.alone(async () => {
    const { on_this_phone } = rules.ask<Status>("status");
    const unsent = rules.ask<{ sha256: Hash }[]>("photos_to_send").map((photo) => photo.sha256);
    const there = await opened.database.getAllKeys("photos");
    // One that is gone already can't be handed in.
    if (on_this_phone > 0 || unsent.some((sha256) => there.includes(sha256))) return null;
    const last = rules.ask<[Id, string][] | null>("last_checkpoints");
    if (last) opened.close();
    return last;
  });
  if (!checkpoints) return false;
  const change = (await openPeople()).transaction(["people", "wiped"], "readwrite", { durability: "strict" });
  const left = { device: me.device, name, server: me.server, wall_ms: now().wall_ms, checkpoints, done: false };
  await Promise.all([change.objectStore("wiped").put(left), change.objectStore("people").delete(name), change.done]);
  await goOn();
  return true;
}

/** Deletes what was to be deleted. */
export async function goOn(): Promise<void> {
  const people = await openPeople();
  for (const left of await people.getAll("wiped")) {
    if (left.done) continue;
    await deletePerson(left.name);
    await people.put("wiped", { ...left, done: true });
  }
}

export async function wiped(): Promise<Wiped[]> {
  const all = await (await openPeople()).getAll("wiped");
  return all.map(({ name, device, wall_ms }) => ({ name, device, wall_ms }));
}
