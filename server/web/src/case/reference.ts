// The names behind codes and ids: catalogue, areas, units, accounts, as this phone holds them.

import type { Device, Id, Language, Words as Text } from "../device/contract";
import { useLive, valueOf } from "../app/device";
import { said } from "../words";

export interface Choice {
  code: string;
  name: Text;
}

export interface FieldSpec {
  code: string;
  label: Text;
  required: "no" | "report" | "file" | "close";
  holds:
    | { type: "text"; chars_max: number }
    | { type: "personal"; readers: "case_readers" | "handlers" }
    | { type: "number"; unit: string; scale: number; min: number; max: number }
    | { type: "choice"; choices: Choice[] }
    | { type: "yes_no" }
    | { type: "reference"; register: Text };
}

/** A stage of the procedure. `procedure`: it is ended by a step of its own. */
export interface Stage {
  code: string;
  name: Text;
  procedure?: { documents: number };
}

export interface Subtype {
  code: string;
  name: Text;
  subject: Text | null;
  fields: FieldSpec[];
  filing_conditions: Choice[];
  closing_conditions: Choice[];
  evidence: { before: number; after: number; check: number };
  settle_outcomes: Choice[];
  stages?: Stage[];
  legal_basis: Text[];
}

export interface Catalogue {
  version: string;
  decline_reasons: Choice[];
  return_reasons: Choice[];
  stages?: Stage[];
  /** The longest side of a photo that a phone sends, in pixels. */
  photo_side_px?: number;
  categories: { code: string; name: Text; subtypes: Subtype[] }[];
}

export interface Area {
  id: Id;
  parent: Id | null;
  level: "district" | "subdistrict" | "community" | "grid";
  code: string;
  name: Text;
  boundary: [number, number][][][];
}

export interface Unit {
  id: Id;
  name: Text;
  area: Id;
  /** It has ended; another one goes on in its place. */
  merged?: { into: Id };
}

export interface AccountEntity {
  id: Id;
  name: string;
  units: Id[];
  disabled_rev: number | null;
  /** Somebody stands in. */
  absent?: { deputy: Id; until_ms: number };
}

export interface Reference {
  catalogue: Catalogue | null;
  hash: string | null;
  areas: Map<Id, Area>;
  units: Map<Id, Unit>;
  accounts: Map<Id, AccountEntity>;
}

const NOTHING: Reference = { catalogue: null, hash: null, areas: new Map(), units: new Map(), accounts: new Map() };

async function read(device: Device, log: Id): Promise<Reference> {
  const [catalogue, tree, units, accounts] = await Promise.all([
    device.catalogue(log),
    device.areas(log),
    device.entities(log, "unit"),
    device.entities(log, "account"),
  ]);
  const byId = <T extends { id: Id }>(all: unknown[]) => new Map((all as T[]).map((one) => [one.id, one]));
  return {
    catalogue: (catalogue?.document as Catalogue | undefined) ?? null,
    hash: catalogue?.hash ?? null,
    areas: byId<Area>(tree?.areas ?? []),
    units: byId<Unit>(units),
    accounts: byId<AccountEntity>(accounts),
  };
}

const kept = new WeakMap<Device, Map<string, { until: number; value: Promise<Reference> }>>();

/** Read at most once in ten seconds: every row of a list asks for it. */
function readKept(device: Device, log: Id): Promise<Reference> {
  const ofDevice = kept.get(device) ?? new Map();
  kept.set(device, ofDevice);
  const key = `${device.me()?.device} ${log}`;
  const known = ofDevice.get(key);
  if (known && known.until > Date.now()) return known.value;
  const value = read(device, log);
  value.then((it) => !it.catalogue && ofDevice.delete(key), () => ofDevice.delete(key));
  ofDevice.set(key, { until: Date.now() + 10_000, value });
  return value;
}

export function useReference(log: Id | null): Reference {
  return valueOf(useLive((device) => (log ? readKept(device, log) : Promise.resolve(NOTHING)), ["cases"], [log])) ?? NOTHING;
}

export function subtypeOf(catalogue: Catalogue | null, category: string, subtype: string): Subtype | null {
  return catalogue?.categories.find((it) => it.code === category)?.subtypes.find((it) => it.code === subtype) ?? null;
}

export function categoryName(catalogue: Catalogue | null, category: string, language: Language): string {
  return said(catalogue?.categories.find((it) => it.code === category)?.name, language) || category;
}

export function kindName(catalogue: Catalogue | null, category: string, subtype: string, language: Language): string {
  return said(subtypeOf(catalogue, category, subtype)?.name, language) || subtype;
}

export function choiceName(choices: Choice[] | undefined, code: string, language: Language): string {
  return said(choices?.find((it) => it.code === code)?.name, language) || code;
}

/** The grid's name with that of the subdistrict above it. */
export function areaName(reference: Reference, id: Id, language: Language): string {
  const area = reference.areas.get(id);
  if (!area) return "";
  let above = area.parent ? reference.areas.get(area.parent) : undefined;
  while (above && above.level !== "subdistrict" && above.parent) above = reference.areas.get(above.parent);
  return above && above.level === "subdistrict" ? `${said(above.name, language)} ${said(area.name, language)}` : said(area.name, language);
}

/** A held number with its decimal point. */
export function decimal(held: number, scale: number): string {
  if (scale === 0) return String(held);
  const digits = String(Math.abs(held)).padStart(scale + 1, "0");
  const text = `${digits.slice(0, -scale)}.${digits.slice(-scale)}`.replace(/\.?0+$/, "");
  return held < 0 ? `-${text}` : text;
}

/** A typed number as it is held: an integer of 10^-scale units; null where it is none. */
export function held(typed: string, scale: number): number | null {
  const found = /^(-?)(\d{1,9})(?:[.,](\d*))?$/.exec(typed.trim());
  if (!found || (found[3] ?? "").length > scale) return null;
  const value = Number(`${found[2]}${(found[3] ?? "").padEnd(scale, "0")}`);
  return Number.isSafeInteger(value) ? (found[1] ? -value : value) : null;
}

export function stageName(catalogue: Catalogue | null, category: string, subtype: string, code: string, language: Language): string {
  const own = subtypeOf(catalogue, category, subtype)?.stages ?? [];
  return said([...own, ...(catalogue?.stages ?? [])].find((stage) => stage.code === code)?.name, language) || code;
}
