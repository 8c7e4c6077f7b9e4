// Reads an enrolment code from a picture of it, where the browser can.

import { useEffect, useRef, useState } from "preact/hooks";
import { Button, Icon } from "../../app/parts";
import { useWords } from "../../app/settings";

interface Detector {
  detect(source: HTMLVideoElement): Promise<{ rawValue: string }[]>;
}
type DetectorKind = new (options: { formats: string[] }) => Detector;

function detectorKind(): DetectorKind | undefined {
  return (window as unknown as { BarcodeDetector?: DetectorKind }).BarcodeDetector;
}

export function canScan(): boolean {
  return Boolean(detectorKind() && navigator.mediaDevices?.getUserMedia);
}

/** The code itself, or the page's address with the code in it. */
export function codeIn(text: string): string | null {
  const found = /(?:code=|^)([0-9A-Za-z]{4}-?[0-9A-Za-z]{4}-?[0-9A-Za-z]{4})$/.exec(text.trim());
  return found?.[1] ?? null;
}

export function Scan({ onFound, onBack }: { onFound: (code: string) => void; onBack: () => void }) {
  const words = useWords();
  const video = useRef<HTMLVideoElement>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    const Kind = detectorKind();
    let ended = false;
    let stream: MediaStream | null = null;
    const look = async (detector: Detector) => {
      while (!ended && video.current) {
        const found = await detector.detect(video.current).catch(() => []);
        const code = found.map((it) => codeIn(it.rawValue)).find(Boolean);
        if (code) return onFound(code);
        await new Promise((next) => setTimeout(next, 200));
      }
    };
    const begin = async () => {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      if (ended || !video.current || !Kind) return stream.getTracks().forEach((track) => track.stop());
      video.current.srcObject = stream;
      await video.current.play();
      await look(new Kind({ formats: ["qr_code"] }));
    };
    begin().catch(() => setFailed(true));
    return () => {
      ended = true;
      stream?.getTracks().forEach((track) => track.stop());
    };
  }, []);
  return (
    <div class="camera">
      <div class="camera-top">
        <Button label={words.back} onPress={onBack}><Icon name="close" /></Button>
      </div>
      {failed ? <p class="camera-none">{words.start.no_scan}</p> : <video ref={video} playsInline muted aria-label={words.start.scan_hint} />}
      <p class="camera-foot">{words.start.scan_hint}</p>
    </div>
  );
}
