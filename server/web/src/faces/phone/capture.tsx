// A report in under twenty seconds: photo, kind, look over, done. Every step is on disk before the next one is shown.

import { useEffect, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import type { DraftRecord, Receipt, TakenPhoto } from "../../device/contract";
import { useAttempt, useDevice, useMe } from "../../app/device";
import { Button, Icon, Waiting } from "../../app/parts";
import { caseAt, go, replace } from "../../app/route";
import { Standing } from "../../app/standing";
import { useWords } from "../../app/settings";
import { lastFix, toE7, type PositionE7 } from "../../case/place";
import { useReference } from "../../case/reference";
import { emptyDraft, findDraft, merged, useDrafting } from "../../forms/draft";
import { Camera } from "../../photo/camera";
import { Details } from "./details";
import { Kinds } from "./kinds";

type Stage = "photos" | "kind" | "details";

export function Capture({ draft }: { draft: string | null }) {
  const device = useDevice();
  const [first, setFirst] = useState<DraftRecord | null>(null);
  const me = useMe();
  useEffect(() => {
    findDraft(device, draft).then(
      (found) => setFirst(found ?? { ...emptyDraft("report", me.logs[0]?.log ?? null, null), body: { source: { channel: "patrol" } } }),
      () => setFirst(emptyDraft("report", me.logs[0]?.log ?? null, null)),
    );
  }, []);
  return first ? <Flow first={first} /> : <Waiting />;
}

function Flow({ first }: { first: DraftRecord }) {
  const words = useWords();
  const device = useDevice();
  const attempt = useAttempt();
  const drafting = useDrafting(first);
  const [receipt, setReceipt] = useState<Receipt | null>(null);
  const { draft } = drafting;
  const log = draft.log ?? "";
  const reference = useReference(log);
  const stage: Stage = draft.page?.stage ?? "photos";
  const to = (stage: Stage) => drafting.change({ page: { ...draft.page, stage } });

  const taken = async (photo: TakenPhoto) => {
    const fix = lastFix();
    const body = fix && !draft.body.position ? { ...draft.body, position: toE7(fix) } : draft.body;
    const at = body.position as PositionE7 | undefined;
    const found = at ? await device.logAt({ lat: at.lat_e7, lon: at.lon_e7 }).catch(() => null) : null;
    await drafting.change({ body, log: found ?? draft.log, photos: [...draft.photos, { sha256: photo.sha256, role: "before" }], page: { ...draft.page, stage: "photos" } });
    // Whoever has gone elsewhere meanwhile is not taken back.
    if (draft.photos.length === 0 && location.hash.startsWith("#/capture")) replace(`/capture/${draft.id}`);
  };
  const send = (outcome: string | null) =>
    attempt.run(async () => {
      await drafting.flush();
      const body = merged(draft.body, { catalogue: reference.hash, outcome });
      const kind = outcome === null ? "report" : "settle_on_site";
      setReceipt(await device.capture({ ...draft, kind, body, changed_ms: Date.now() }));
      device.sync();
    });

  if (receipt) return <Saved receipt={receipt} log={log} />;
  if (stage === "photos") {
    return (
      <Camera
        log={log}
        taken={draft.photos.map((photo) => photo.sha256)}
        side={reference.catalogue?.photo_side_px}
        onTaken={taken}
        onDone={() => void to(draft.body.subtype ? "details" : "kind")}
        onBack={() => go("/tasks")}
      />
    );
  }
  if (stage === "kind") {
    const chosen = (category: string, subtype: string) => {
      const same = draft.body.category === category && draft.body.subtype === subtype;
      const fields = same ? draft.body.fields : undefined;
      void drafting.change({ body: merged(draft.body, { category, subtype, fields }), page: { ...draft.page, stage: "details" } });
    };
    return (
      <Sheet title={words.capture.kind} onBack={() => void to("photos")}>
        <Kinds catalogue={reference.catalogue} chosen={draft.body.subtype} onChosen={chosen} />
      </Sheet>
    );
  }
  return (
    <Sheet title={words.capture.details} onBack={() => void to("kind")}>
      <Details drafting={drafting} reference={reference} attempt={attempt} onPhotos={() => void to("photos")} onKind={() => void to("kind")} onSend={(outcome) => void send(outcome)} />
    </Sheet>
  );
}

export function Sheet({ title, onBack, children }: { title: string; onBack: () => void; children: ComponentChildren }) {
  const words = useWords();
  return (
    <div class="frame">
      <header class="top">
        <div class="top-line">
          <Button look="bare" label={words.back} onPress={onBack}><Icon name="back" /></Button>
          <h1 class="cut">{title}</h1>
        </div>
        <Standing />
      </header>
      <main class="main stack" style={{ paddingBottom: "0" }}>{children}</main>
    </div>
  );
}

function Saved({ receipt, log }: { receipt: Receipt; log: string }) {
  const words = useWords();
  return (
    <div class="frame">
      <header class="top"><Standing /></header>
      <main class="alone saved" data-entity={receipt.entity}>
        <div class="empty" role="status">
          <Icon name="check" />
          <h1>{words.capture.saved}</h1>
          <p class="code">{receipt.short_code}</p>
          <p>{words.capture.saved_more}</p>
        </div>
        <a class="button button-main button-wide" href="#/capture"><Icon name="camera" />{words.capture.again}</a>
        <a class="button button-wide" href={`#${caseAt(log, receipt.entity)}`}>{words.capture.look}</a>
        <a class="button button-bare button-wide" href="#/tasks">{words.done}</a>
      </main>
    </div>
  );
}
