// Who a request comes from: the person's access token, or the device's key alone.

import type { Hash, Id } from "./contract";
import { sign } from "./key";
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
  ) {}

  private read(which: 0 | 1): string {
    return this.rules.ask<[string, string]>("tokens")[which];
  }

  bearer(): string {
    return `Bearer ${this.read(0)}`;
  }

  refresh(): string {
    return this.read(1);
  }

  async take(granted: Granted): Promise<void> {
    await this.rules.change("take_tokens", [granted]);
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
