// A PIN for somebody who had none: all that the store holds is sealed at once, in one transaction. The device's key can't be
// sealed any more, for the browser gives it to nobody.

import type { PersonRow } from "./database";
import type { Opened } from "./opened";
import { keepPerson } from "./people";
import { Vault, unfit } from "./pin";

export async function setPin({ database, rules }: Opened, row: PersonRow, pin: string): Promise<void> {
  const fault = unfit(pin);
  if (fault) throw fault;
  const { vault, lock } = await Vault.make(pin);
  await rules.alone(async () => {
    const [keys, rows, photos, drafts] = await Promise.all([
      database.getAllKeys("rows"),
      database.getAll("rows").then((rows) => Promise.all(rows.map((row) => vault.close(row)))),
      database.getAll("photos").then((all) => Promise.all(all.map(async (it) => ({ ...it, jpeg: await vault.closeBlob(it.jpeg) })))),
      database.getAll("drafts").then((all) => Promise.all(all.map(async (it) => ({ ...it, text: await vault.close(it.text) })))),
    ]);
    // The lock is kept before what it seals: what is not sealed yet is read all the same.
    await keepPerson({ ...row, lock });
    const change = database.transaction(["rows", "photos", "drafts", "pictures"], "readwrite", { durability: "strict" });
    keys.forEach((key, index) => void change.objectStore("rows").put(rows[index] ?? "", key));
    for (const photo of photos) void change.objectStore("photos").put(photo);
    for (const draft of drafts) void change.objectStore("drafts").put(draft);
    void change.objectStore("pictures").clear();
    await change.done;
  });
}
