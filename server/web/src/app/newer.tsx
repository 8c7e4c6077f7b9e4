// A new version of the page: it waits beside the old one until the person takes it, and never under an open camera.

import { useEffect, useState } from "preact/hooks";
import { useWords } from "./settings";
import { Button } from "./parts";
import { useRoute } from "./route";

export function Newer() {
  const words = useWords();
  const { path } = useRoute();
  const [waiting, setWaiting] = useState<ServiceWorker | null>(null);
  useEffect(() => {
    if (!("serviceWorker" in navigator)) return;
    const first = !navigator.serviceWorker.controller;
    let asked = false;
    navigator.serviceWorker.addEventListener("controllerchange", () => asked && location.reload());
    addEventListener("take over", () => (asked = true));
    navigator.serviceWorker.register("/sw.js").then((registered) => {
      const look = (worker: ServiceWorker | null) => {
        if (worker?.state === "installed" && !first) setWaiting(worker);
      };
      look(registered.waiting);
      registered.addEventListener("updatefound", () => {
        const coming = registered.installing;
        coming?.addEventListener("statechange", () => look(coming));
      });
      const hourly = () => document.visibilityState === "visible" && void registered.update().catch(() => {});
      document.addEventListener("visibilitychange", hourly);
    }, () => {});
  }, []);
  if (!waiting || path[0] === "capture" || path.includes("do")) return null;
  const take = () => {
    dispatchEvent(new Event("take over"));
    waiting.postMessage("take over");
  };
  return (
    <div class="news" role="status">
      <span class="grow">
        {words.settings.version}
        <span class="small"> · {words.settings.update_hint}</span>
      </span>
      <Button look="bare" onPress={take}>
        {words.settings.update}
      </Button>
    </div>
  );
}
