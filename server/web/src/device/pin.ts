// What a PIN protects: the person's tokens, so that nobody acts as somebody else on a shared phone. They are sealed with
// a random key (AES-GCM), and that key with the PIN (PBKDF2). A PIN is short: it stops whoever holds the phone, not
// whoever copies the browser's files and has days. Cases, photos and the queue lie in the browser's database unsealed.

import { base64, fromBase64, random } from "./bytes";
import type { Refusal } from "./contract";
import { refuse } from "./refusal";

const ROUNDS = 600_000;
const CHARACTERS_MIN = 4;
const CHARACTERS_MAX = 64;
/** Wrong PINs that cost nothing; the wait after the next one is doubled by each after it. */
const FREE = 4;
const FIRST_WAIT_MS = 30_000;
const LONGEST_WAIT_MS = 3_600_000;

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

async function seal(key: CryptoKey, plain: Uint8Array<ArrayBuffer>): Promise<string> {
  const iv = random(12);
  const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, plain));
  return `${base64(iv)}.${base64(sealed)}`;
}

async function unseal(key: CryptoKey, text: string): Promise<Uint8Array<ArrayBuffer>> {
  const [iv, sealed] = text.split(".").map(fromBase64);
  if (!iv || !sealed) throw new Error("not a sealed text");
  return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, sealed));
}

export function unfit(pin: string): Refusal | null {
  const characters = Array.from(pin);
  const same = characters.every((character) => character === characters[0]);
  if (characters.length >= CHARACTERS_MIN && characters.length <= CHARACTERS_MAX && !same) return null;
  return refuse("unfit_pin", "PIN 须为 4 到 64 个字符，且不能全部相同", "A PIN has 4 to 64 characters that are not all the same");
}

/** What seals a person's tokens, once the PIN was right. */
export class Vault {
  private constructor(private readonly key: CryptoKey) {}

  static async make(pin: string): Promise<{ vault: Vault; lock: Lock }> {
    const [bytes, salt] = [random(32), base64(random(16))];
    const sealed = await seal(await under(pin, salt, ROUNDS), bytes);
    return { vault: await Vault.of(bytes), lock: { salt, rounds: ROUNDS, sealed, failures: 0, retry_ms: 0 } };
  }

  private static async of(bytes: Uint8Array<ArrayBuffer>): Promise<Vault> {
    return new Vault(await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]));
  }

  /** Opens a lock; null where the PIN is another one. */
  static async open(lock: Lock, pin: string): Promise<Vault | null> {
    const key = await under(pin, lock.salt, lock.rounds);
    const bytes = await unseal(key, lock.sealed).catch(() => null);
    return bytes && Vault.of(bytes);
  }

  async close(text: string): Promise<string> {
    return `sealed:${await seal(this.key, new TextEncoder().encode(text))}`;
  }

  async read(text: string): Promise<string> {
    return text.startsWith("sealed:") ? new TextDecoder().decode(await unseal(this.key, text.slice(7))) : text;
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
