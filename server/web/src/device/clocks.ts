// The page's clocks. They are recorded, never judged: a wrong one stops nothing.

import { randomId } from "./bytes";
import type { Captured } from "./contract";

/** Two clocks that part by more than this in between were stopped, or set: nothing ties their readings then. */
const APART_MS = 2_000;

let boot = randomId();
let apart = Date.now() - performance.now();

/** A reading. The elapsed time of a page stands still while its phone sleeps, so it is of another boot after that. */
export function now(): Captured {
  const [wall_ms, elapsed_ms] = [Date.now(), Math.floor(performance.now())];
  if (Math.abs(wall_ms - elapsed_ms - apart) > APART_MS) {
    boot = randomId();
    apart = wall_ms - elapsed_ms;
  }
  return { wall_ms, elapsed_ms, boot };
}
