// Which language the page speaks, and the small words that depend on numbers and times.

import type { Language, Words as Text } from "../device/contract";
import { en } from "./en";
import { zh, type Words } from "./zh";

export type { Words };

export function wordsOf(language: Language): Words {
  return language === "zh" ? zh : en;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export function ago(words: Words, then_ms: number, now_ms: number): string {
  const past = Math.max(0, now_ms - then_ms);
  if (past < 60_000) return words.time.now;
  if (past < HOUR_MS) return words.time.minutes(Math.floor(past / 60_000));
  if (past < DAY_MS) return words.time.hours(Math.floor(past / HOUR_MS));
  return words.time.days(Math.floor(past / DAY_MS));
}

export function left(words: Words, until_ms: number, now_ms: number): string {
  const rest = Math.max(0, until_ms - now_ms);
  return rest >= DAY_MS ? words.time.left_days(Math.floor(rest / DAY_MS)) : words.time.left_hours(Math.ceil(rest / HOUR_MS));
}

export function clock(language: Language, ms: number): string {
  return new Date(ms).toLocaleTimeString(locale(language), { hour: "2-digit", minute: "2-digit" });
}

export function day(language: Language, ms: number): string {
  const options: Intl.DateTimeFormatOptions = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" };
  return new Date(ms).toLocaleString(locale(language), options);
}

function locale(language: Language): string {
  return language === "zh" ? "zh-CN" : "en-GB";
}

export function far(words: Words, metres: number): string {
  return metres < 1000 ? words.distance.m(Math.round(metres / 10) * 10) : words.distance.km((metres / 1000).toFixed(1));
}

export function size(bytes: number): string {
  if (bytes < 1e6) return `${Math.ceil(bytes / 1e3)} KB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

export function said(text: Text | null | undefined, language: Language): string {
  return text ? text[language] : "";
}
