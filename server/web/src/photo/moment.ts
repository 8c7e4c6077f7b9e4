// When something was captured, as this page can know it: its wall clock, and a clock that nobody sets.

import type { Captured } from "../device/contract";

const bytes = crypto.getRandomValues(new Uint8Array(16));
bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** The elapsed clock begins anew with each load of the page. */
export const BOOT = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;

export function moment(): Captured {
  return { wall_ms: Date.now(), elapsed_ms: Math.round(performance.now()), boot: BOOT };
}
