// The device of this page, made once when the page starts.

import type { Device } from "./contract";
import { PageDevice } from "./device";
import { load } from "./rules";
import { goOn } from "./wipe";

export async function start(): Promise<Device> {
  // The first screen needs no rules: they come meanwhile. Whoever opens a store is told where they do not.
  load().catch(() => undefined);
  await goOn();
  return new PageDevice();
}
