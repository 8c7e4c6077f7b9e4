// Who a request comes from: the person's access token, or the device's key alone.

import type { Hash, Id } from "./contract";
import { sign } from "./key";
import type { Vault } from "./pin";
import type { Rules } from "./rules";

export interface Granted {
  access: string;
  access_expires_in_s: number;
  refresh: string;
  export_key?: string;
}

export class Tokens {
  constructor(
    private readonly rules: Rules,
    private readonly key: CryptoKeyPair,
    private readonly vault: Vault | null,
  ) {}

  private async read(which: 0 | 1): Promise<string> {
    const text = this.rules.ask<[string, string]>("tokens")[which];
    return this.vault ? this.vault.read(text) : text;
  }

  async bearer(): Promise<string> {
    return `Bearer ${await this.read(0)}`;
  }

  refresh(): Promise<string> {
    return this.read(1);
  }

  /** As they are to be kept. */
  async wrap(granted: Granted): Promise<Granted> {
    if (!this.vault) return granted;
    const [access, refresh] = [await this.vault.close(granted.access), await this.vault.close(granted.refresh)];
    return { ...granted, access, refresh };
  }

  async take(granted: Granted): Promise<void> {
    await this.rules.change("take_tokens", [await this.wrap(granted)]);
  }

  /** Of a phone that was shut out: what it holds it may still hand in. */
  byKey(device: Id): string {
    return `Device ${device}`;
  }

  async forPhoto(device: Id, photo: Hash): Promise<string> {
    return `Device ${device} ${await this.sign(this.rules.ask("photo_message", photo))}`;
  }

  sign(message: string): Promise<string> {
    return sign(this.key, message);
  }
}
