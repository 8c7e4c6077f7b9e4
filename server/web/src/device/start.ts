// The device of this page, made once when the page starts.

import type { Device } from "./contract";
import { PageDevice } from "./device";

export async function start(): Promise<Device> {
  return new PageDevice();
}
