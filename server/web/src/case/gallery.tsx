// Before and after side by side, then all the photos by what they show.

import { useState } from "preact/hooks";
import { useWords, useLanguage } from "../app/settings";
import { day } from "../words";
import type { CaseDocument, Evidence } from "./document";
import { Large, Photo } from "./photo";

export function Gallery({ log, document }: { log: string; document: CaseDocument }) {
  const words = useWords();
  const language = useLanguage();
  const [large, setLarge] = useState<Evidence | null>(null);
  const shown = document.evidence.filter((one) => !one.withdrawn);
  const before = shown.find((one) => one.role === "before");
  const after = [...shown].reverse().find((one) => one.role === "after") ?? [...shown].reverse().find((one) => one.role === "check");
  const rest = document.evidence.filter((one) => one !== before && one !== after);
  const caption = (one: Evidence) => `${words.case[one.role]} · ${day(language, one.by.received_ms)}`;
  const mark = (one: Evidence) =>
    one.withdrawn ? words.case.photo_withdrawn : one.waived ? words.case.photo_waived : one.late ? words.case.late : one.verified_rev === null ? words.case.photo_away : null;
  const picture = (one: Evidence) => (
    <figure key={`${one.sha256}${one.by.op}${one.role}`}>
      <Photo log={log} sha256={one.sha256} alt={caption(one)} away={one.verified_rev === null} mark={mark(one)} onPress={() => setLarge(one)} />
      <figcaption>
        {caption(one)}
        {one.flags.length > 0 && <b> · {one.flags.map((flag) => words.flags[flag.split(":")[0] ?? ""] ?? flag).join(", ")}</b>}
      </figcaption>
    </figure>
  );
  const none = (text: string) => (
    <figure>
      <span class="photo"><span class="photo-none">{text}</span></span>
    </figure>
  );
  return (
    <section class="stack" aria-label={words.form.photos}>
      <div class="side-by-side">
        {before ? picture(before) : none(words.case.no_before)}
        {after ? picture(after) : none(words.case.no_after)}
      </div>
      {rest.length > 0 && <div class="photos">{rest.map(picture)}</div>}
      {large && <Large log={log} sha256={large.sha256} words={caption(large)} onClose={() => setLarge(null)} />}
    </section>
  );
}
