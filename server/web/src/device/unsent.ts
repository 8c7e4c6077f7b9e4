// All that only this phone has, in one file, signed by its key and sealed to the server: for somebody to carry there.

import { base64, fromBase64 } from "./bytes";
import { now } from "./clocks";
import type { Hash } from "./contract";
import type { Opened } from "./opened";
import { keptPhoto } from "./photos";

export async function unsent(opened: Opened): Promise<Blob> {
  const { rules, tokens } = opened;
  const signatures: string[] = [];
  for (const message of rules.ask<string[]>("export", now())) signatures.push(await tokens.sign(message));
  rules.ask("export_signed", signatures);
  for (const { sha256 } of rules.ask<{ sha256: Hash }[]>("photos_to_send")) {
    const kept = await keptPhoto(opened, sha256);
    // One that is gone was told to its owner already; the others are worth exporting.
    if (kept) rules.ask("export_photo", sha256, base64(new Uint8Array(await kept.jpeg.arrayBuffer())));
  }
  const signature = await tokens.sign(rules.ask("export_end", null));
  return new Blob([fromBase64(rules.ask<string>("export_end", signature))], { type: "application/octet-stream" });
}
