// The frame around every face: where one is, what is unsent and how the connection stands, and the ways on.

import { Suspense, lazy } from "preact/compat";
import type { ComponentChildren } from "preact";
import type { Role } from "../device/contract";
import { Home } from "../faces/phone/home";
import { CaseFace } from "../case/face";
import { Step } from "../forms/step";
import { Capture } from "../faces/phone/capture";
import { Attention } from "../faces/phone/attention";
import { Sending } from "../faces/phone/sending";
import { Settings } from "../faces/phone/settings";
import { useLive, useMe, valueOf } from "./device";
import { Icon, Waiting, type IconName } from "./parts";
import { useRoute, back } from "./route";
import { Standing } from "./standing";
import { useWords } from "./settings";

const Board = lazy(() => import("../faces/board/board").then((found) => ({ default: found.Board })));
const Parked = lazy(() => import("../faces/board/parked").then((found) => ({ default: found.Parked })));
const Missing = lazy(() => import("../faces/board/missing").then((found) => ({ default: found.Missing })));
const Changes = lazy(() => import("../faces/changes/changes").then((found) => ({ default: found.Changes })));
const Accounts = lazy(() => import("../faces/admin/accounts").then((found) => ({ default: found.Accounts })));
const Devices = lazy(() => import("../faces/admin/devices").then((found) => ({ default: found.Devices })));

export function useRoles(): Set<Role> {
  return new Set(useMe().grants.map((grant) => grant.role));
}

/** Where somebody begins. */
function first(roles: Set<Role>): string {
  if (roles.has("supervisor") || roles.has("auditor")) return "cases";
  return roles.has("admin") && !roles.has("inspector") && !roles.has("crew") ? "accounts" : "tasks";
}

export function Face({ onAdd }: { onAdd: () => void }) {
  const roles = useRoles();
  const { path } = useRoute();
  const words = useWords();
  const place = path[0] ?? first(roles);
  if (place === "capture") return <Capture key={path[1]} draft={path[1] ?? null} />;
  if (place === "case" && path[3] === "do") {
    return <Step key={location.hash} log={path[1] ?? ""} id={path[2] ?? ""} kind={path[4] ?? ""} draft={path[5] ?? null} />;
  }
  switch (place) {
    case "cases":
      return <Framed title={roles.has("supervisor") ? words.board.title : words.nav.cases} wide place={place}><Board /></Framed>;
    case "case":
      return <CaseFace key={path[2]} log={path[1] ?? ""} id={path[2] ?? ""} />;
    case "attention":
      return <Framed title={words.attention.title} place={place}><Attention /></Framed>;
    case "sending":
      return <Framed title={words.unsent_page.title} place={place} deep><Sending /></Framed>;
    case "me":
      return <Framed title={words.settings.title} place={place}><Settings onAdd={onAdd} /></Framed>;
    case "parked":
      return <Framed title={words.parked.title} place={place}><Parked /></Framed>;
    case "missing":
      return <Framed title={words.board.missing_title} place={place}><Missing /></Framed>;
    case "changes":
      return <Framed title={words.changes.title} place={place} deep><Changes /></Framed>;
    case "accounts":
      return <Framed title={words.admin.accounts} place={place}><Accounts /></Framed>;
    case "devices":
      return <Framed title={words.admin.devices} place={place}><Devices /></Framed>;
    default:
      return <Framed title={words.tasks.title} place="tasks"><Home /></Framed>;
  }
}

interface Frame {
  title: string;
  place: string;
  /** Uses the whole width. */
  wide?: boolean;
  /** Reached from elsewhere: with a way back. */
  deep?: boolean;
  children: ComponentChildren;
}

export function Framed({ title, place, wide, deep, children }: Frame) {
  const words = useWords();
  return (
    <div class="frame frame-desk">
      <a class="skip" href="#content" onClick={(event) => { event.preventDefault(); document.getElementById("content")?.focus(); }}>
        {words.skip}
      </a>
      <header class="top">
        <div class="top-line">
          {deep && (
            <button type="button" class="button button-bare" aria-label={words.back} onClick={back}>
              <Icon name="back" />
            </button>
          )}
          <h1 class="cut">{title}</h1>
        </div>
        <Standing />
      </header>
      <main id="content" tabIndex={-1} class={wide ? "main main-wide" : "main"}>
        <Suspense fallback={<Waiting />}>{children}</Suspense>
      </main>
      <Ways place={place} />
    </div>
  );
}

function Ways({ place }: { place: string }) {
  const words = useWords();
  const roles = useRoles();
  const attention = valueOf(useLive((device) => device.status(), ["status", "cases"], []))?.attention ?? 0;
  const has = (...of: Role[]) => of.some((role) => roles.has(role));
  const works = has("inspector", "crew", "supervisor");
  const ways: (Way | false)[] = [
    has("inspector", "crew") && { to: "tasks", icon: "tasks", text: words.nav.tasks },
    has("inspector", "crew", "supervisor", "auditor") && { to: "cases", icon: "map", text: has("supervisor") ? words.nav.board : words.nav.cases },
    has("supervisor") && { to: "parked", icon: "pause", text: words.nav.parked },
    works && { to: "capture", icon: "camera", text: words.nav.capture },
    has("supervisor") && { to: "missing", icon: "picture", text: words.nav.missing },
    has("admin") && { to: "accounts", icon: "people", text: words.nav.accounts },
    has("admin") && { to: "devices", icon: "phone", text: words.nav.devices },
    works && { to: "attention", icon: "bell", text: words.nav.attention, count: attention },
    { to: "me", icon: "person", text: words.nav.me },
  ];
  return (
    <nav class="nav" aria-label={words.product}>
      {ways.filter((way): way is Way => Boolean(way)).map((way) => <WayTo key={way.to} way={way} here={way.to === place} />)}
    </nav>
  );
}

interface Way {
  to: string;
  icon: IconName;
  text: string;
  count?: number;
}

function WayTo({ way, here }: { way: Way; here: boolean }) {
  return (
    <a href={`#/${way.to}`} class={way.to === "capture" ? "shutter-way" : undefined} aria-current={here ? "page" : undefined}>
      <span><Icon name={way.icon} /></span>
      {way.text}
      {way.count ? <b class="count">{way.count}</b> : null}
    </a>
  );
}
