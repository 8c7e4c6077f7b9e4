// The device as the faces have it: one for the page, asked again when it says that something changed.

import { createContext } from "preact";
import { useContext, useEffect, useRef, useState } from "preact/hooks";
import type { Change, Device, Me, Refusal } from "../device/contract";

export const DeviceContext = createContext<Device | null>(null);

export function useDevice(): Device {
  const device = useContext(DeviceContext);
  if (!device) throw new Error("a face without a device");
  return device;
}

export function useMe(): Me {
  const me = useDevice().me();
  if (!me) throw new Error("a face without a person");
  return me;
}

export type Loaded<T> = { is: "loading" } | { is: "here"; value: T } | { is: "failed"; why: unknown };

/** Asks when it is shown, when what it depends on changes, and when the device says that such things changed. */
export function useLive<T>(load: (device: Device) => Promise<T>, changes: Change["what"][], depends: unknown[]): Loaded<T> {
  const device = useDevice();
  const [loaded, setLoaded] = useState<Loaded<T>>({ is: "loading" });
  const latest = useRef(load);
  latest.current = load;
  useEffect(() => {
    let asked = 0;
    let gone = false;
    let due: ReturnType<typeof setTimeout> | null = null;
    const ask = () => {
      due = null;
      const mine = ++asked;
      latest.current(device).then(
        (value) => !gone && mine === asked && setLoaded({ is: "here", value }),
        (why) => !gone && mine === asked && setLoaded({ is: "failed", why }),
      );
    };
    ask();
    // Many things change at once in a pull: they are looked at together.
    const stop = device.subscribe((change) => {
      if (changes.includes(change.what)) due ??= setTimeout(ask, 120);
    });
    return () => {
      gone = true;
      if (due) clearTimeout(due);
      stop();
    };
  }, [device, ...depends]);
  return loaded;
}

/** The value or nothing: for what may be missing without harm. */
export function valueOf<T>(loaded: Loaded<T>): T | null {
  return loaded.is === "here" ? loaded.value : null;
}

/** Calls again whenever such things change. */
export function useChanges(changes: Change["what"][]): number {
  const device = useDevice();
  const [count, setCount] = useState(0);
  useEffect(() => device.subscribe((change) => changes.includes(change.what) && setCount((count) => count + 1)), [device]);
  return count;
}

export interface Attempt {
  busy: boolean;
  refused: Refusal | null;
  run: (what: () => Promise<unknown>) => Promise<boolean>;
}

/** Something a person asked for: under way, done, or refused with a sentence. */
export function useAttempt(): Attempt {
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<Refusal | null>(null);
  const run = async (what: () => Promise<unknown>) => {
    setBusy(true);
    setRefused(null);
    try {
      await what();
      return true;
    } catch (why) {
      setRefused(refusalOf(why));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, refused, run };
}

export function refusalOf(why: unknown): Refusal {
  if (why && typeof why === "object" && "code" in why && "zh" in why && "en" in why) return why as Refusal;
  const text = why instanceof Error ? `${why.name}: ${why.message}` : String(why);
  return { code: "unexpected", zh: `没有成功（${text}）`, en: `That did not work (${text})` };
}

/** A random id of this page: a draft's. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
