// The small things that every face is made of.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { CaseState } from "../device/contract";
import { useWords, useLanguage } from "./settings";
import { refusalOf, type Attempt, type Loaded } from "./device";

const ICONS = {
  back: "M15 5l-7 7 7 7",
  camera: "M4 8h3l2-3h6l2 3h3v11H4z M12 17a3.5 3.5 0 100-7 3.5 3.5 0 000 7z",
  list: "M4 6h16M4 12h16M4 18h16",
  tasks: "M4 6l2 2 3-3M4 13l2 2 3-3M12 7h8M12 14h8M4 20h16",
  map: "M9 4L3 6v14l6-2 6 2 6-2V4l-6 2zM9 4v14M15 6v14",
  bell: "M6 10a6 6 0 1112 0c0 5 2 6 2 6H4s2-1 2-6zM10 20h4",
  person: "M12 12a4 4 0 100-8 4 4 0 000 8zM4 20c1-4 4-6 8-6s7 2 8 6",
  people: "M9 11a3.5 3.5 0 100-7 3.5 3.5 0 000 7zM2 20c1-4 3-6 7-6s6 2 7 6M16 4a3.5 3.5 0 010 7M18 14c2 .5 3.500 2.500 4 6",
  phone: "M7 3h10v18H7zM11 18h2",
  pause: "M8 5v14M16 5v14",
  picture: "M3 5h18v14H3zM3 16l5-5 4 4 3-3 6 5",
  check: "M5 12l5 5 9-10",
  close: "M6 6l12 12M18 6L6 18",
  plus: "M12 5v14M5 12h14",
  place: "M12 21s-7-6-7-12a7 7 0 0114 0c0 6-7 12-7 12zM12 11a2 2 0 100-4 2 2 0 000 4z",
  send: "M4 12l16-8-6 16-3-6z",
  sun: "M12 16a4 4 0 100-8 4 4 0 000 8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1 1M18 18l1 1M5 19l1-1M18 6l1-1",
};
export type IconName = keyof typeof ICONS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={ICONS[name]} />
    </svg>
  );
}

export function StatePill({ state }: { state: CaseState }) {
  const words = useWords();
  return <span class={`pill state state-${state}`}>{words.states[state]}</span>;
}

export function Empty({ icon, children }: { icon: IconName; children: ComponentChildren }) {
  return (
    <div class="empty">
      <Icon name={icon} />
      <p>{children}</p>
    </div>
  );
}

export function Waiting() {
  const words = useWords();
  return (
    <div class="waiting" role="status">
      <span class="only-heard">{words.loading}</span>
    </div>
  );
}

/** What went wrong, in the person's language. */
export function Trouble({ why }: { why: unknown }) {
  const language = useLanguage();
  return (
    <p class="note note-bad" role="alert">
      {refusalOf(why)[language]}
    </p>
  );
}

export function Refused({ attempt }: { attempt: Attempt }) {
  return attempt.refused ? <Trouble why={attempt.refused} /> : null;
}

/** Loading and failing look the same everywhere. */
export function Show<T>({ loaded, children }: { loaded: Loaded<T>; children: (value: T) => ComponentChildren }) {
  if (loaded.is === "loading") return <Waiting />;
  if (loaded.is === "failed") return <Trouble why={loaded.why} />;
  return <>{children(loaded.value)}</>;
}

interface Press {
  children: ComponentChildren;
  onPress: () => void;
  look?: "main" | "bad" | "bare";
  wide?: boolean;
  disabled?: boolean;
  label?: string;
  pressed?: boolean;
}

export function Button({ children, onPress, look, wide, disabled, label, pressed }: Press) {
  const classes = ["button", look ? `button-${look}` : "", wide ? "button-wide" : ""].join(" ");
  return (
    <button type="button" class={classes} onClick={onPress} disabled={disabled} aria-label={label} aria-pressed={pressed}>
      {children}
    </button>
  );
}

/** One of several, as big buttons. */
export function Choices<T extends string>(props: {
  label: string;
  of: { value: T; text: string }[];
  value: T | null;
  onChange: (value: T) => void;
  fault?: string | null;
}) {
  return (
    <fieldset class="field">
      <legend>{props.label}</legend>
      <div class="choices" role="radiogroup" aria-label={props.label}>
        {props.of.map(({ value, text }) => (
          <button type="button" role="radio" class="choice" key={value} aria-checked={props.value === value} onClick={() => props.onChange(value)}>
            {text}
          </button>
        ))}
      </div>
      {props.fault && <p class="fault">{props.fault}</p>}
    </fieldset>
  );
}

let fields = 0;

/** A labelled input. */
export function Input(props: {
  label: string;
  value: string;
  onChange: (value: string) => void;
  hint?: string;
  fault?: string | null;
  rows?: number;
  type?: "text" | "password" | "search" | "date";
  mode?: "text" | "numeric" | "decimal";
  complete?: string;
  most?: number;
}) {
  const [id] = useState(() => `field${++fields}`);
  const changed = (event: { currentTarget: { value: string } }) => props.onChange(event.currentTarget.value);
  const told = [props.hint ? `${id}-hint` : "", props.fault ? `${id}-fault` : ""].filter(Boolean).join(" ");
  const shared = {
    id,
    class: "input",
    value: props.value,
    onInput: changed,
    maxLength: props.most,
    "aria-invalid": Boolean(props.fault),
    "aria-describedby": told || undefined,
  };
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      {props.rows ? (
        <textarea {...shared} rows={props.rows} />
      ) : (
        <input {...shared} type={(props.type ?? "text") as "text"} inputMode={props.mode} autocomplete={props.complete ?? "off"} autocapitalize="off" spellcheck={false} />
      )}
      {props.hint && <p class="hint" id={`${id}-hint`}>{props.hint}</p>}
      {props.fault && <p class="fault" id={`${id}-fault`}>{props.fault}</p>}
    </div>
  );
}

export function Select(props: { label: string; value: string; of: { value: string; text: string }[]; onChange: (value: string) => void; bare?: boolean; fault?: string | null }) {
  const [id] = useState(() => `field${++fields}`);
  return (
    <div class={props.bare ? "grow" : "field"}>
      <label for={id} class={props.bare ? "only-heard" : undefined}>
        {props.label}
      </label>
      <select id={id} class="input" value={props.value} onChange={(event) => props.onChange(event.currentTarget.value)}>
        {props.of.map(({ value, text }) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
      {props.fault && <p class="fault">{props.fault}</p>}
    </div>
  );
}

/** Shown when it comes into view, once. */
export function useSeen(): [{ current: HTMLElement | null }, boolean] {
  const box = useRef<HTMLElement | null>(null);
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    if (!box.current || seen) return;
    const observer = new IntersectionObserver((found) => found.some((it) => it.isIntersecting) && setSeen(true), { rootMargin: "200px" });
    observer.observe(box.current);
    return () => observer.disconnect();
  }, [seen]);
  return [box, seen];
}
