// The people of this installation: added, given roles, given a code for a phone, shut out.

import { useEffect, useState } from "preact/hooks";
import type { Id, Role } from "../../device/contract";
import { useAttempt, useDevice, useMe } from "../../app/device";
import { Button, Choices, Empty, Icon, Input, Refused, Waiting } from "../../app/parts";
import { useLanguage, useWords } from "../../app/settings";
import { areaName, useReference, type Reference } from "../../case/reference";
import { said } from "../../words";
import { CodeCard } from "./code";

export interface Account {
  account: Id;
  login: string;
  name: string;
  grants: { role: Role; area: Id }[];
  units: Id[];
  disabled: boolean;
}

const ROLES: Role[] = ["inspector", "crew", "supervisor", "auditor", "admin"];

export function Accounts() {
  const words = useWords();
  const device = useDevice();
  const me = useMe();
  const attempt = useAttempt();
  const reference = useReference(me.logs[0]?.log ?? null);
  const [all, setAll] = useState<Account[] | null>(null);
  const [adding, setAdding] = useState(false);
  const [text, setText] = useState("");
  const read = () => attempt.run(async () => setAll((await device.call("GET", "/v1/admin/accounts")).accounts));
  useEffect(() => void read(), []);
  const wanted = (all ?? []).filter((one) => `${one.login} ${one.name}`.toLowerCase().includes(text.toLowerCase()));
  return (
    <div class="stack">
      <Refused attempt={attempt} />
      {attempt.refused && <Button onPress={() => void read()}>{words.again}</Button>}
      {!all && attempt.busy && <Waiting />}
      {all && (
        <>
          <Input label={words.admin.search} value={text} onChange={setText} type="search" />
          {adding ? <Add reference={reference} onDone={() => { setAdding(false); void read(); }} /> : <Button look="main" onPress={() => setAdding(true)}><Icon name="plus" />{words.admin.add}</Button>}
          {wanted.length === 0 && <Empty icon="people">{words.none}</Empty>}
          {wanted.map((one) => <One key={one.account} account={one} reference={reference} onChanged={() => void read()} />)}
        </>
      )}
    </div>
  );
}

function One({ account, reference, onChanged }: { account: Account; reference: Reference; onChanged: () => void }) {
  const words = useWords();
  const language = useLanguage();
  const device = useDevice();
  const attempt = useAttempt();
  const [code, setCode] = useState<string | null>(null);
  const [doing, setDoing] = useState<"disable" | "grant" | null>(null);
  const [reason, setReason] = useState("");
  const at = `/v1/admin/accounts/${account.account}`;
  const changed = async (what: Promise<boolean>) => {
    if (await what) {
      setDoing(null);
      onChanged();
    }
  };
  return (
    <section class="card stack" data-login={account.login}>
      <div class="row">
        <div class="grow">
          <h2>{account.name}</h2>
          <p class="small soft">{account.login}{account.disabled ? ` · ${words.admin.disabled}` : ""}</p>
        </div>
        {!account.disabled && (
          <Button disabled={attempt.busy} onPress={() => void attempt.run(async () => setCode((await device.call("POST", `${at}/code`)).code))}>{words.admin.code}</Button>
        )}
      </div>
      <ul class="small">
        {account.grants.length === 0 && <li class="soft">{words.admin.no_roles}</li>}
        {account.grants.map((grant) => <li key={`${grant.role}${grant.area}`}>{words.roles[grant.role]} · {areaName(reference, grant.area, language) || words.admin.area_whole}</li>)}
        {account.units.map((unit) => <li key={unit}>{said(reference.units.get(unit)?.name, language)}</li>)}
      </ul>
      {code && <CodeCard code={code} />}
      <Refused attempt={attempt} />
      {doing === "grant" && <Grant reference={reference} onGrant={(role, area) => void changed(attempt.run(() => device.call("POST", `${at}/grants`, { role, area: area || null })))} />}
      {doing === "disable" && (
        <>
          <p class="note note-bad">{words.admin.disable_sure}</p>
          <Input label={words.admin.reason} value={reason} onChange={setReason} most={200} />
          <Button look="bad" disabled={!reason.trim() || attempt.busy} onPress={() => void changed(attempt.run(() => device.call("POST", `${at}/disable`, { reason })))}>{words.admin.disable}</Button>
        </>
      )}
      {!account.disabled && (
        <div class="row-wrap">
          <Button look="bare" pressed={doing === "grant"} onPress={() => setDoing(doing === "grant" ? null : "grant")}>{words.admin.grant}</Button>
          <Button look="bare" pressed={doing === "disable"} onPress={() => setDoing(doing === "disable" ? null : "disable")}>{words.admin.disable}</Button>
        </div>
      )}
    </section>
  );
}

function Grant({ reference, onGrant }: { reference: Reference; onGrant: (role: Role, area: string) => void }) {
  const words = useWords();
  const [role, setRole] = useState<Role | null>(null);
  const [area, setArea] = useState("");
  const known = area === "" || [...reference.areas.values()].some((one) => one.code === area.trim());
  return (
    <div class="stack">
      <Choices label={words.admin.role} of={ROLES.map((value) => ({ value, text: words.roles[value] }))} value={role} onChange={setRole} />
      <Input label={words.admin.area} hint={words.admin.area_whole} value={area} onChange={setArea} fault={known ? null : words.form.needed} />
      <Button look="main" disabled={!role || !known} onPress={() => role && onGrant(role, area.trim())}>{words.admin.grant}</Button>
    </div>
  );
}

function Add({ reference, onDone }: { reference: Reference; onDone: () => void }) {
  const words = useWords();
  const language = useLanguage();
  const device = useDevice();
  const attempt = useAttempt();
  const [login, setLogin] = useState("");
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("inspector");
  const [area, setArea] = useState("");
  const [units, setUnits] = useState<Id[]>([]);
  const [code, setCode] = useState<string | null>(null);
  const add = () => attempt.run(async () => setCode((await device.call("POST", "/v1/admin/accounts", { login: login.trim(), name: name.trim(), role, area: area.trim() || null, units })).code));
  if (code) return <section class="card stack"><h2>{name}</h2><CodeCard code={code} /><Button onPress={onDone}>{words.done}</Button></section>;
  return (
    <section class="card stack">
      <h2>{words.admin.add}</h2>
      <Input label={words.admin.login} hint={words.admin.login_hint} value={login} onChange={setLogin} most={40} />
      <Input label={words.admin.name} value={name} onChange={setName} most={60} />
      <Choices label={words.admin.role} of={ROLES.map((value) => ({ value, text: words.roles[value] }))} value={role} onChange={setRole} />
      <Input label={words.admin.area} hint={words.admin.area_whole} value={area} onChange={setArea} most={40} />
      {role === "crew" && (
        <fieldset class="field">
          <legend>{words.admin.units}</legend>
          <div class="choices">
            {[...reference.units.values()].filter((unit) => !unit.merged).map((unit) => (
              <button type="button" class="choice" key={unit.id} aria-pressed={units.includes(unit.id)} onClick={() => setUnits(units.includes(unit.id) ? units.filter((it) => it !== unit.id) : [...units, unit.id])}>{said(unit.name, language)}</button>
            ))}
          </div>
        </fieldset>
      )}
      <Refused attempt={attempt} />
      <div class="row">
        <Button look="bare" onPress={onDone}>{words.cancel}</Button>
        <Button look="main" disabled={!login.trim() || !name.trim() || attempt.busy} onPress={() => void add()}>{words.admin.add}</Button>
      </div>
    </section>
  );
}
