// One field of the catalogue, as its kind wants to be filled in.

import { useState } from "preact/hooks";
import type { Language } from "../device/contract";
import { Choices, Input } from "../app/parts";
import { useLanguage, useWords } from "../app/settings";
import { decimal, held, type FieldSpec } from "../case/reference";
import { said, type Words } from "../words";

interface Filled {
  spec: FieldSpec;
  /** As the op has it; a personal value's text. */
  value: unknown;
  onChange: (value: unknown) => void;
  fault?: string | null;
}

export function FieldInput({ spec, value, onChange, fault }: Filled) {
  const words = useWords();
  const language = useLanguage();
  const label = labelOf(spec, words, language);
  switch (spec.holds.type) {
    case "text":
      return <Input label={label} value={text(value)} onChange={onChange} most={spec.holds.chars_max} fault={fault} />;
    case "personal":
      return <Input label={label} value={text(value)} onChange={onChange} hint={words.capture.personal} most={200} fault={fault} />;
    case "reference":
      return <Input label={label} value={text(value)} onChange={onChange} hint={said(spec.holds.register, language)} most={80} fault={fault} />;
    case "number":
      return <NumberInput spec={spec} holds={spec.holds} label={label} value={value} onChange={onChange} fault={fault} />;
    case "choice": {
      const choices = spec.holds.choices.map((choice) => ({ value: choice.code, text: said(choice.name, language) }));
      return <Choices label={label} of={choices} value={typeof value === "string" ? value : null} onChange={onChange} fault={fault} />;
    }
    case "yes_no": {
      const choices = [{ value: "yes", text: words.yes }, { value: "no", text: words.no }];
      const now = value === true ? "yes" : value === false ? "no" : null;
      return <Choices label={label} of={choices} value={now} onChange={(it) => onChange(it === "yes")} fault={fault} />;
    }
  }
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function labelOf(spec: FieldSpec, words: Words, language: Language): string {
  const needed = { no: words.optional, report: words.needed(words.steps.report ?? ""), file: words.needed(words.steps.file ?? ""), close: words.needed(words.steps.close ?? "") };
  return `${said(spec.label, language)} (${needed[spec.required]})`;
}

function NumberInput({ holds, label, value, onChange, fault }: Filled & { holds: Extract<FieldSpec["holds"], { type: "number" }>; label: string }) {
  const words = useWords();
  const [typed, setTyped] = useState(typeof value === "number" ? decimal(value, holds.scale) : "");
  const number = held(typed, holds.scale);
  const wrong =
    typed === "" ? null
    : number === null ? words.form.not_number(holds.unit)
    : number < holds.min || number > holds.max ? words.form.between(decimal(holds.min, holds.scale), decimal(holds.max, holds.scale))
    : null;
  const change = (next: string) => {
    setTyped(next);
    const value = held(next, holds.scale);
    onChange(value !== null && value >= holds.min && value <= holds.max ? value : undefined);
  };
  return <Input label={`${label} · ${holds.unit}`} value={typed} onChange={change} mode="decimal" fault={wrong ?? fault} />;
}
