// What this browser promises about what is stored, in plain words, and the way to a better promise.

import { useState } from "preact/hooks";
import { useDevice, useLive } from "../../app/device";
import { Button, Show } from "../../app/parts";
import { setSettings, useSettings, useWords } from "../../app/settings";
import { left, size } from "../../words";

export function Guarantee() {
  const words = useWords();
  const device = useDevice();
  const { persistence_asked } = useSettings();
  const [asked, setAsked] = useState(0);
  const storage = useLive((device) => device.storage(), ["status"], [asked]);
  const ask = async () => {
    await device.askForPersistence();
    setSettings({ persistence_asked: true });
    setAsked(asked + 1);
  };
  return (
    <Show loaded={storage}>
      {(storage) => (
        <section class={`note stack ${storage.persistent ? "note-good" : "note-warn"}`} aria-label={words.start.guarantees}>
          <h2>{words.start.guarantees}</h2>
          <p>{storage.persistent ? words.start.persistent : words.start.not_persistent}</p>
          {storage.send_before_ms !== null && <p>{words.start.send_within(left(words, storage.send_before_ms, Date.now()))}</p>}
          <p class="small">{words.start.space(size(storage.used_bytes), size(storage.quota_bytes))}</p>
          {!storage.persistent && persistence_asked && <p class="small">{words.start.refused}</p>}
          {!storage.persistent && <Button onPress={() => void ask()}>{words.start.ask}</Button>}
        </section>
      )}
    </Show>
  );
}
