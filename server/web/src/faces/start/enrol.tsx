// The first start: what this browser guarantees, and a code that makes this browser somebody's device.

import { useState } from "preact/hooks";
import type { Person } from "../../device/contract";
import { useAttempt, useDevice } from "../../app/device";
import { Button, Icon, Input, Refused } from "../../app/parts";
import { setSettings, useLanguage, useWords } from "../../app/settings";
import { Guarantee } from "./guarantee";
import { Scan, canScan } from "./scan";

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
  const pinFits = pin === "" ? others.length === 0 : /^\d{4,12}$/.test(pin);
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
      <Guarantee />
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
        <Input label={words.start.pin} hint={words.start.pin_hint} value={pin} onChange={setPin} type="password" mode="numeric" most={12} complete="new-password" />
        <Refused attempt={attempt} />
        <button type="submit" class="button button-main button-wide" disabled={!ready || attempt.busy}>
          {attempt.busy ? words.start.enrolling : words.start.enrol}
        </button>
      </form>
    </main>
  );
}
