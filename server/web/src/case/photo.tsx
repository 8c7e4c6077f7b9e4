// A photo of a case: shown when it comes into view, forgotten when it leaves, large when pressed.

import { useEffect, useState } from "preact/hooks";
import type { Hash, Id } from "../device/contract";
import { useDevice, useLive, valueOf } from "../app/device";
import { Button, Icon, useSeen } from "../app/parts";
import { useWords } from "../app/settings";

/** The picture as an address that lives as long as it is shown. */
export function usePhoto(log: Id, sha256: Hash | null, size: 320 | 1280 | "original", wanted: boolean): string | null | undefined {
  const device = useDevice();
  const [url, setUrl] = useState<string | null | undefined>(undefined);
  useEffect(() => {
    if (!wanted || !sha256) return;
    let made: string | null = null;
    let gone = false;
    const show = (blob: Blob | null) => {
      if (gone) return;
      made = blob && URL.createObjectURL(blob);
      setUrl(made);
    };
    device.photo(log, sha256, size).then(show, () => show(null));
    return () => {
      gone = true;
      if (made) URL.revokeObjectURL(made);
    };
  }, [device, log, sha256, size, wanted]);
  return url;
}

export function Photo(props: { log: Id; sha256: Hash; alt: string; away?: boolean; mark?: string | null; onPress?: () => void }) {
  const words = useWords();
  const [box, seen] = useSeen();
  const url = usePhoto(props.log, props.sha256, 320, seen);
  const inside = url ? <img src={url} alt={props.alt} decoding="async" /> : (
    <span class="photo-none">{url === null ? (props.away ? words.case.photo_away : words.case.photo_unseen) : <Icon name="picture" />}</span>
  );
  const mark = props.mark && <span class="pill photo-mark">{props.mark}</span>;
  if (!props.onPress) return <span class="photo" ref={(it) => { box.current = it; }}>{inside}{mark}</span>;
  return (
    <button type="button" class="photo" aria-label={props.alt} onClick={props.onPress} ref={(it) => { box.current = it; }}>
      {inside}
      {mark}
    </button>
  );
}

/** A case's first photo, in a list. */
export function CasePhoto({ log, id, count }: { log: Id; id: Id; count: number }) {
  const words = useWords();
  const [box, seen] = useSeen();
  const first = useLive(
    async (device) => {
      if (!seen || count === 0) return null;
      const shown = await device.show(log, id);
      const evidence: { sha256: Hash; role: string; withdrawn: unknown }[] = shown?.document.evidence ?? [];
      const standing = evidence.filter((one) => !one.withdrawn);
      return (standing.find((one) => one.role === "before") ?? standing[0])?.sha256 ?? null;
    },
    [],
    [seen, id, count],
  );
  const sha256 = valueOf(first);
  const url = usePhoto(log, sha256, 320, seen);
  return (
    <span class="photo" ref={(it) => { box.current = it; }}>
      {url ? <img src={url} alt="" decoding="async" /> : <span class="photo-none">{count === 0 ? words.none : <Icon name="picture" />}</span>}
    </span>
  );
}

export function Large({ log, sha256, words: caption, onClose }: { log: Id; sha256: Hash; words: string; onClose: () => void }) {
  const words = useWords();
  const url = usePhoto(log, sha256, 1280, true);
  useEffect(() => {
    const key = (event: KeyboardEvent) => event.key === "Escape" && onClose();
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, []);
  return (
    <div class="large" role="dialog" aria-modal="true" aria-label={caption}>
      {url ? <img src={url} alt={caption} /> : <p class="camera-none">{url === null ? words.case.photo_unseen : words.loading}</p>}
      <div class="large-foot">
        <span class="grow">{caption}</span>
        <Button onPress={onClose}><Icon name="close" />{words.close}</Button>
      </div>
    </div>
  );
}
