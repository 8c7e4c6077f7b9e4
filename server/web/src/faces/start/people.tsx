// Several people on one phone: each opens their own store with their PIN, without a network.

import { useState } from "preact/hooks";
import type { Person } from "../../device/contract";
import { useAttempt, useDevice } from "../../app/device";
import { Button, Icon, Input, Refused } from "../../app/parts";
import { useWords } from "../../app/settings";
import { WipedNotes } from "./wiped";

export function People({ people, onAdd }: { people: Person[]; onAdd: () => void }) {
  const words = useWords();
  const device = useDevice();
  const attempt = useAttempt();
  const [chosen, setChosen] = useState<Person | null>(null);
  const [pin, setPin] = useState("");
  const open = (person: Person, pin: string | null) => attempt.run(() => device.open(person.name, pin));
  const choose = (person: Person) => {
    setPin("");
    if (person.locked) setChosen(person);
    else void open(person, null);
  };
  return (
    <main class="alone">
      <div class="row">
        <img class="mark" src="/icons/icon.svg" alt="" />
        <h1>{words.people.nobody}</h1>
      </div>
      <WipedNotes />
      {people.map((person) => (
        <button type="button" key={person.name} class="button button-wide row" aria-pressed={chosen?.name === person.name} onClick={() => choose(person)}>
          <Icon name="person" />
          <span class="grow cut" style={{ textAlign: "left" }}>{person.name}</span>
          {person.unsent > 0 && <span class="small soft">{words.people.unsent(person.unsent)}</span>}
        </button>
      ))}
      {chosen && (
        <form class="card stack" onSubmit={(event) => { event.preventDefault(); void open(chosen, pin); }}>
          <Input label={words.people.pin(chosen.name)} value={pin} onChange={setPin} type="password" most={64} complete="current-password" />
          <Refused attempt={attempt} />
          <button type="submit" class="button button-main" disabled={pin === "" || attempt.busy}>{words.people.open}</button>
        </form>
      )}
      {!chosen && <Refused attempt={attempt} />}
      <Button look="bare" onPress={onAdd}><Icon name="plus" />{words.people.add}</Button>
    </main>
  );
}
