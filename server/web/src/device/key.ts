// The device's key: P-256, made in the browser, which signs with it and gives it to nobody. Where the person has a PIN it
// lies sealed; once the PIN was right the browser holds it as one that can't be taken out.

import { base64, fromBase64 } from "./bytes";
import type { Database, SealedKey } from "./database";
import type { Vault } from "./pin";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };

async function make(vault: Vault | null): Promise<CryptoKeyPair | SealedKey> {
  const pair = await crypto.subtle.generateKey(ALGORITHM, vault !== null, ["sign", "verify"]);
  if (!vault) return pair;
  const secret = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
  return { publicKey: pair.publicKey, sealed: await vault.close(base64(secret)) };
}

/** The key of a store, made when there is none. */
export async function deviceKey(database: Database, vault: Vault | null): Promise<CryptoKeyPair> {
  const there = (await database.get("own", "key")) as CryptoKeyPair | SealedKey | undefined;
  const kept = there ?? (await make(vault));
  if (!there) await database.put("own", kept, "key");
  if ("privateKey" in kept) return kept;
  if (!vault) throw new Error("a sealed key and no PIN");
  const secret = fromBase64(await vault.read(kept.sealed));
  return { publicKey: kept.publicKey, privateKey: await crypto.subtle.importKey("pkcs8", secret, ALGORITHM, false, ["sign"]) };
}

/** The public key: an uncompressed point, 65 bytes. */
export async function publicKey(key: CryptoKeyPair): Promise<string> {
  return base64(new Uint8Array(await crypto.subtle.exportKey("raw", key.publicKey)));
}

/** ES256 over a message in base64, as r‖s. */
export async function sign(key: CryptoKeyPair, message: string): Promise<string> {
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key.privateKey, fromBase64(message));
  return base64(new Uint8Array(signature));
}
