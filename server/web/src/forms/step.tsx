// One step on a case: its form by its kind, its draft on disk, its photos, and what this phone thinks of it.

import { useEffect, useState } from "preact/hooks";
import type { DraftRecord, Shown } from "../device/contract";
import { useAttempt, useDevice, useLive } from "../app/device";
import { Button, Empty, Refused, Show, Waiting } from "../app/parts";
import { caseAt, go } from "../app/route";
import { useWords } from "../app/settings";
import { standing, type CaseDocument, type EvidenceRole } from "../case/document";
import { useReference } from "../case/reference";
import { Photo } from "../case/photo";
import { Sheet } from "../faces/phone/capture";
import { Camera } from "../photo/camera";
import { FORMS, type Form } from "./kinds";
import { emptyDraft, findDraft, useDrafting } from "./draft";

interface Asked {
  log: string;
  id: string;
  kind: string;
  draft: string | null;
}

export function Step({ log, id, kind, draft }: Asked) {
  const words = useWords();
  const device = useDevice();
  const [first, setFirst] = useState<DraftRecord | null>(null);
  const shown = useLive((device) => device.show(log, id), [], [log, id]);
  useEffect(() => {
    const begin = (found: DraftRecord | null) => setFirst(found ?? emptyDraft(kind, log, id));
    findDraft(device, draft).then(begin, () => begin(null));
  }, []);
  const form = FORMS[kind];
  if (!first) return <Waiting />;
  return (
    <Show loaded={shown}>
      {(shown) => (shown && form ? <Filling shown={shown} first={first} form={form} /> : <Empty icon="list">{words.case.gone}</Empty>)}
    </Show>
  );
}

function Filling({ shown, first, form }: { shown: Shown; first: DraftRecord; form: Form }) {
  const words = useWords();
  const device = useDevice();
  const attempt = useAttempt();
  const drafting = useDrafting(first);
  const [shooting, setShooting] = useState(false);
  const { draft } = drafting;
  const document = shown.document as CaseDocument;
  const reference = useReference(shown.log);
  const role = form.photos?.(document) ?? null;
  const at = caseAt(shown.log, document.id);
  const fault = form.fault?.({ draft, document, reference, words }) ?? null;
  const send = () =>
    attempt.run(async () => {
      await drafting.flush();
      await device.capture({ ...draft, case: form.entity?.(shown) ?? draft.case, body: form.body?.(draft, document) ?? draft.body, changed_ms: Date.now() });
      device.sync();
      go(at);
    });
  const leave = async () => {
    if (draft.photos.length === 0 && Object.keys(draft.values).length === 0) await device.dropDraft(draft.id);
    go(at);
  };
  if (shooting && role) {
    return (
      <Camera
        log={shown.log}
        taken={draft.photos.map((photo) => photo.sha256)}
        side={reference.catalogue?.photo_side_px}
        onTaken={(photo) => drafting.change({ photos: [...drafting.draft.photos, { sha256: photo.sha256, role: roleOf(draft, role) }] })}
        onDone={() => setShooting(false)}
        onBack={() => setShooting(false)}
      />
    );
  }
  return (
    <Sheet title={words.steps[draft.kind] ?? draft.kind} onBack={() => void leave()}>
      <p class="soft">{document.number ?? document.short_code} · {words.states[document.state]}</p>
      {!shown.can.includes(draft.kind) && <p class="note note-warn">{words.form.not_now}</p>}
      {role && <Photos draft={draft} log={shown.log} missing={form.needs?.(document, reference) ?? 0} onShoot={() => setShooting(true)} onDrop={(sha256) => void drafting.change({ photos: draft.photos.filter((photo) => photo.sha256 !== sha256) })} />}
      <form.Fields drafting={drafting} document={document} reference={reference} log={shown.log} />
      <p class="hint">{words.form.settle_hint}</p>
      <Refused attempt={attempt} />
      <div class="foot">
        <Button look={draft.kind === "void" || draft.kind === "decline" ? "bad" : "main"} disabled={Boolean(fault) || attempt.busy} onPress={() => void send()}>
          {fault ?? words.steps[draft.kind] ?? words.form.confirm}
        </Button>
      </div>
    </Sheet>
  );
}

function roleOf(draft: DraftRecord, role: EvidenceRole): EvidenceRole {
  return (draft.page?.role as EvidenceRole | undefined) ?? role;
}

function Photos({ draft, log, missing, onShoot, onDrop }: { draft: DraftRecord; log: string; missing: number; onShoot: () => void; onDrop: (sha256: string) => void }) {
  const words = useWords();
  const still = missing - draft.photos.length;
  return (
    <section class="stack" aria-label={words.form.photos}>
      <h2 class="quiet-head">{words.form.photos}</h2>
      {draft.photos.length > 0 && (
        <div class="photos">
          {draft.photos.map((photo) => (
            <figure key={photo.sha256}>
              <Photo log={log} sha256={photo.sha256} alt={words.form.photos} mark={words.case.photo_here} />
              <Button look="bare" onPress={() => onDrop(photo.sha256)}>{words.tasks.drop}</Button>
            </figure>
          ))}
        </div>
      )}
      <Button look={draft.photos.length === 0 ? "main" : undefined} onPress={onShoot}>{words.form.add_photo}</Button>
      {still > 0 && <p class="hint">{words.form.missing_photos(still)}</p>}
    </section>
  );
}

/** Photos of a role that the case has already, received or not. */
export function photosOf(document: CaseDocument, role: EvidenceRole): number {
  return standing(document).filter((one) => one.role === role).length;
}
