// The first start: what this browser guarantees, and a code that makes this browser somebody's device.

import { useState } from "preact/hooks";
import type { Person } from "../../device/contract";
import { useAttempt, useDevice } from "../../app/device";
import { Button, Icon, Input, Refused } from "../../app/parts";
import { setSettings, useLanguage, useWords } from "../../app/settings";
import { Guarantee } from "./guarantee";
import { CHARACTERS_MIN } from "../../device/pin";
import { Scan, canScan } from "./scan";
import { WipedNotes } from "./wiped";

export function Enrol({ others, onDone, onBack }: { others: Person[]; onDone: () => void; onBack: (() => void) | null }) {
  const words = useWords();
  const language = useLanguage();
  const device = useDevice();
  const attempt = useAttempt();
  const [scanning, setScanning] = useState(false);
  const [code, setCode] = useState(() => new URLSearchParams(location.hash.split("?")[1]).get("code") ?? "");
  const [name, setName] = useState("");
  const [label, setLabel] = useState(words.start.label_value);
  const [pin, setPin] = useState("");
  const taken = others.some((other) => other.name === name.trim());
  const open = others.filter((other) => !other.locked);
  const pinFits = pin === "" ? others.length === 0 : Array.from(pin).length >= CHARACTERS_MIN;
  const ready = code.replace(/[^0-9a-z]/gi, "").length >= 12 && name.trim() !== "" && label.trim() !== "" && pinFits && !taken;
  const enrol = async () => {
    const done = await attempt.run(() => device.enrol(name.trim(), code.trim(), label.trim(), pin || null));
    if (done) {
      location.hash = "#/";
      onDone();
    }
  };
  if (scanning) {
    return <Scan onFound={(found) => { setCode(found); setScanning(false); }} onBack={() => setScanning(false)} />;
  }
  return (
    <main class="alone">
      <div class="row">
        {onBack && <Button look="bare" label={words.back} onPress={onBack}><Icon name="back" /></Button>}
        <img class="mark" src="/icons/icon.svg" alt="" />
        <div class="grow">
          <h1>{words.product}</h1>
          <p class="soft small">{words.tagline}</p>
        </div>
        <Button look="bare" onPress={() => setSettings({ language: language === "zh" ? "en" : "zh" })}>
          {language === "zh" ? "English" : "中文"}
        </Button>
      </div>
      <WipedNotes />
      <Guarantee />
      {open.length > 0 && <p class="note note-warn" role="alert">{words.people.first_pin(open.map((other) => other.name).join("、"))}</p>}
      {open.length === 0 && (
        <form class="card stack" onSubmit={(event) => { event.preventDefault(); if (ready && !attempt.busy) void enrol(); }}>
          <h2>{words.start.title}</h2>
          <p class="soft">{words.start.about}</p>
          {canScan() ? (
            <Button wide onPress={() => setScanning(true)}><Icon name="camera" />{words.start.scan}</Button>
          ) : (
            <p class="hint">{words.start.no_scan}</p>
          )}
          <Input label={words.start.code} hint={words.start.code_hint} value={code} onChange={setCode} />
          <Input label={words.start.who} hint={words.start.who_hint} value={name} onChange={setName} most={40} />
          <Input label={words.start.label} value={label} onChange={setLabel} most={80} />
          <Input label={words.start.pin} hint={words.start.pin_hint} value={pin} onChange={setPin} type="password" most={64} complete="new-password" />
          <Refused attempt={attempt} />
          <button type="submit" class="button button-main button-wide" disabled={!ready || attempt.busy}>
            {attempt.busy ? words.start.enrolling : words.start.enrol}
          </button>
        </form>
      )}
    </main>
  );
}
