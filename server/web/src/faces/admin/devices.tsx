// The phones of this installation, and shutting one out.

import { useEffect, useState } from "preact/hooks";
import type { Id } from "../../device/contract";
import { useAttempt, useDevice, useMe } from "../../app/device";
import { Button, Empty, Icon, Input, Refused, Waiting } from "../../app/parts";
import { useWords } from "../../app/settings";

interface Phone {
  device: Id;
  account: Id;
  login: string;
  name: string;
  label: string;
  revoked: boolean;
}

export function Devices() {
  const words = useWords();
  const device = useDevice();
  const attempt = useAttempt();
  const [all, setAll] = useState<Phone[] | null>(null);
  const read = () => attempt.run(async () => setAll((await device.call("GET", "/v1/admin/devices")).devices));
  useEffect(() => void read(), []);
  const ordered = [...(all ?? [])].sort((one, other) => Number(one.revoked) - Number(other.revoked) || one.login.localeCompare(other.login));
  return (
    <div class="stack">
      <Refused attempt={attempt} />
      {attempt.refused && <Button onPress={() => void read()}>{words.again}</Button>}
      {!all && attempt.busy && <Waiting />}
      {all && all.length === 0 && <Empty icon="phone">{words.admin.empty_devices}</Empty>}
      {ordered.map((phone) => <One key={phone.device} phone={phone} onChanged={() => void read()} />)}
    </div>
  );
}

function One({ phone, onChanged }: { phone: Phone; onChanged: () => void }) {
  const words = useWords();
  const device = useDevice();
  const me = useMe();
  const attempt = useAttempt();
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState("");
  const revoke = async () => {
    if (await attempt.run(() => device.call("POST", `/v1/admin/devices/${phone.device}/revoke`, { reason }))) onChanged();
  };
  return (
    <section class="card stack" data-device={phone.device}>
      <div class="row">
        <Icon name="phone" />
        <div class="grow">
          <h2>{phone.label}{phone.device === me.device ? ` · ${words.admin.this_device}` : ""}</h2>
          <p class="small soft">{words.admin.of}{words.colon}{phone.name} ({phone.login})</p>
        </div>
        {phone.revoked ? <span class="pill">{words.admin.revoked}</span> : <Button look="bad" pressed={open} onPress={() => setOpen(!open)}>{words.admin.revoke}</Button>}
      </div>
      <Refused attempt={attempt} />
      {open && !phone.revoked && (
        <>
          <p class="note note-bad">{words.admin.revoke_sure}</p>
          <Input label={words.admin.reason} value={reason} onChange={setReason} most={200} />
          <Button look="bad" disabled={!reason.trim() || attempt.busy} onPress={() => void revoke()}>{words.admin.revoke}</Button>
        </>
      )}
    </section>
  );
}
