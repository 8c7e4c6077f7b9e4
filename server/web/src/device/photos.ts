// Photos on this phone: kept before anything names them, shown from here or from the server.

import type { DraftRecord, Hash, TakenPhoto } from "./contract";
import type { KeptPhoto } from "./database";
import { drafts } from "./drafts";
import type { Opened } from "./opened";
import { storageFull } from "./refusal";

/** Small pictures of others that are kept. */
const PICTURES_MAX = 400;
const JPEG = "image/jpeg";

/** What an op says of a photo. */
interface Claim {
  sha256: Hash;
  size: number;
  role: string;
  taken: { by: "camera" | "library"; wall_ms: number };
}

/** On the medium when it is done. */
export async function keepPhoto({ database, vault }: Opened, taken: TakenPhoto): Promise<void> {
  const photo = vault ? { ...taken, jpeg: await vault.closeBlob(taken.jpeg) } : taken;
  try {
    const transaction = database.transaction("photos", "readwrite", { durability: "strict" });
    await Promise.all([transaction.store.put(photo), transaction.done]);
  } catch (error) {
    throw error instanceof DOMException && error.name === "QuotaExceededError" ? storageFull() : error;
  }
}

/** A photo of this phone, as it was taken. */
export async function keptPhoto({ database, vault }: Opened, sha256: Hash): Promise<KeptPhoto | undefined> {
  const kept = await database.get("photos", sha256);
  return kept && vault ? { ...kept, jpeg: await vault.readBlob(kept.jpeg, JPEG) } : kept;
}

/** The claims of a draft's photos. */
export async function claims(opened: Opened, draft: DraftRecord): Promise<Claim[]> {
  const found: Claim[] = [];
  for (const { sha256, role } of draft.photos) {
    const kept = await keptPhoto(opened, sha256);
    if (!kept) throw { code: "photos", zh: "照片不在本机，请重拍", en: "A photo is not on this phone: take it again" };
    const by = kept.source === "library" ? "library" : "camera";
    found.push({ sha256, size: kept.jpeg.size, role, taken: { by, wall_ms: kept.taken.wall_ms } });
  }
  return found;
}

/** Lets go of photos that neither a draft nor an op names: those of a draft that was dropped, or was never saved. */
export async function sweep(opened: Opened): Promise<void> {
  const { database, rules } = opened;
  const named = new Set((await drafts(opened)).flatMap((draft) => draft.photos.map((photo) => photo.sha256)));
  for (const sha256 of await database.getAllKeys("photos")) {
    if (!named.has(sha256) && !rules.ask<boolean>("holds_photo", sha256)) await database.delete("photos", sha256);
  }
}

/** An own photo, or what the server shows of it; null where it is not to be had now. */
export async function picture(opened: Opened, sha256: Hash, size: 320 | 1280 | "original"): Promise<Blob | null> {
  const own = await keptPhoto(opened, sha256);
  if (own) return own.jpeg;
  const name = `${sha256}/${size}`;
  const seen = await opened.database.get("pictures", name);
  if (seen) return opened.vault ? opened.vault.readBlob(seen, JPEG) : seen;
  try {
    const answer = await opened.transport.ask("GET", `/v1/photos/${name}`, opened.tokens.bearer());
    const blob = await answer.blob();
    if (size === 320) await keepPicture(opened, name, blob);
    return blob;
  } catch {
    // No network, no permission, not there yet: a picture is missing, and nothing else.
    return null;
  }
}

async function keepPicture({ database, vault }: Opened, name: string, picture: Blob): Promise<void> {
  const blob = vault ? await vault.closeBlob(picture) : picture;
  const store = database.transaction("pictures", "readwrite").store;
  if ((await store.count()) >= PICTURES_MAX) await store.clear();
  await store.put(blob, name);
}
