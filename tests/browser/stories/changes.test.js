// People and units change: somebody is away, a unit's cases go to another one, with a receipt.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESK, Phone, poll } from "../world/browser.js";
import { city } from "../world/server.js";

let server;
let supervisor;
before(async () => {
  server = await city();
  supervisor = await (await Phone.new(server, DESK)).enrol("supervisor01");
}, { timeout: 300_000 });
after(async () => {
  await supervisor?.remove();
  await server.remove();
});

const options = (page, label) =>
  page.getByLabel(label, { exact: true }).evaluate((select) => [...select.options].map(({ value, text }) => ({ value, text })).filter(({ value }) => value));

test("a supervisor says who is away and who stands in, and that they are back", { timeout: 120_000 }, async () => {
  const { page } = supervisor;
  await supervisor.to("/changes");
  const absences = page.locator("[data-absences]");
  await poll(async () => (await options(page, "请假人")).length > 1, "the people");
  const [own, other] = [await page.getByLabel("请假人", { exact: true }).inputValue(), (await options(page, "代理人"))[0]];
  assert.notEqual(other.value, own);
  await page.getByLabel("代理人", { exact: true }).selectOption(other.value);
  await page.getByLabel("最后一天").fill(new Date(Date.now() + 3 * 24 * 3600 * 1000).toISOString().slice(0, 10));
  await absences.getByRole("button", { name: "请假代理" }).click();
  await supervisor.allSent();
  await page.locator(`[data-away="${own}"]`).waitFor();
  assert.ok((await page.locator(`[data-away="${own}"]`).innerText()).includes(other.text));
  await supervisor.shot("story-absence");
  await page.locator(`[data-away="${own}"]`).getByRole("button", { name: "提前返岗" }).click();
  await supervisor.allSent();
  await poll(async () => (await page.locator(`[data-away="${own}"]`).count()) === 0, "the absence to end");
});

test("a unit's cases go to another one: so many are shown first, and the receipt says that all have moved", { timeout: 240_000 }, async () => {
  const { page } = supervisor;
  await supervisor.to("/changes");
  const form = page.locator("[data-hand-over]");
  await poll(async () => (await options(page, "移交方")).length > 1, "the units");
  const units = await options(page, "移交方");
  let count = 0;
  for (const unit of units) {
    await page.getByLabel("移交方", { exact: true }).selectOption(unit.value);
    await page.getByLabel("接收方", { exact: true }).selectOption((units.find((one) => one.value !== unit.value)).value);
    await form.getByRole("button", { name: "先看移交多少" }).click();
    await form.locator("[data-would-move]").waitFor();
    count = Number(await form.locator("[data-would-move]").getAttribute("data-would-move"));
    if (count > 0) break;
  }
  assert.ok(count > 0, "some unit has cases here");
  await page.getByLabel("事由", { exact: true }).first().fill("职责调整");
  await supervisor.shot("story-hand-over");
  await form.getByRole("button", { name: "移交", exact: true }).click();
  const receipt = page.locator("[data-receipt]");
  await receipt.waitFor();
  await supervisor.allSent();
  await poll(async () => {
    await receipt.getByRole("button").click({ timeout: 1000 }).catch(() => {});
    return (await page.locator('[data-receipt][data-done="true"]').count()) === 1;
  }, "the cases to follow", 150_000);
  assert.equal(await page.locator("[data-moved]").getAttribute("data-moved"), String(count));
  await supervisor.shot("story-receipt");
  assert.deepEqual(supervisor.errors, []);
});
