// Writes what the page knows into a photo: when and where, and that it was the page that wrote it. A picture from a
// canvas has no EXIF of its own. TIFF in little-endian order, as EXIF 2.32 lays it out.

import type { Fix } from "../case/place";

/** Read by people who look into the file: the camera wrote none of this. */
export const SOFTWARE = "Rectify page (time and place written by the page)";

type Entry = { tag: number; type: number; count: number; bytes: number[] };

const ASCII = 2;
const LONG = 4;
const RATIONAL = 5;

const u16 = (value: number) => [value & 255, (value >> 8) & 255];
const u32 = (value: number) => [...u16(value & 0xffff), ...u16(Math.floor(value / 0x10000) & 0xffff)];

function ascii(tag: number, text: string): Entry {
  const bytes = [...Array.from(text, (character) => character.charCodeAt(0) & 127), 0];
  return { tag, type: ASCII, count: bytes.length, bytes };
}

function rationals(tag: number, values: [number, number][]): Entry {
  return { tag, type: RATIONAL, count: values.length, bytes: values.flatMap(([over, under]) => [...u32(over), ...u32(under)]) };
}

function degrees(tag: number, value: number): Entry {
  const all = Math.round(Math.abs(value) * 3600 * 10_000);
  const seconds = all % (60 * 10_000);
  const minutes = Math.floor(all / (60 * 10_000)) % 60;
  return rationals(tag, [[Math.floor(all / (3600 * 10_000)), 1], [minutes, 1], [seconds, 10_000]]);
}

const lengthOf = (entries: Entry[]) => 2 + entries.length * 12 + 4 + entries.reduce((sum, { bytes }) => sum + (bytes.length > 4 ? bytes.length + (bytes.length & 1) : 0), 0);

/** A directory at an offset, its long values behind it. */
function directory(entries: Entry[], at: number): number[] {
  const head = u16(entries.length);
  const tail: number[] = [];
  const behind = at + 2 + entries.length * 12 + 4;
  for (const { tag, type, count, bytes } of entries) {
    const inline = bytes.length <= 4;
    const value = inline ? [...bytes, 0, 0, 0, 0].slice(0, 4) : u32(behind + tail.length);
    head.push(...u16(tag), ...u16(type), ...u32(count), ...value);
    if (!inline) tail.push(...bytes, ...(bytes.length & 1 ? [0] : []));
  }
  return [...head, 0, 0, 0, 0, ...tail];
}

const two = (value: number) => String(value).padStart(2, "0");

function localTime(ms: number): { time: string; offset: string } {
  const at = new Date(ms);
  const ahead = -at.getTimezoneOffset();
  const offset = `${ahead < 0 ? "-" : "+"}${two(Math.floor(Math.abs(ahead) / 60))}:${two(Math.abs(ahead) % 60)}`;
  const time = `${at.getFullYear()}:${two(at.getMonth() + 1)}:${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return { time, offset };
}

/** The APP1 segment. */
export function segment(taken_ms: number, fix: Fix | null): Uint8Array {
  const { time, offset } = localTime(taken_ms);
  const long = (tag: number, value: number): Entry => ({ tag, type: LONG, count: 1, bytes: u32(value) });
  const taken = [ascii(0x9003, time), ascii(0x9011, offset)];
  const place = fix
    ? [
        ascii(1, fix.lat < 0 ? "S" : "N"),
        degrees(2, fix.lat),
        ascii(3, fix.lon < 0 ? "W" : "E"),
        degrees(4, fix.lon),
        rationals(0x1f, [[fix.accuracy_m, 1]]),
      ]
    : [];
  const first = (exifAt: number, gpsAt: number) => [
    ascii(0x0131, SOFTWARE),
    ascii(0x0132, time),
    long(0x8769, exifAt),
    ...(fix ? [long(0x8825, gpsAt)] : []),
  ];
  const exifAt = 8 + lengthOf(first(0, 0));
  const gpsAt = exifAt + lengthOf(taken);
  const tiff = [0x49, 0x49, 42, 0, ...u32(8), ...directory(first(exifAt, gpsAt), 8), ...directory(taken, exifAt), ...(fix ? directory(place, gpsAt) : [])];
  const body = [0x45, 0x78, 0x69, 0x66, 0, 0, ...tiff];
  const length = body.length + 2;
  return Uint8Array.from([0xff, 0xe1, length >> 8, length & 255, ...body]);
}

/** The same picture with the segment behind its first marker. */
export function withExif(jpeg: ArrayBuffer, taken_ms: number, fix: Fix | null): Blob {
  return new Blob([jpeg.slice(0, 2), segment(taken_ms, fix) as BlobPart, jpeg.slice(2)], { type: "image/jpeg" });
}
