// Refusals: a code and a sentence in both languages, as the faces show it.

import type { Refusal } from "./contract";

export function refuse(code: string, zh: string, en: string): Refusal {
  return { code, zh, en };
}

export const storageFull = () => refuse("storage_full", "手机存储已满：没有任何改动。请清理空间后重试", "The storage of this phone is full: nothing was changed. Free some space and try again");

export const otherTab = () => refuse("other_tab", "本页已在另一个标签页中打开：请在那里继续，或重新载入本页", "Another tab has this open: go on there, or load this page again");

/** What was thrown by the rules: JSON in a text; anything else is a defect. */
export function refusalFrom(thrown: unknown): Refusal {
  if (isRefusal(thrown)) return thrown;
  if (typeof thrown === "string" && thrown.startsWith("{")) return JSON.parse(thrown) as Refusal;
  const text = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return refuse("defect", `程序缺陷：${text}。手机上的内容均已保留`, `A defect of this program: ${text}. What is on this phone is kept`);
}

export function isRefusal(thrown: unknown): thrown is Refusal {
  return typeof thrown === "object" && thrown !== null && "code" in thrown && "zh" in thrown && "en" in thrown;
}
