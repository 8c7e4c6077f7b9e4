// What is sent and what is not, honestly counted; sending now, and taking it out by file.

import { saveFile } from "../../app/browser";
import { useAttempt, useChanges, useDevice, useLive, useMe, valueOf } from "../../app/device";
import { Button, Refused, Show } from "../../app/parts";
import { connectionText } from "../../app/standing";
import { useLanguage, useWords } from "../../app/settings";
import { clock, day, said } from "../../words";
import { Guarantee } from "../start/guarantee";

/** From here on the person is told to free some space. */
const FULL = 0.9;

export function Sending() {
  const words = useWords();
  const language = useLanguage();
  const device = useDevice();
  const attempt = useAttempt();
  const me = useMe();
  useChanges(["connection"]);
  const status = useLive((device) => device.status(), ["status", "cases", "photo", "connection"], []);
  const storage = valueOf(useLive((device) => device.storage(), ["status"], []));
  const full = storage !== null && storage.quota_bytes > 0 && storage.used_bytes > storage.quota_bytes * FULL;
  const exported = () => attempt.run(async () => saveFile(await device.exportUnsent(), `rectify-${me.login}.export`));
  return (
    <div class="stack">
      <p class={device.connection().is === "fine" ? "note note-good" : "note note-warn"} role="status">
        {connectionText(device.connection(), words, (ms) => clock(language, ms))}
      </p>
      {full && <p class="note note-bad" role="alert" data-full>{words.unsent_page.almost_full}</p>}
      <Show loaded={status}>
        {(status) => (
          <section class="card stack">
            <dl class="facts">
              <Count label={words.unsent_page.on_this_phone} n={status.on_this_phone} name="on_this_phone" />
              <Count label={words.unsent_page.received} n={status.received} name="received" />
              <Count label={words.unsent_page.awaiting} n={status.awaiting_durable} name="awaiting" />
              <dt>{words.unsent_page.photos}</dt>
              <dd class="number" data-count="photos">{status.photos - status.photos_to_send}/{status.photos}</dd>
              <Count label={words.unsent_page.held} n={status.photos_held} name="held" />
              <dt>{words.unsent_page.last}</dt>
              <dd class="number">{status.last_contact_ms === null ? words.unsent_page.never : day(language, status.last_contact_ms)}</dd>
            </dl>
            {status.clock_offset_ms !== null && Math.abs(status.clock_offset_ms) > 60_000 && (
              <p class="hint">{words.unsent_page.clock(Math.round(status.clock_offset_ms / 1000))}</p>
            )}
            <Button look="main" wide onPress={() => device.sync()}>{words.unsent_page.now}</Button>
          </section>
        )}
      </Show>
      <section class="card stack">
        <p class="soft">{words.unsent_page.export_hint}</p>
        <Refused attempt={attempt} />
        <Button wide disabled={attempt.busy} onPress={() => void exported()}>{words.unsent_page.export}</Button>
      </section>
      <section class="card">
        <dl class="facts">
          {me.logs.map((log) => (
            <>
              <dt key={log.log}>{said(log.name, language)}</dt>
              <dd>{log.durability ? words.unsent_page.durability[log.durability] : words.first_pull}</dd>
            </>
          ))}
        </dl>
      </section>
      <Guarantee />
    </div>
  );
}

function Count({ label, n, name }: { label: string; n: number; name: string }) {
  return (
    <>
      <dt>{label}</dt>
      <dd class="number" data-count={name}>{n}</dd>
    </>
  );
}
