// Who has a store in this browser, and the tab that has it open.

import { randomId } from "./bytes";
import type { Person } from "./contract";
import { type Database, type PersonRow, openPeople, openPerson } from "./database";
import { Vault, pinLater, waitMs, wrongPin } from "./pin";
import { refuse } from "./refusal";

export async function people(): Promise<Person[]> {
  const rows = await (await openPeople()).getAll("people");
  return rows.map(({ name, account, lock, unsent }) => ({ name, account, unsent, locked: lock !== null }));
}

export async function person(name: string): Promise<PersonRow | null> {
  return (await (await openPeople()).get("people", name)) ?? null;
}

export async function keepPerson(row: PersonRow): Promise<void> {
  await (await openPeople()).put("people", row);
}

/** Opens what a PIN protects. A try is counted before the PIN is looked at. */
export async function unlock(row: PersonRow, pin: string | null): Promise<Vault | null> {
  if (!row.lock) return null;
  const left_ms = row.lock.retry_ms - Date.now();
  // A wait that is longer than any comes from a clock that was set back.
  if (left_ms > 0 && left_ms <= waitMs(Number.MAX_SAFE_INTEGER)) throw pinLater(left_ms);
  const failures = row.lock.failures + 1;
  await keepPerson({ ...row, lock: { ...row.lock, failures, retry_ms: Date.now() + waitMs(failures) } });
  const vault = await Vault.open(row.lock, pin ?? "");
  if (!vault) throw wrongPin();
  await keepPerson({ ...row, lock: { ...row.lock, failures: 0, retry_ms: 0 } });
  return vault;
}

/** A person's database, with this tab as the one that writes: an older one that still runs gives way. */
export async function take(name: string): Promise<{ database: Database; holder: string }> {
  if (!/^[\p{L}\p{N}_-]{1,32}$/u.test(name)) throw refuse("unfit_name", "名称须为 1 到 32 个字母、数字、- 或 _", "A name here has 1 to 32 letters, digits, - or _");
  const database = await openPerson(name);
  const holder = randomId();
  await database.put("own", holder, "holder");
  return { database, holder };
}
