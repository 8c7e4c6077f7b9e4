// Keeps the whole page on the phone. A new version is fetched whole beside the old one, and takes over when the person
// says so or when no tab is open any more: never under a draft.

const CACHE = "page-" + "VERSION";
const FILES = ["FILES"];
// A part that is named by its hash may come from what the browser fetched for the first start already.
const asked = (file) => new Request(file, { cache: file.startsWith("/assets/") ? "default" : "reload" });

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES.map(asked))));
});

self.addEventListener("activate", (event) => {
  const old = (names) => names.filter((name) => name.startsWith("page-") && name !== CACHE);
  event.waitUntil(
    caches.keys().then((names) => Promise.all(old(names).map((name) => caches.delete(name)))).then(() => self.clients.claim()),
  );
});

self.addEventListener("message", (event) => {
  if (event.data === "take over") self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  const file = url.pathname === "/index.html" ? "/" : url.pathname;
  if (!FILES.includes(file)) return;
  event.respondWith(caches.open(CACHE).then((cache) => cache.match(file)).then((kept) => kept || fetch(request)));
});

// What the server says of a case, while no tab is open, too. The page's words are not at hand here.
const KINDS = {
  "case.assign": "派遣 · assigned",
  "case.take_over": "移交 · handed over",
  "case.return_assignment": "退单 · handed back",
  "case.finish_help": "协办完成 · help done",
  "case.ask_interim_check": "待中期检查 · interim check due",
  "case.interim_check": "中期检查不合格 · interim check failed",
  "case.issue_deadline": "签发期限 · deadline issued",
  "case.mark_due_soon": "将到期 · due soon",
  "case.mark_overdue": "超时 · overdue",
  "case.escalate": "升级提醒 · escalated",
  "case.urge": "催办 · reminder",
  "case.supervise": "督办 · under watch",
  "case.request_extension": "申请延期 · asks for more time",
  "case.relapse": "反弹 · come back",
  "case.decide_extension": "审批延期 · decision on more time",
};

self.addEventListener("push", (event) => {
  const { type, code, log, case: entity } = event.data.json();
  const shown = { body: KINDS[type] ?? type, tag: entity, renotify: true, icon: "/icons/icon-192.png", data: `/#/case/${log}/${entity}` };
  event.waitUntil(self.registration.showNotification(`整改 ${code}`, shown));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const path = event.notification.data;
  const there = async () => {
    const [tab] = await self.clients.matchAll({ type: "window" });
    if (!tab) return self.clients.openWindow(path);
    await tab.focus();
    return tab.navigate(path);
  };
  event.waitUntil(there());
});
