// Which face is shown: nobody enrolled, nobody open, or a person at work.

import { useEffect, useState } from "preact/hooks";
import { start } from "../device/start";
import type { Device, Person } from "../device/contract";
import { DeviceContext, useChanges, useDevice, useLive } from "./device";
import { Trouble, Waiting } from "./parts";
import { Face } from "./face";
import { Newer } from "./newer";
import { lacks } from "./browser";
import { useWords } from "./settings";
import { Enrol } from "../faces/start/enrol";
import { People } from "../faces/start/people";

export function App() {
  const words = useWords();
  const [device, setDevice] = useState<Device | null>(null);
  const [why, setWhy] = useState<unknown>(null);
  const [missing] = useState(lacks);
  useEffect(() => {
    if (missing.length === 0) start().then(setDevice, setWhy);
  }, []);
  if (missing.length > 0) return <main class="alone"><p class="note note-bad">{words.start.old + missing.join(", ")}</p></main>;
  if (why) return <main class="alone"><h1>{words.product}</h1><Trouble why={why} /></main>;
  if (!device) return <Waiting />;
  return (
    <DeviceContext.Provider value={device}>
      <Newer />
      <Gate />
    </DeviceContext.Provider>
  );
}

/** Nobody is enrolled; several are, and one must say who; or the one person is simply opened. */
function Gate() {
  const device = useDevice();
  useChanges(["people"]);
  const [adding, setAdding] = useState(false);
  const people = useLive((device) => device.people(), ["people"], []);
  const alone = people.is === "here" && people.value.length === 1 && !people.value[0]?.locked ? people.value[0] : null;
  if (people.is === "loading") return <Waiting />;
  if (people.is === "failed") return <main class="alone"><Trouble why={people.why} /></main>;
  if (device.me() && !adding) return <Face key={device.me()?.account} onAdd={() => setAdding(true)} />;
  if (people.value.length === 0 || adding) {
    return <Enrol others={people.value} onDone={() => setAdding(false)} onBack={adding ? () => setAdding(false) : null} />;
  }
  if (alone) return <OpenAlone person={alone} />;
  return <People people={people.value} onAdd={() => setAdding(true)} />;
}

function OpenAlone({ person }: { person: Person }) {
  const device = useDevice();
  const [why, setWhy] = useState<unknown>(null);
  useEffect(() => {
    device.open(person.name, null).catch(setWhy);
  }, [person.name]);
  return why ? <main class="alone"><Trouble why={why} /></main> : <Waiting />;
}
