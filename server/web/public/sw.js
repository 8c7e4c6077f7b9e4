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
