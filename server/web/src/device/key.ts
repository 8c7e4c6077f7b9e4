// The device's key: P-256, made in the browser, which signs with it and gives it to nobody.

import { base64, fromBase64 } from "./bytes";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };

export function makeKey(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);
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
