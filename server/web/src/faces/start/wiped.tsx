// Says whose data is gone from this phone, and why.

import { useLive, valueOf } from "../../app/device";
import { useLanguage, useWords } from "../../app/settings";
import { day } from "../../words";

export function WipedNotes() {
  const words = useWords();
  const language = useLanguage();
  const wiped = valueOf(useLive((device) => device.wiped(), ["people"], [])) ?? [];
  return (
    <>
      {wiped.map(({ device, name, wall_ms }) => (
        <p class="note note-warn" role="status" data-wiped={device} key={device}>{words.people.wiped(name, day(language, wall_ms))}</p>
      ))}
    </>
  );
}
