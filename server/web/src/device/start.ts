// The device of this page, made once when the page starts.

import type { Device } from "./contract";

export async function start(): Promise<Device> {
  throw { code: "not_built", zh: "本页面还没有设备部分。", en: "This page has no device yet." };
}
