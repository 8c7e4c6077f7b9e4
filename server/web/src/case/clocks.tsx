// What is due when: the light of a case in a list, and all its clocks with what moved them.

import type { Due, Light, Shown } from "../device/contract";
import { useAttempt, useDevice } from "../app/device";
import { Button, Refused } from "../app/parts";
import { useLanguage, useWords } from "../app/settings";
import type { Words } from "../words";
import { day, left, said } from "../words";
import { kindOf, type CaseDocument, type Clock } from "./document";
import { useCatalogueOf } from "./facts";
import { stageName, type Catalogue, type Reference } from "./reference";

/** The stage, how much time is left or gone, and whether anybody has said so yet. */
export function DuePill({ due, reference, category, subtype }: { due: Due; reference: Reference; category: string; subtype: string }) {
  const words = useWords();
  const language = useLanguage();
  const stage = stageName(reference.catalogue, category, subtype, due.stage, language);
  return (
    <span class={`pill state light-${due.light}`} data-light={due.light}>
      {stage} {remaining(words, due.light, due.at_ms)}{sure(words, due.estimate, due.confidence)}
    </span>
  );
}

function remaining(words: Words, light: Light, at_ms: number): string {
  const now_ms = Date.now();
  if (light === "overdue") return words.clock.over(left(words, now_ms, at_ms));
  return left(words, at_ms, now_ms);
}

function sure(words: Words, estimate: boolean, confidence: "exact" | "provisional"): string {
  if (estimate) return ` · ${words.capture.estimate}`;
  return confidence === "provisional" ? ` · ${words.clock.provisional}` : "";
}

export function Clocks({ shown, document, reference }: { shown: Shown; document: CaseDocument; reference: Reference }) {
  const words = useWords();
  const language = useLanguage();
  const catalogue = useCatalogueOf(document, reference);
  const clocks = document.clocks ?? [];
  const open = shown.look_backs.filter((task) => task.results.length === 0 && !task.dropped);
  if (clocks.length + open.length === 0) return null;
  const { category, subtype } = kindOf(document);
  return (
    <section class="card stack" aria-label={words.clock.title}>
      <h3>{words.clock.title}</h3>
      {document.suspended && <p class="note note-warn">{words.clock.suspended(day(language, document.suspended.until_ms))}</p>}
      {document.supervised && <p class="note note-warn">{words.clock.supervised}</p>}
      {document.extension && <p class="note">{words.clock.extension_asked}</p>}
      {(document.interim ?? []).map((interim) => (
        <p class={interim.asked_rev == null ? "soft" : "note note-warn"} key={interim.stage} data-interim={interim.stage}>
          {words.clock.interim(stageName(catalogue, category, subtype, interim.stage, language), interim.checks?.length ?? 0, interim.asked_rev == null ? day(language, interim.next_ms) : null)}
        </p>
      ))}
      {open.map((task) => (
        <p class={task.opened_rev == null ? "soft" : "note note-warn"} key={task.id} data-look-back={task.nth}>
          {words.look_back.due(task.nth, day(language, task.best_ms), day(language, task.due_ms), task.overdue_rev != null)}
        </p>
      ))}
      {document.urged ? <p class="soft">{words.clock.urged(document.urged)}</p> : null}
      <ul class="stack clocks">
        {clocks.map((clock, place) => {
          const light = shown.lights[place] ?? "in_time";
          const unit = clock.unit ? said(reference.units.get(clock.unit)?.name, language) : "";
          return (
            <li key={`${clock.stage} ${clock.unit ?? ""}`} data-clock={clock.stage} data-light={light}>
              <span class="row-wrap">
                <b>{stageName(catalogue, category, subtype, clock.stage, language)}</b>
                <span class={`pill state light-${light}`}>{words.clock.lights[light]}</span>
                <span class="soft">{words.clock.timed[clock.timed]} {unit}</span>
              </span>
              <span class="small number">
                {words.clock.due} {day(language, clock.due.at_ms)}{sure(words, clock.issued_rev === 0, clock.due.confidence)}
              </span>
              <Course clock={clock} />
            </li>
          );
        })}
      </ul>
      {clocks.some((clock) => isOrdered(clock, catalogue, category, subtype)) && <Order log={shown.log} entity={document.id} />}
    </section>
  );
}

/** A unit has an issued deadline by the procedure of this kind of case: it may be put on paper. */
function isOrdered(clock: Clock, catalogue: Catalogue | null, category: string, subtype: string): boolean {
  const of = catalogue?.categories.find((it) => it.code === category)?.subtypes.find((it) => it.code === subtype);
  const own = of?.stages?.some((stage) => stage.code === clock.stage) ?? false;
  return own && clock.timed === "unit" && clock.issued_rev > 0 && clock.running.is !== "stopped";
}

/** The rectification order opens in a page of its own, made by the server. */
function Order({ log, entity }: { log: string; entity: string }) {
  const words = useWords();
  const device = useDevice();
  const attempt = useAttempt();
  const open = async () => {
    // A browser opens windows only at once.
    const tab = window.open("", "_blank");
    try {
      const path = await device.order(log, entity);
      if (tab) tab.location.href = path;
      else location.assign(path);
    } catch (why) {
      tab?.close();
      throw why;
    }
  };
  return (
    <>
      <Refused attempt={attempt} />
      <Button disabled={attempt.busy} onPress={() => void attempt.run(open)}>{words.clock.order}</Button>
    </>
  );
}

/** What moved a deadline, and what was said against its being overdue: the fact stays beside it. */
function Course({ clock }: { clock: Clock }) {
  const words = useWords();
  const language = useLanguage();
  const turns = (clock.course ?? []).map((turn) =>
    turn.turn === "extension" ? words.clock.extended : words.clock.stood(day(language, turn.from_ms), day(language, turn.to_ms)),
  );
  const { appeal } = clock;
  if (clock.running.is === "met" && clock.running.by_phone) turns.push(words.clock.by_phone);
  if (appeal) {
    const refused = appeal.decisions.some((one) => !one.granted);
    turns.push(refused ? words.clock.appeal_refused : appeal.decisions.length >= 2 ? words.clock.appeal_granted : words.clock.appeal_open);
  }
  return turns.length > 0 ? <span class="small soft">{turns.join(" · ")}</span> : null;
}
