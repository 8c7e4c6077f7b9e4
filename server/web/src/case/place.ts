// Where this phone is, and how far it is to something. Positions are WGS-84.

import { useEffect, useState } from "preact/hooks";

export interface Fix {
  lat: number;
  lon: number;
  accuracy_m: number;
  at_ms: number;
}

export type Finding = { is: "looking" } | { is: "here"; fix: Fix } | { is: "none" };

let last: Fix | null = null;

/** Follows the phone while it is shown; `count` begins again. */
export function useFix(count = 0): Finding {
  const [finding, setFinding] = useState<Finding>(last ? { is: "here", fix: last } : { is: "looking" });
  useEffect(() => {
    if (!("geolocation" in navigator)) return setFinding({ is: "none" });
    const found = ({ coords, timestamp }: GeolocationPosition) => {
      last = { lat: coords.latitude, lon: coords.longitude, accuracy_m: Math.round(coords.accuracy), at_ms: timestamp };
      setFinding({ is: "here", fix: last });
    };
    const failed = () => setFinding((before) => (before.is === "here" ? before : { is: "none" }));
    const watch = navigator.geolocation.watchPosition(found, failed, { enableHighAccuracy: true, maximumAge: 5000, timeout: 20_000 });
    return () => navigator.geolocation.clearWatch(watch);
  }, [count]);
  return finding;
}

export function lastFix(): Fix | null {
  return last;
}

const EARTH_M = 6_371_000;
const RADIAN = Math.PI / 180;

/** Metres, for sorting and for people; nothing is decided by it. */
export function metres(from: { lat: number; lon: number }, to: { lat: number; lon: number }): number {
  const north = (to.lat - from.lat) * RADIAN;
  const east = (to.lon - from.lon) * RADIAN * Math.cos(((from.lat + to.lat) / 2) * RADIAN);
  return Math.hypot(north, east) * EARTH_M;
}

export interface PositionE7 {
  lat_e7: number;
  lon_e7: number;
  accuracy_m?: number;
}

export function toE7(fix: { lat: number; lon: number; accuracy_m?: number }): PositionE7 {
  const position: PositionE7 = { lat_e7: Math.round(fix.lat * 1e7), lon_e7: Math.round(fix.lon * 1e7) };
  if (fix.accuracy_m !== undefined) position.accuracy_m = Math.max(0, Math.round(fix.accuracy_m));
  return position;
}

/** The contract's rows give positions in 1e-7 degrees. */
export function ofRow(position: { lat: number; lon: number }): { lat: number; lon: number } {
  return { lat: position.lat / 1e7, lon: position.lon / 1e7 };
}
