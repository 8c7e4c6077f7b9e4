// How this person likes to read: language, contrast, size. Kept in the browser, told to the document.

import { useOutside } from "./outside";
import type { Language } from "../device/contract";
import { wordsOf, type Words } from "../words";

export interface Settings {
  language: Language;
  contrast: boolean;
  large: boolean;
  persistence_asked: boolean;
}

const KEY = "settings";
const FIRST: Settings = { language: "zh", contrast: false, large: false, persistence_asked: false };

let settings: Settings = read();
const listeners = new Set<() => void>();
show();

function read(): Settings {
  try {
    return { ...FIRST, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return FIRST;
  }
}

function show() {
  const { documentElement } = document;
  documentElement.lang = settings.language === "zh" ? "zh-CN" : "en";
  documentElement.toggleAttribute("data-contrast", settings.contrast);
  documentElement.toggleAttribute("data-large", settings.large);
}

export function setSettings(change: Partial<Settings>): void {
  settings = { ...settings, ...change };
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch {
    // Without a place to keep it, it holds until the page is closed.
  }
  show();
  listeners.forEach((listener) => listener());
}

export function useSettings(): Settings {
  return useOutside(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => settings,
  );
}

export function useWords(): Words {
  return wordsOf(useSettings().language);
}

export function useLanguage(): Language {
  return useSettings().language;
}
