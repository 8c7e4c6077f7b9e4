// What was closed is looked at again, and opens where it came back.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Phone, poll } from "../world/browser.js";
import { city } from "../world/server.js";

let server;
let inspector;
before(async () => {
  // The first windows of what the demo city closed are open by then.
  server = await city("+9d");
  inspector = await (await Phone.new(server)).enrol("inspector01");
}, { timeout: 300_000 });
after(async () => {
  await inspector?.remove();
  await server.remove();
});

test("an inspector finds that a closed problem came back, and the case is open again", { timeout: 120_000 }, async () => {
  const { page } = inspector;
  await page.getByText("待回头看").click();
  const first = page.locator(".case").first();
  await first.waitFor();
  const before = await page.locator(".case").count();
  await inspector.shot("story-look-backs");
  await first.click();
  await page.locator("[data-state=closed]").waitFor();
  const [, , log, entity] = await page.evaluate(() => location.hash.split("/"));
  await inspector.context.setOffline(true);
  await inspector.step(log, entity, "look_back", async () => {
    await page.getByText("反弹，又出现了").click();
    await inspector.stepPhoto();
    await inspector.shot("story-look-back");
  });
  await inspector.context.setOffline(false);
  await inspector.allSent();
  await inspector.stands("filed");
  assert.ok((await page.locator("main").innerText()).includes("反弹"));
  await inspector.to("/");
  await page.getByText("待回头看").click();
  await poll(async () => (await page.locator(".case").count()) === before - 1, "the look-back to be done");
});
