// All that only this phone has, in one file, signed by its key: for somebody to carry to the server.

import { base64 } from "./bytes";
import { now } from "./clocks";
import type { Hash } from "./contract";
import type { Opened } from "./opened";

export async function unsent({ rules, tokens, database }: Opened): Promise<Blob> {
  const signatures: string[] = [];
  for (const message of rules.ask<string[]>("export", now())) signatures.push(await tokens.sign(message));
  rules.ask("export_signed", signatures);
  for (const { sha256 } of rules.ask<{ sha256: Hash }[]>("photos_to_send")) {
    const kept = await database.get("photos", sha256);
    // One that is gone was told to its owner already; the others are worth exporting.
    if (kept) rules.ask("export_photo", sha256, base64(new Uint8Array(await kept.jpeg.arrayBuffer())));
  }
  const signature = await tokens.sign(rules.ask("export_end", null));
  return new Blob([rules.ask<string>("export_end", signature)], { type: "application/x-ndjson" });
}
