// What a PIN protects: all that a person's store holds, the device's key first. It is sealed with a random key (AES-GCM),
// and that key with the PIN (PBKDF2). A PIN is short: it stops whoever holds the phone, not whoever copies the browser's
// files and has days.

import { base64, fromBase64, random } from "./bytes";
import type { Refusal } from "./contract";
import { refuse } from "./refusal";

const ROUNDS = 600_000;
export const CHARACTERS_MIN = 6;
const CHARACTERS_MAX = 64;
/** Wrong PINs that cost nothing; the wait after the next one is doubled by each after it. */
const FREE = 4;
const FIRST_WAIT_MS = 30_000;
const LONGEST_WAIT_MS = 3_600_000;
const NONCE_BYTES = 12;
const SEALED_TYPE = "application/x-sealed";
/** How a sealed text begins. */
const SEALED = "sealed:";

/** The person's key under the PIN, and how many tries were wrong. */
export interface Lock {
  salt: string;
  rounds: number;
  sealed: string;
  failures: number;
  retry_ms: number;
}

async function under(pin: string, salt: string, rounds: number): Promise<CryptoKey> {
  const secret = await crypto.subtle.importKey("raw", new TextEncoder().encode(pin), "PBKDF2", false, ["deriveKey"]);
  const stretched = { name: "PBKDF2", hash: "SHA-256", salt: fromBase64(salt), iterations: rounds };
  return crypto.subtle.deriveKey(stretched, secret, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

/** The nonce, then what it sealed. */
async function seal(key: CryptoKey, plain: BufferSource): Promise<Uint8Array<ArrayBuffer>> {
  const iv = random(NONCE_BYTES);
  const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, plain));
  const both = new Uint8Array(iv.length + sealed.length);
  both.set(iv);
  both.set(sealed, iv.length);
  return both;
}

function unseal(key: CryptoKey, both: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> {
  return crypto.subtle.decrypt({ name: "AES-GCM", iv: both.subarray(0, NONCE_BYTES) }, key, both.subarray(NONCE_BYTES));
}

export function unfit(pin: string): Refusal | null {
  const characters = Array.from(pin);
  const same = characters.every((character) => character === characters[0]);
  if (characters.length >= CHARACTERS_MIN && characters.length <= CHARACTERS_MAX && !same) return null;
  return refuse("unfit_pin", "PIN 须为 6 到 64 个字符，且不能全部相同", "A PIN has 6 to 64 characters that are not all the same");
}

/** What seals a person's store, once the PIN was right. */
export class Vault {
  private constructor(private readonly key: CryptoKey) {}

  static async make(pin: string): Promise<{ vault: Vault; lock: Lock }> {
    const [bytes, salt] = [random(32), base64(random(16))];
    const sealed = base64(await seal(await under(pin, salt, ROUNDS), bytes));
    return { vault: await Vault.of(bytes), lock: { salt, rounds: ROUNDS, sealed, failures: 0, retry_ms: 0 } };
  }

  private static async of(bytes: Uint8Array<ArrayBuffer>): Promise<Vault> {
    return new Vault(await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]));
  }

  /** Opens a lock; null where the PIN is another one. */
  static async open(lock: Lock, pin: string): Promise<Vault | null> {
    const key = await under(pin, lock.salt, lock.rounds);
    const bytes = await unseal(key, fromBase64(lock.sealed)).catch(() => null);
    return bytes && Vault.of(new Uint8Array(bytes));
  }

  async close(text: string): Promise<string> {
    return SEALED + base64(await seal(this.key, new TextEncoder().encode(text)));
  }

  async read(text: string): Promise<string> {
    if (!text.startsWith(SEALED)) return text;
    return new TextDecoder().decode(await unseal(this.key, fromBase64(text.slice(SEALED.length))));
  }

  async closeBlob(blob: Blob): Promise<Blob> {
    return new Blob([await seal(this.key, await blob.arrayBuffer())], { type: SEALED_TYPE });
  }

  async readBlob(blob: Blob, type: string): Promise<Blob> {
    if (blob.type !== SEALED_TYPE) return blob;
    return new Blob([await unseal(this.key, new Uint8Array(await blob.arrayBuffer()))], { type });
  }
}

/** How long a person must wait after so many wrong PINs. */
export function waitMs(failures: number): number {
  return failures <= FREE ? 0 : Math.min(FIRST_WAIT_MS * 2 ** Math.min(failures - FREE - 1, 10), LONGEST_WAIT_MS);
}

export const wrongPin = () => refuse("wrong_pin", "PIN 不正确；多次输错后每次都要等待更久", "The PIN is wrong; after some wrong ones each costs a longer wait");

export function pinLater(ms: number): Refusal {
  const seconds = Math.ceil(ms / 1000);
  return refuse("pin_later", `PIN 输错次数过多：请等待 ${seconds} 秒后重试`, `Too many wrong PINs: wait ${seconds} s and try again`);
}
