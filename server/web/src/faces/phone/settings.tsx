// The person, the phone, and how they like to read.

import { useState } from "preact/hooks";
import { useAttempt, useDevice, useLive, useMe, valueOf } from "../../app/device";
import { Button, Choices, Icon, Input, Refused } from "../../app/parts";
import { setSettings, useSettings, useWords } from "../../app/settings";
import { said } from "../../words";
import { areaName, useReference } from "../../case/reference";

export function Settings({ onAdd }: { onAdd: () => void }) {
  const words = useWords();
  const { language, contrast, large } = useSettings();
  const device = useDevice();
  const me = useMe();
  const people = valueOf(useLive((device) => device.people(), ["people"], [])) ?? [];
  const reference = useReference(me.logs[0]?.log ?? null);
  const name = reference.accounts.get(me.account)?.name ?? me.login;
  return (
    <div class="stack">
      <section class="card stack">
        <div class="row">
          <Icon name="person" />
          <h2 class="grow">{name}</h2>
        </div>
        <ul class="small soft">
          {me.grants.map((grant) => (
            <li key={`${grant.role}${grant.area}`}>
              {words.roles[grant.role]} {grant.area && areaName(reference, grant.area, language)}
            </li>
          ))}
          {me.logs.map((log) => <li key={log.log}>{said(log.name, language)}</li>)}
        </ul>
        {people.some((person) => person.locked) && (
          <Button onPress={() => void device.lock()}><Icon name="people" />{words.people.lock}</Button>
        )}
        {people.some((person) => person.account === me.login && !person.locked) && <Pin />}
        <Button look="bare" onPress={onAdd}><Icon name="plus" />{words.people.add}</Button>
      </section>
      <section class="card stack">
        <Choices label={words.settings.language} of={[{ value: "zh", text: "简体中文" }, { value: "en", text: "English" }]} value={language} onChange={(language) => setSettings({ language })} />
        <div class="choices">
          <button type="button" class="choice" aria-pressed={contrast} onClick={() => setSettings({ contrast: !contrast })}>{words.settings.contrast}</button>
          <button type="button" class="choice" aria-pressed={large} onClick={() => setSettings({ large: !large })}>{words.settings.large}</button>
        </div>
      </section>
      <Told />
      <a class="button button-wide" href="#/changes"><Icon name="people" />{words.changes.title}</a>
      <a class="button button-wide" href="#/sending"><Icon name="send" />{words.unsent_page.title}</a>
      <p class="small soft number">{words.settings.device}{words.colon}{me.device}</p>
    </div>
  );
}

/** Being told in this browser, by the person's own word. */
function Told() {
  const words = useWords();
  const device = useDevice();
  const attempt = useAttempt();
  const state = valueOf(useLive((device) => device.pushState(), ["people", "connection"], []));
  if (state === null) return null;
  const can = state === "on" || state === "off";
  return (
    <section class="card stack" data-push={state}>
      <p class="small soft">{words.push[state]}</p>
      <Refused attempt={attempt} />
      {can && (
        <Button disabled={attempt.busy} onPress={() => void attempt.run(() => device.push(state === "off"))}>
          <Icon name="bell" />{state === "off" ? words.push.begin : words.push.end}
        </Button>
      )}
    </section>
  );
}

/** For somebody who has none. */
function Pin() {
  const words = useWords();
  const device = useDevice();
  const attempt = useAttempt();
  const [pin, setPin] = useState<string | null>(null);
  if (pin === null) return <Button look="bare" onPress={() => setPin("")}><Icon name="check" />{words.people.set_pin}</Button>;
  return (
    <form class="stack" onSubmit={(event) => { event.preventDefault(); void attempt.run(() => device.setPin(pin)); }}>
      <Input label={words.people.new_pin} hint={words.people.pin_about} value={pin} onChange={setPin} type="password" most={64} complete="new-password" />
      <Refused attempt={attempt} />
      <button type="submit" class="button button-main" disabled={pin === "" || attempt.busy}>{words.people.set_pin}</button>
    </form>
  );
}
