// Being told in the browser: what a push shows, where it leads, and what the page says of it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Phone, poll } from "../world/browser.js";
import { city } from "../world/server.js";

let server;
let crew;
before(async () => { server = await city(); }, { timeout: 300_000 });
after(async () => {
  await crew?.remove();
  await server.remove();
});

test("a push shows the case and what happened, and the page says whether it is told", { timeout: 180_000 }, async () => {
  crew = await Phone.new(server);
  await crew.enrol("crew07");
  await crew.isKept();
  await crew.to("/me");
  const told = crew.page.locator("[data-push]");
  await told.waitFor();
  assert.ok(["denied", "off"].includes(await told.getAttribute("data-push")), "nobody has asked for it");

  await crew.context.grantPermissions(["notifications"], { origin: server.address });
  await poll(() => crew.page.evaluate(() => Notification.permission === "granted"), "leave to notify");
  const session = await crew.context.newCDPSession(crew.page);
  const registered = new Promise((found) => {
    session.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      const one = registrations.find((it) => !it.isDeleted && it.scopeURL.startsWith(server.address));
      if (one) found(one.registrationId);
    });
  });
  await session.send("ServiceWorker.enable");
  const push = { type: "case.mark_overdue", code: "EASF6CVKPF", log: "7f044d41-2b15-cfbc-e2f4-09d3b8032b31", case: "01a1fbb6-8a85-7037-9523-4c8132c4b1e5" };
  const message = { origin: server.address, registrationId: await registered, data: JSON.stringify(push) };
  const shown = () => crew.page.evaluate(async () => {
    const worker = await navigator.serviceWorker.ready;
    return (await worker.getNotifications()).map(({ title, body, data, tag }) => ({ title, body, data, tag }));
  });
  // The browser's own tool loses some; what comes twice of one case is shown once.
  await poll(async () => {
    await session.send("ServiceWorker.deliverPushMessage", message);
    return (await shown()).length > 0;
  }, "a notification");
  const expected = { title: "整改 EASF6CVKPF", body: "超时 · overdue", data: `/#/case/${push.log}/${push.case}`, tag: push.case };
  assert.deepEqual(await shown(), [expected]);
});
