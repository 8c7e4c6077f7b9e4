// Where: found by the phone, with its accuracy said; by hand where the phone finds nothing.

import { useEffect, useState } from "preact/hooks";
import { Button, Icon, Input } from "../app/parts";
import { useWords } from "../app/settings";
import { toE7, useFix, type PositionE7 } from "../case/place";

/** Beyond this the place says little about which stall it is. */
const ROUGH_M = 100;

export function PlaceInput({ value, onChange }: { value: PositionE7 | null; onChange: (position: PositionE7) => void }) {
  const words = useWords();
  const [asked, setAsked] = useState(0);
  const [byHand, setByHand] = useState(false);
  const finding = useFix(asked);
  const fix = finding.is === "here" ? finding.fix : null;
  useEffect(() => {
    // A better fix of where the person still stands takes the place of a worse one; one by hand stays.
    const better = fix && (!value || (value.accuracy_m !== undefined && fix.accuracy_m < value.accuracy_m));
    if (better && !byHand) onChange(toE7(fix));
  }, [fix?.accuracy_m]);
  const accuracy = value?.accuracy_m;
  return (
    <div class={`note stack ${value ? (accuracy !== undefined && accuracy > ROUGH_M ? "note-warn" : "note-good") : "note-warn"}`} style={{ gap: "6px" }}>
      <div class="row">
        <Icon name="place" />
        <span class="grow">
          <b>{words.capture.position}</b>{" "}
          {value ? (
            <span class="number">
              {(value.lat_e7 / 1e7).toFixed(5)}, {(value.lon_e7 / 1e7).toFixed(5)}
              {accuracy !== undefined && ` · ${words.capture.accuracy(accuracy)}`}
              {accuracy !== undefined && accuracy > ROUGH_M && ` · ${words.capture.rough}`}
            </span>
          ) : finding.is === "looking" ? words.capture.locating : words.capture.no_position}
        </span>
      </div>
      <div class="row-wrap">
        <Button look="bare" onPress={() => { setByHand(false); setAsked(asked + 1); if (fix) onChange(toE7(fix)); }}>{words.capture.locate}</Button>
        <Button look="bare" pressed={byHand} onPress={() => setByHand(!byHand)}>{words.capture.by_hand}</Button>
      </div>
      {byHand && <ByHand value={value} onChange={onChange} />}
    </div>
  );
}

function ByHand({ value, onChange }: { value: PositionE7 | null; onChange: (position: PositionE7) => void }) {
  const words = useWords();
  const [lat, setLat] = useState(value ? String(value.lat_e7 / 1e7) : "");
  const [lon, setLon] = useState(value ? String(value.lon_e7 / 1e7) : "");
  const fits = (text: string, most: number) => /^-?\d{1,3}(\.\d+)?$/.test(text.trim()) && Math.abs(Number(text)) <= most;
  const change = (lat: string, lon: string) => {
    setLat(lat);
    setLon(lon);
    if (fits(lat, 90) && fits(lon, 180)) onChange(toE7({ lat: Number(lat), lon: Number(lon) }));
  };
  const fault = lat && lon && !(fits(lat, 90) && fits(lon, 180)) ? words.capture.position_fault : null;
  return (
    <div class="row" style={{ alignItems: "flex-start" }}>
      <Input label={words.capture.lat} value={lat} mode="decimal" onChange={(text) => change(text, lon)} fault={fault} />
      <Input label={words.capture.lon} value={lon} mode="decimal" onChange={(text) => change(lat, text)} />
    </div>
  );
}
