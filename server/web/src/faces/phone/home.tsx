// What a person in the street has to do: by what is due first or by distance, with what was not finished on top.

import { useState } from "preact/hooks";
import type { CaseRow, Device, DraftRecord, Filter } from "../../device/contract";
import { useDevice, useLive, useMe, valueOf } from "../../app/device";
import { useRoles } from "../../app/face";
import { Button, Empty, Icon, Show } from "../../app/parts";
import { caseAt, go, replace, useRoute } from "../../app/route";
import { useWords } from "../../app/settings";
import { metres, ofRow, useFix, type Fix } from "../../case/place";
import { CaseCard } from "../../case/row";
import { ago } from "../../words";

type Task = "fix" | "check" | "interim" | "look_back" | "mine" | "waiting";
/** Tasks shown at once: more than anybody does in a day. */
const MOST = 100;

export function Home() {
  const words = useWords();
  const roles = useRoles();
  const { account } = useMe();
  const { query } = useRoute();
  const finding = useFix();
  const fix = finding.is === "here" ? finding.fix : null;
  const [nearest, setNearest] = useState(false);
  const tasks: Task[] = [...(roles.has("crew") ? ["fix" as const] : []), ...(roles.has("inspector") ? ["check" as const, "interim" as const, "look_back" as const] : []), "mine", "waiting"];
  const task = tasks.find((it) => it === query.get("of")) ?? tasks[0] ?? "mine";
  const filters: Record<Task, Filter> = {
    fix: { states: ["assigned"] },
    check: { states: ["fixed"] },
    interim: { states: ["assigned"], interim: true },
    look_back: { look_back: true },
    mine: { reporter: account },
    waiting: { waiting: true },
  };
  const counts = valueOf(useLive((device) => Promise.all(tasks.map((it) => device.count(filters[it]))), ["cases", "status"], [tasks.join()]));
  const rows = useLive((device) => device.list(filters[task], null, MOST), ["cases", "status"], [task]);
  return (
    <div class="stack">
      <Pulled />
      <Drafts />
      <div class="counts" role="group" aria-label={words.tasks.title}>
        {tasks.map((it, place) => (
          <Button key={it} pressed={it === task} onPress={() => replace(`/tasks?of=${it}`)}>
            {words.tasks[it]} <span class="number">{counts?.[place] ?? ""}</span>
          </Button>
        ))}
      </div>
      {fix && (
        <div class="row">
          <Button look="bare" pressed={nearest} onPress={() => setNearest(!nearest)}>
            <Icon name={nearest ? "place" : "list"} />
            {nearest ? words.tasks.near : words.tasks.by_due}
          </Button>
        </div>
      )}
      <Show loaded={rows}>
        {(rows) => rows.length === 0 ? <Empty icon="check">{words.tasks.empty}</Empty> : (
          <ul class="cases">
            {sorted(rows, nearest ? fix : null).map((row) => <li key={row.case}><CaseCard row={row} from={fix} /></li>)}
          </ul>
        )}
      </Show>
    </div>
  );
}

function sorted(rows: CaseRow[], from: Fix | null): CaseRow[] {
  const away = (row: CaseRow) => (from && row.position ? metres(from, ofRow(row.position)) : Number.MAX_VALUE);
  const due = (row: CaseRow) => row.due?.at_ms ?? Number.MAX_VALUE;
  return [...rows].sort((one, other) => (from ? away(one) - away(other) : due(one) - due(other) || one.changed_ms - other.changed_ms));
}

/** Lists are not whole before the first pull came to its end. */
export function Pulled() {
  const words = useWords();
  const device = useDevice();
  useLive(async () => null, ["cases", "status"], []);
  const logs = device.me()?.logs ?? [];
  if (logs.some((log) => log.outdated)) return <p class="note note-warn" data-outdated>{words.outdated}</p>;
  return logs.every((log) => log.pulled) ? null : <p class="note note-warn">{words.first_pull}</p>;
}

function Drafts() {
  const words = useWords();
  const device = useDevice();
  const [dropped, setDropped] = useState(0);
  const drafts = valueOf(useLive((device: Device) => device.drafts(), ["cases", "status"], [dropped])) ?? [];
  if (drafts.length === 0) return null;
  const goOn = (draft: DraftRecord) =>
    go(draft.case && draft.log ? `${caseAt(draft.log, draft.case)}/do/${draft.kind}/${draft.id}` : `/capture/${draft.id}`);
  const drop = async (draft: DraftRecord) => {
    if (!confirm(words.tasks.drop_sure)) return;
    await device.dropDraft(draft.id);
    setDropped(dropped + 1);
  };
  return (
    <section class="note note-warn stack" aria-label={words.tasks.drafts}>
      <h2>{words.tasks.drafts}</h2>
      {drafts.map((draft) => (
        <div class="row-wrap" key={draft.id}>
          <span class="grow">
            {words.steps[draft.kind] ?? draft.kind} · {words.capture.photos(draft.photos.length)} · {ago(words, draft.changed_ms, Date.now())}
          </span>
          <Button onPress={() => void drop(draft)} look="bare">{words.tasks.drop}</Button>
          <Button onPress={() => goOn(draft)} look="main">{words.tasks.continue}</Button>
        </div>
      ))}
    </section>
  );
}
