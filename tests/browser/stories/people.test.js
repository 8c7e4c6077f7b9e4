// Two people and one case, a phone that was lost, and several people at one phone.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESK, Phone, poll } from "../world/browser.js";
import { city } from "../world/server.js";

let server;
let inspector;
let supervisor;
let administrator;
before(async () => {
  server = await city();
  inspector = await (await Phone.new(server)).enrol("inspector01");
  supervisor = await (await Phone.new(server, DESK)).enrol("supervisor01");
}, { timeout: 300_000 });
after(async () => {
  for (const phone of [inspector, supervisor, administrator]) await phone?.remove();
  await server.remove();
});

const stores = (phone) =>
  phone.page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name).filter((name) => name.startsWith("rectify person ")));

const amend = (phone, log, entity, subject) =>
  phone.step(log, entity, "amend", (page) => page.getByLabel("摊位号或摊点特征").fill(subject));

test("two people change the same thing without a network; both values are shown and one tap decides", { timeout: 180_000 }, async () => {
  await inspector.isKept();
  await supervisor.isKept();
  const { entity, code } = await inspector.report("原来的摊号");
  await inspector.allSent();
  await inspector.page.getByRole("link", { name: "查看" }).click();
  const log = await inspector.page.evaluate(() => location.hash.split("/")[2]);
  await supervisor.to(`/cases?text=${code}`);
  await poll(async () => (await supervisor.page.locator(".case").count()) === 1, "the report on the board");
  for (const phone of [inspector, supervisor]) await phone.context.setOffline(true);
  await amend(inspector, log, entity, "巡查员的摊号");
  await amend(supervisor, log, entity, "主管的摊号");
  await supervisor.context.setOffline(false);
  await supervisor.allSent();
  await inspector.context.setOffline(false);
  await inspector.allSent();
  await inspector.to("/attention");
  await inspector.page.locator('[data-trouble="conflict"]').first().waitFor();
  await supervisor.case(log, entity);
  const conflict = supervisor.page.locator(".conflict");
  await conflict.waitFor();
  const text = await conflict.innerText();
  assert.ok(text.includes("巡查员的摊号") && text.includes("主管的摊号"), text);
  await supervisor.shot("story-conflict");
  await conflict.getByRole("button", { name: "改用这个" }).click();
  await poll(async () => (await conflict.count()) === 0, "the conflict to be settled");
  await supervisor.allSent();
  await inspector.case(log, entity);
  await poll(async () => (await inspector.page.locator("h2").first().innerText()).includes("巡查员的摊号"), "the decision at the inspector's phone");
});

test("several cases are chosen and go to a unit at once", { timeout: 120_000 }, async () => {
  await supervisor.to("/cases?state=filed");
  await supervisor.page.getByRole("button", { name: "选择" }).click();
  const ticks = supervisor.page.getByRole("checkbox");
  await ticks.nth(1).waitFor();
  const chosen = await supervisor.page.locator(".case").evaluateAll((all) => all.slice(0, 2).map((it) => it.dataset.case));
  for (const place of [0, 1]) await ticks.nth(place).check();
  await supervisor.page.getByRole("button", { name: "批量派遣" }).click();
  await supervisor.page.getByRole("radio", { name: "各派责任单位" }).click();
  await supervisor.page.getByText("件将派给").waitFor();
  await supervisor.page.locator('[aria-label="批量派遣"] .button-main').click();
  await supervisor.allSent();
  await supervisor.to("/cases?state=assigned");
  for (const id of chosen) await poll(async () => (await supervisor.page.locator(`.case[data-case="${id}"]`).count()) === 1, "both among the assigned");
});

test("a lost phone is shut out by the administrator, and what it held waits for a supervisor", { timeout: 180_000 }, async () => {
  administrator = await (await Phone.new(server, DESK)).enrol("admin01");
  await administrator.to("/devices");
  assert.deepEqual(await stores(inspector), ["rectify person inspector01"]);
  await inspector.context.setOffline(true);
  await inspector.report("丢失前拍的");
  await inspector.to("/me");
  const id = (await inspector.page.locator("text=本机编号").innerText()).split("：")[1].trim();
  const card = administrator.page.locator(`[data-device="${id}"]`);
  await card.getByRole("button", { name: "停用手机" }).first().click();
  await card.getByLabel("原因").fill("遗失");
  await card.getByRole("button", { name: "停用手机" }).last().click();
  await poll(async () => (await card.getByText("已停用").count()) === 1, "the phone to be shut out");
  await administrator.shot("story-devices");
  await inspector.context.setOffline(false);
  await poll(async () => (await inspector.page.locator('[data-connection="revoked"]').count()) > 0 || (await inspector.page.getByLabel("登记码").count()) > 0, "the phone to be told", 120_000);
  await poll(async () => {
    await supervisor.to("/me");
    await supervisor.to("/parked");
    return supervisor.page.locator("[data-parked]").first().waitFor({ timeout: 3000 }).then(() => true, () => false);
  }, "its report among the parked");
  await supervisor.shot("story-parked");
  const note = inspector.page.locator(`[data-wiped="${id}"]`);
  await note.waitFor();
  assert.match(await note.innerText(), /inspector01 的手机已被停用.*本机已清除其案件、照片、草稿和钥匙/);
  await inspector.page.getByLabel("登记码").waitFor();
  await inspector.shot("story-wiped");
  assert.deepEqual(await stores(inspector), [], "no store of the person is left");
  await inspector.page.reload();
  await note.waitFor();
  const left = await inspector.page.evaluate(() => new Promise((done, failed) => {
    const open = indexedDB.open("rectify people");
    open.onerror = () => failed(open.error);
    open.onsuccess = () => {
      const all = open.result.transaction("wiped").objectStore("wiped").getAll();
      all.onsuccess = () => { open.result.close(); done(all.result); };
    };
  }));
  assert.equal(left.length, 1);
  assert.ok(left[0].checkpoints.length > 0, "it is a witness still: its newest checkpoint stays");
});

test("a new person is added, and the code that is shown enrols a phone", { timeout: 120_000 }, async () => {
  await administrator.to("/accounts");
  await administrator.page.getByRole("button", { name: "新增人员" }).click();
  await administrator.page.getByLabel("登录名", { exact: true }).fill("li.na");
  await administrator.page.getByLabel("姓名", { exact: true }).fill("李娜");
  await administrator.page.getByRole("button", { name: "新增人员" }).last().click();
  const code = await administrator.page.locator("[data-code]").getAttribute("data-code");
  await administrator.shot("story-code");
  const phone = await Phone.new(server);
  try {
    await phone.page.getByLabel("登记码").fill(code);
    await phone.page.getByLabel("您在本机的称呼").fill("李娜");
    await phone.page.getByRole("button", { name: "登记", exact: true }).click();
    await phone.page.locator(".nav").waitFor();
    await phone.pulled();
  } finally {
    await phone.remove();
  }
});
