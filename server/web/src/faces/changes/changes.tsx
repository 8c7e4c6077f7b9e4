// People and units change: who is away and who stands in, what goes from one to another, what nobody can see to.

import { useMe } from "../../app/device";
import { useRoles } from "../../app/face";
import { useRoute } from "../../app/route";
import { useReference } from "../../case/reference";
import { Absence } from "./absence";
import { HandOver, Receipt } from "./hand_over";
import { Left } from "./left";
import { Merge } from "./merge";

export function Changes() {
  const me = useMe();
  const roles = useRoles();
  const { query } = useRoute();
  const log = me.logs[0]?.log ?? null;
  const reference = useReference(log);
  if (!log) return null;
  const decides = roles.has("supervisor") || roles.has("admin");
  const receipt = query.get("receipt");
  return (
    <div class="stack">
      {receipt && decides && <Receipt key={receipt} log={log} op={receipt} reference={reference} />}
      {roles.has("supervisor") && <Left log={log} />}
      <Absence log={log} reference={reference} others={decides} />
      {decides && <HandOver log={log} reference={reference} />}
      {roles.has("admin") && <Merge log={log} reference={reference} />}
    </div>
  );
}
