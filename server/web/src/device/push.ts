// Being told in this browser, also while no tab is open. The server decides what of; the worker shows it.

import type { PushState } from "./contract";
import { refuse } from "./refusal";

type Call = (method: string, path: string, body?: unknown) => Promise<any>;

interface Standing {
  key: string;
  subscribed: boolean;
}

export function pushIsThere(): boolean {
  return "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
}

async function current(): Promise<PushSubscription | null> {
  const worker = await navigator.serviceWorker.getRegistration();
  return (await worker?.pushManager.getSubscription()) ?? null;
}

/** Both must know: this browser, and the server for this person. */
export async function pushState(call: Call): Promise<PushState> {
  if (!pushIsThere()) return "missing";
  if (Notification.permission === "denied") return "denied";
  if (!(await current())) return "off";
  return ((await call("GET", "/v1/push")) as Standing).subscribed ? "on" : "off";
}

export async function beTold(call: Call): Promise<void> {
  if ((await Notification.requestPermission()) !== "granted") {
    throw refuse("push_denied", "浏览器不允许本页通知；请在浏览器设置里允许", "The browser lets this page notify nobody; allow it in its settings");
  }
  const { key } = (await call("GET", "/v1/push")) as Standing;
  // One that was made for another installation's key is of no use.
  await (await current())?.unsubscribe();
  const worker = await navigator.serviceWorker.ready;
  const made = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }).catch((why: Error) => {
    throw refuse("push_service", `浏览器的推送服务没有应答（${why.message}）`, `The browser's push service did not answer (${why.message})`);
  });
  const { endpoint, keys } = made.toJSON();
  await call("PUT", "/v1/push", { endpoint, keys });
}

export async function beToldNoMore(call: Call): Promise<void> {
  await call("DELETE", "/v1/push");
  await (await current())?.unsubscribe();
}
