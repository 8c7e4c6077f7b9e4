// The camera inside the page: the shutter answers when the photo is on disk. Without it, the system's own camera.

import { useEffect, useRef, useState } from "preact/hooks";
import type { Id, TakenPhoto } from "../device/contract";
import { useAttempt, useDevice } from "../app/device";
import { Button, Icon, Refused } from "../app/parts";
import { useWords } from "../app/settings";
import { Standing as Unsent } from "../app/standing";
import { lastFix, useFix } from "../case/place";
import { Photo } from "../case/photo";
import { fromCamera, fromFile, SIDE_PX } from "./take";

interface Shown {
  log: Id;
  /** Photos taken so far. */
  taken: string[];
  side?: number;
  /** The photo is on disk; it waits until the draft is, too. */
  onTaken: (photo: TakenPhoto) => Promise<void>;
  onDone: () => void;
  onBack: () => void;
}

type Standing = "starting" | "on" | "none";

export function Camera({ log, taken, side = SIDE_PX, onTaken, onDone, onBack }: Shown) {
  const words = useWords();
  const device = useDevice();
  const attempt = useAttempt();
  const video = useRef<HTMLVideoElement>(null);
  const [standing, setStanding] = useState<Standing>("starting");
  const finding = useFix();
  useEffect(() => openCamera(video, setStanding), []);
  const keep = (make: () => Promise<TakenPhoto>) =>
    attempt.run(async () => {
      const photo = await make();
      await device.keepPhoto(photo);
      await onTaken(photo);
    });
  const shoot = () => {
    const now = video.current;
    if (now && standing === "on") void keep(() => fromCamera(now, lastFix(), side));
  };
  const files = async (list: FileList | null, source: "system_camera" | "library") => {
    for (const file of Array.from(list ?? [])) await keep(() => fromFile(file, source, lastFix(), side));
  };
  return (
    <div class="camera" role="dialog" aria-label={words.capture.title}>
      <div class="camera-top">
        <Button label={words.back} onPress={onBack}><Icon name="close" /></Button>
        <span class="pill" style={{ "--tone": "#fff", "--tone-soft": "#000a" }}>
          {finding.is === "here" ? words.capture.accuracy(finding.fix.accuracy_m) : finding.is === "looking" ? words.capture.locating : words.capture.no_position.split(/[。.]/)[0]}
        </span>
      </div>
      <div class="camera-unsent"><Unsent /></div>
      {standing === "none" ? (
        <div class="camera-none">
          <p>{words.capture.no_camera}</p>
          <FileButton text={words.capture.system} capture onFiles={(list) => void files(list, "system_camera")} />
        </div>
      ) : (
        <video ref={video} playsInline muted aria-label={words.capture.starting} />
      )}
      <Refused attempt={attempt} />
      {taken.length > 0 && (
        <div class="taken">
          {taken.map((sha256) => <Photo key={sha256} log={log} sha256={sha256} alt={words.form.photos} />)}
        </div>
      )}
      <div class="camera-foot">
        <FileButton text={words.capture.library} onFiles={(list) => void files(list, "library")} />
        {standing === "none" ? <span /> : <button type="button" class="shutter" aria-label={words.capture.shutter} disabled={attempt.busy || standing !== "on"} onClick={shoot} />}
        <Button look="main" disabled={taken.length === 0 || attempt.busy} onPress={onDone}>
          {words.next}{taken.length > 0 ? ` · ${taken.length}` : ""}
        </Button>
      </div>
    </div>
  );
}

/** Opens the camera while it is shown, and gives it back. */
function openCamera(video: { current: HTMLVideoElement | null }, told: (standing: Standing) => void): () => void {
  let stream: MediaStream | null = null;
  let ended = false;
  const open = async () => {
    if (!navigator.mediaDevices?.getUserMedia) return told("none");
    const wish = { facingMode: "environment", width: { ideal: 1920 }, height: { ideal: 1440 } };
    stream = await navigator.mediaDevices.getUserMedia({ video: wish, audio: false });
    if (ended || !video.current) return stream.getTracks().forEach((track) => track.stop());
    video.current.srcObject = stream;
    await video.current.play();
    told("on");
  };
  open().catch(() => told("none"));
  return () => {
    ended = true;
    stream?.getTracks().forEach((track) => track.stop());
  };
}

export function FileButton({ text, capture, onFiles }: { text: string; capture?: boolean; onFiles: (files: FileList | null) => void }) {
  return (
    <label class="button">
      {text}
      <input
        class="only-heard"
        type="file"
        accept="image/*"
        multiple={!capture}
        capture={capture ? "environment" : undefined}
        onChange={(event) => {
          onFiles(event.currentTarget.files);
          event.currentTarget.value = "";
        }}
      />
    </label>
  );
}
