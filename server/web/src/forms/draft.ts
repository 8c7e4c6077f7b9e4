// What is being made, on disk at every step: a dead battery costs nothing but the last letters.

import { useEffect, useRef, useState } from "preact/hooks";
import type { Device, DraftRecord } from "../device/contract";
import { newId, useDevice } from "../app/device";

/** Letters are written after a pause; everything else at once. */
const PAUSE_MS = 250;

export interface Drafting {
  draft: DraftRecord;
  /** Changes it; the promise is kept when it is on disk. */
  change: (change: Partial<DraftRecord>) => Promise<void>;
  /** Changes it with every letter. */
  type: (change: Partial<DraftRecord>) => void;
  /** Writes what was typed. */
  flush: () => Promise<void>;
}

export function emptyDraft(kind: string, log: string | null, entity: string | null): DraftRecord {
  return { id: newId(), log, case: entity, kind, body: {}, values: {}, photos: [], page: null, changed_ms: Date.now() };
}

export async function findDraft(device: Device, id: string | null): Promise<DraftRecord | null> {
  if (!id) return null;
  return (await device.drafts()).find((draft) => draft.id === id) ?? null;
}

export function useDrafting(first: DraftRecord): Drafting {
  const device = useDevice();
  const [draft, setDraft] = useState(first);
  const latest = useRef(first);
  const due = useRef<ReturnType<typeof setTimeout> | null>(null);
  const queue = useRef(Promise.resolve());
  const write = () => {
    if (due.current) clearTimeout(due.current);
    due.current = null;
    const done = queue.current.then(() => device.saveDraft(latest.current));
    queue.current = done.catch(() => {});
    return done;
  };
  const put = (change: Partial<DraftRecord>) => {
    latest.current = { ...latest.current, ...change, changed_ms: Date.now() };
    setDraft(latest.current);
  };
  useEffect(() => () => { if (due.current) void write(); }, []);
  return {
    draft,
    change: (change) => {
      put(change);
      return write();
    },
    type: (change) => {
      put(change);
      if (due.current) clearTimeout(due.current);
      due.current = setTimeout(() => void write(), PAUSE_MS);
    },
    flush: () => (due.current ? write() : queue.current),
  };
}

/** Merges into the body, the values or the page's own part; nothing is written for what is empty. */
export function merged<T extends Record<string, unknown>>(into: T | null, change: Record<string, unknown>): T {
  const all: Record<string, unknown> = { ...into, ...change };
  for (const [key, value] of Object.entries(all)) if (value === undefined || value === "" || value === null) delete all[key];
  return all as T;
}
