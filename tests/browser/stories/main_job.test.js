// One problem from the street to its end, over three phones; then what every list and every map says of it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESK, Phone, poll } from "../world/browser.js";
import { city } from "../world/server.js";

let server;
const phones = [];
before(async () => { server = await city(); }, { timeout: 300_000 });
after(async () => {
  for (const phone of phones) await phone.remove();
  await server.remove();
});

const open = async (view) => {
  const phone = await Phone.new(server, view);
  phones.push(phone);
  return phone;
};

test("a report without a network is filed, assigned, fixed, checked and closed", { timeout: 300_000 }, async () => {
  const inspector = await (await open()).enrol("inspector01");
  await inspector.isKept();
  await inspector.context.setOffline(true);
  const began = Date.now();
  const { entity, code } = await inspector.report("测试摊 42");
  assert.ok(Date.now() - began < 20_000, "a report takes less than twenty seconds");
  assert.equal(await inspector.unsent(), 1);
  await poll(async () => (await inspector.page.locator(".standing").getAttribute("data-connection")) === "no_network", "the word for no network");
  await inspector.page.getByRole("link", { name: "查看" }).click();
  await inspector.stands("reported");
  assert.match(await inspector.page.locator(".chain .now").first().innerText(), /在本机/);
  assert.ok((await inspector.page.locator("h2").first().innerText()).includes("测试摊 42"));
  const log = await inspector.page.evaluate(() => location.hash.split("/")[2]);
  await inspector.context.setOffline(false);
  await inspector.allSent();

  const supervisor = await (await open(DESK)).enrol("supervisor01");
  await poll(async () => {
    await supervisor.to(`/cases?text=${code}`);
    return (await supervisor.page.locator(".case").count()) === 1;
  }, "the report on the board");
  await supervisor.case(log, entity);
  await supervisor.step(log, entity, "file", (page) => page.getByRole("radio").first().click());
  await supervisor.stands("filed");
  await supervisor.allSent();
  // The unit that is responsible is chosen already, and why is said.
  await supervisor.step(log, entity, "assign", async (page) => {
    const why = page.getByRole("region", { name: "应由谁负责" });
    await why.waitFor();
    assert.match(await why.innerText(), /建议责任单位.*青禾区城市管理局.*按小类.*规则/s);
    await page.getByRole("button", { name: "改派其他单位" }).click();
    await page.locator('[role="radio"][aria-checked="true"]', { hasText: "青禾区城市管理局" }).waitFor();
    await supervisor.shot("story-responsible");
  });
  await supervisor.stands("assigned");
  await supervisor.allSent();

  const crew = await (await open()).enrol("crew01");
  await fix(crew, log, entity);

  await inspector.case(log, entity);
  await inspector.stands("fixed");
  await inspector.step(log, entity, "check", async (page) => {
    await page.getByRole("radio", { name: "合格", exact: true }).click();
    await inspector.stepPhoto();
  });
  await inspector.stands("checked");
  await inspector.allSent();

  await supervisor.case(log, entity);
  await supervisor.stands("checked");
  await poll(async () => (await supervisor.page.locator(".chain .reached").count()) === 4, "all photos");
  await supervisor.step(log, entity, "close", (page) => page.getByRole("radio").first().click());
  await supervisor.allSent();
  await supervisor.stands("closed");
  await supervisor.shot("story-closed");
  for (const phone of [inspector, supervisor, crew]) assert.deepEqual(phone.errors, []);
});

/** The crew of the unit sign for it and say that it is fixed. */
async function fix(crew, log, entity) {
  await poll(async () => {
    await crew.to(`/case/${log}/${entity}`);
    return crew.page.locator("[data-state]").count();
  }, "the case at its crew");
  await crew.step(log, entity, "accept");
  await crew.step(log, entity, "submit_fix", () => crew.stepPhoto());
  await crew.stands("fixed");
  await crew.allSent();
}

test("the map and the list are of the same cases, whatever is asked for", { timeout: 120_000 }, async () => {
  const supervisor = phones[1];
  for (const query of ["", "?state=assigned", "?category=dog", "?category=stall&state=closed", "?state=any"]) {
    await supervisor.to(`/cases${query}`);
    await poll(async () => {
      const found = await supervisor.page.locator("[data-found]").getAttribute("data-found");
      const rows = await supervisor.page.locator("[data-rows]").getAttribute("data-rows").catch(() => null);
      const markers = await supervisor.page.locator("[data-markers]").getAttribute("data-markers").catch(() => null);
      return found === rows && rows === markers && found !== null;
    }, `as many rows as markers for ${query || "all"}`);
  }
});
