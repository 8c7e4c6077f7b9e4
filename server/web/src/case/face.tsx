// One case: its photos first, then how it stands, what one may do, what it is, and how it came to be so.

import type { OwnStep, Shown } from "../device/contract";
import { useEffect } from "preact/hooks";
import { useDevice, useLive, useMe } from "../app/device";
import { Framed } from "../app/face";
import { Empty, Show, StatePill } from "../app/parts";
import { caseAt } from "../app/route";
import { useLanguage, useWords } from "../app/settings";
import { far } from "../words";
import { Clocks } from "./clocks";
import { Conflicts } from "./conflicts";
import { standing, kindOf, positionOf, subjectOf, type CaseDocument } from "./document";
import { Facts } from "./facts";
import { Gallery } from "./gallery";
import { metres, useFix } from "./place";
import { kindName, useReference } from "./reference";
import { Tale } from "./tale";
import { Told } from "./told";
import { orderOf, stepsFor } from "../forms/order";

export function CaseFace({ log, id }: { log: string; id: string }) {
  const words = useWords();
  const shown = useLive((device) => device.show(log, id), ["cases", "status", "photo"], [log, id]);
  return (
    <Framed title={words.case.title} place="case" deep wide>
      <Show loaded={shown}>{(shown) => (shown ? <Story shown={shown} /> : <Empty icon="list">{words.case.gone}</Empty>)}</Show>
    </Framed>
  );
}

function Story({ shown }: { shown: Shown }) {
  const words = useWords();
  const language = useLanguage();
  const document = shown.document as CaseDocument;
  const reference = useReference(shown.log);
  const finding = useFix();
  const { category, subtype } = kindOf(document);
  const title = kindName(reference.catalogue, category, subtype, language);
  const subject = subjectOf(document);
  const position = positionOf(document);
  const device = useDevice();
  useEffect(() => {
    if (shown.base_rev !== null) device.noteOpened(shown.log, document.id);
  }, [document.id, shown.base_rev]);
  const away = finding.is === "here" && position ? metres(finding.fix, { lat: position.lat_e7 / 1e7, lon: position.lon_e7 / 1e7 }) : null;
  return (
    <div class="two" data-state={document.state}>
      <div class="stack">
        <div class="stack" style={{ gap: "6px" }}>
          <h2>{subject ? `${title} · ${subject}` : title}</h2>
          <p class="row-wrap small">
            <StatePill state={document.state} />
            <span class="number">{document.number ?? words.case.no_number}</span>
            <span class="number soft">{document.short_code}</span>
            {away !== null && <b>{far(words, away)}</b>}
          </p>
        </div>
        <Gallery log={shown.log} document={document} />
        <Chain shown={shown} document={document} />
      </div>
      <div class="stack">
        <Conflicts shown={shown} document={document} />
        <Clocks shown={shown} document={document} reference={reference} />
        <Steps shown={shown} document={document} />
        <Facts log={shown.log} document={document} reference={reference} />
        <Told shown={shown} reference={reference} />
        <Tale shown={shown} document={document} reference={reference} />
      </div>
    </div>
  );
}

/** On this phone → received → decided → photos n of m: only what is so. */
function Chain({ shown, document }: { shown: Shown; document: CaseDocument }) {
  const words = useWords();
  const waiting = shown.own.filter((step) => step.waiting);
  const unsent = waiting.filter((step) => step.outcome === null);
  const photos = standing(document);
  const received = photos.filter((one) => one.verified_rev !== null).length;
  const links: { text: string; is: "reached" | "now" | "" }[] = [
    { text: words.chain.phone, is: unsent.length > 0 ? "now" : "reached" },
    { text: words.chain.received, is: unsent.length > 0 || shown.base_rev === null ? "" : "reached" },
    { text: words.chain.decided, is: waiting.length > 0 || shown.base_rev === null ? "" : "reached" },
    { text: words.chain.photos(received, photos.length), is: received === photos.length ? "reached" : "now" },
  ];
  return (
    <section class="card stack">
      <ol class="chain">
        {links.map(({ text, is }) => <li key={text} class={is}>{text}</li>)}
      </ol>
      {waiting.length > 0 && <Own steps={waiting} />}
    </section>
  );
}

function Own({ steps }: { steps: OwnStep[] }) {
  const words = useWords();
  return (
    <ul class="small soft">
      {steps.map((step) => (
        <li key={step.op}>
          {words.steps[step.kind] ?? step.kind}{words.colon}
          {step.outcome === null ? words.chain.phone : words.chain.received}
        </li>
      ))}
    </ul>
  );
}

function Steps({ shown, document }: { shown: Shown; document: CaseDocument }) {
  const words = useWords();
  const { grants } = useMe();
  const steps = stepsFor(shown.can, document);
  const reads = grants.length > 0 && grants.every((grant) => grant.role === "auditor" || grant.role === "admin");
  if (steps.length === 0) return reads ? null : <p class="soft">{words.case.nothing}</p>;
  const [first, ...rest] = steps;
  const leads = first !== undefined && orderOf(first) < 10;
  const minor = leads ? rest : steps;
  return (
    <section class="card stack" aria-label={words.case.do}>
      <h3>{words.case.do}</h3>
      {leads && <a class="button button-main button-wide" href={`#${caseAt(shown.log, document.id)}/do/${first}`}>{words.steps[first]}</a>}
      <div class="things">
        {minor.map((kind) => (
          <a class="button" key={kind} href={`#${caseAt(shown.log, document.id)}/do/${kind}`}>
            {words.steps[kind] ?? kind}
          </a>
        ))}
      </div>
    </section>
  );
}
