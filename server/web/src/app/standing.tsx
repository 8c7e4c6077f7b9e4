// On every screen: what only this phone has, and how the connection stands.

import type { Connection } from "../device/contract";
import { clock, type Words } from "../words";
import { useChanges, useDevice, useLive, valueOf } from "./device";
import { useLanguage, useWords } from "./settings";

export function Standing() {
  const words = useWords();
  const language = useLanguage();
  const device = useDevice();
  useChanges(["connection"]);
  const status = valueOf(useLive((device) => device.status(), ["status", "cases", "photo", "connection"], []));
  const connection = device.connection();
  const pulled = device.me()?.logs.every((log) => log.pulled && log.durability !== null) ?? false;
  const unsent = (status?.on_this_phone ?? 0) + (status?.photos_to_send ?? 0);
  return (
    <a class="standing" href="#/sending" data-unsent={status?.on_this_phone} data-connection={connection.is} data-pulled={pulled}>
      <i class={`dot ${tone(connection, unsent)}`} />
      <span class="grow standing-text">
        <b>{status ? words.unsent(status.on_this_phone, status.photos_to_send) : words.loading}</b>
        <span>{connectionText(connection, words, (ms) => clock(language, ms))}</span>
      </span>
    </a>
  );
}

export function connectionText(connection: Connection, words: Words, time: (ms: number) => string): string {
  return connection.is === "server_silent" ? words.connection.server_silent(time(connection.since_ms)) : words.connection[connection.is];
}

function tone(connection: Connection, unsent: number): string {
  if (connection.is === "revoked" || connection.is === "paused") return "dot-bad";
  return connection.is === "fine" && unsent === 0 ? "" : "dot-warn";
}
