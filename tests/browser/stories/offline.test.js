// The server dies, the browser is killed, and nothing is lost: everything arrives once.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Phone, poll } from "../world/browser.js";
import { city } from "../world/server.js";

let server;
const phones = [];
before(async () => { server = await city(); }, { timeout: 300_000 });
after(async () => {
  for (const phone of phones) await phone.remove();
  await server.remove();
});

test("the server is killed, the page reloaded, the browser killed: the report arrives once", { timeout: 240_000 }, async () => {
  const phone = await Phone.new(server);
  phones.push(phone);
  await phone.enrol("inspector01");
  await phone.isKept();
  await server.kill();
  await phone.page.reload();
  await phone.page.locator(".nav").waitFor();
  const { entity } = await phone.report("断电摊");
  await poll(async () => (await phone.page.locator(".standing").getAttribute("data-connection")) === "server_silent", "the word for a silent server");
  assert.match(await phone.page.locator(".standing").innerText(), /服务器自 \d\d:\d\d 起无响应/);
  await phone.kill();
  await phone.open();
  await phone.page.locator(".nav").waitFor();
  await poll(async () => (await phone.unsent()) === 1, "the report on this phone");
  await server.start();
  await phone.to("/sending");
  await phone.page.getByRole("button", { name: "立即同步" }).click();
  await phone.allSent();
  await poll(async () => (await phone.page.locator('[data-count="photos"]').innerText()) === "1/1", "the photo at the server");
  await phone.to("/tasks?of=mine");
  await poll(async () => (await phone.page.locator(`.case[data-case="${entity}"]`).count()) === 1, "the report in the list, once");
  assert.deepEqual(phone.errors, []);
});

const STEPS = [
  ["the shutter", async () => {}],
  ["the kind", async (phone) => {
    await phone.page.locator(".camera-foot .button-main").click();
    await phone.page.locator('[data-kind="stall/road_occupation"]').waitFor();
  }],
  ["the details", async (phone) => {
    await phone.page.locator('[data-kind="stall/road_occupation"]').click();
    await phone.page.getByLabel("摊位号或摊点特征").waitFor();
  }],
  ["the subject", async (phone) => {
    await phone.page.getByLabel("摊位号或摊点特征").fill("杀不掉的摊");
    await phone.page.locator("body").evaluate(() => new Promise((done) => setTimeout(done, 600)));
  }],
];

test("a draft outlives a kill at every step from the shutter on, and is sent in the end", { timeout: 300_000 }, async () => {
  const phone = phones[0];
  await phone.to("/capture");
  await phone.shoot();
  for (const [name, go] of STEPS) {
    await go(phone);
    await phone.kill();
    await phone.open();
    await phone.to("/tasks");
    const offered = phone.page.getByRole("button", { name: "继续" });
    await offered.waitFor();
    assert.equal(await offered.count(), 1, `${name}: one draft is offered`);
    await offered.click();
    await poll(async () => (await phone.page.locator(".photo img").count()) > 0 || (await phone.page.locator(".kind").count()) > 0, `${name}: its photo`);
  }
  assert.equal(await phone.page.getByLabel("摊位号或摊点特征").inputValue(), "杀不掉的摊");
  await phone.page.getByRole("button", { name: "上报", exact: true }).click();
  await phone.saved();
  await phone.allSent();
  await phone.to("/tasks");
  assert.equal(await phone.page.getByRole("button", { name: "继续" }).count(), 0, "nothing is left over");
});

/** Wakes the session at every turn of a round once, also as it comes to rest: each is the moment when a tap could have. */
const wakeAtEveryTurn = () => {
  const open = IDBDatabase.prototype.transaction;
  const quiet = (seen) => new Promise((done) => {
    const look = (before) => setTimeout(() => (seen() === before ? done() : look(seen())), 300);
    look(seen());
  });
  const woken = async (turn) => {
    let turns = 0;
    IDBDatabase.prototype.transaction = function (...args) {
      turns += 1;
      if (turns === turn) queueMicrotask(() => dispatchEvent(new Event("online")));
      return open.apply(this, args);
    };
    dispatchEvent(new Event("online"));
    await quiet(() => turns);
    return turns;
  };
  return (async () => {
    const all = [];
    for (let turn = 1; turn <= 12; turn += 1) all.push(await woken(turn));
    IDBDatabase.prototype.transaction = open;
    return all;
  })();
};

test("a phone that is woken while it comes to rest goes on sending", { timeout: 120_000 }, async () => {
  const phone = phones[0];
  const turns = await phone.page.evaluate(wakeAtEveryTurn);
  assert.ok(turns.every((count) => count > 0), `every wake makes a round: ${turns}`);
  await phone.report("歇下时醒来的摊");
  await phone.allSent();
});

/** Chromium's own override of the quota is not heeded by its IndexedDB (156, measured): the failure comes from here. */
const fill = (full) => {
  const put = (window.realPut ??= IDBObjectStore.prototype.put);
  IDBObjectStore.prototype.put = function (...words) {
    if (full && this.name === "photos") throw new DOMException("full", "QuotaExceededError");
    return put.apply(this, words);
  };
};

test("a phone whose storage is full says so, loses nothing, and goes on when there is room", { timeout: 120_000 }, async () => {
  const phone = phones[0];
  const before = await phone.unsent();
  await phone.to("/capture");
  const shutter = phone.page.locator(".shutter:not([disabled])");
  await shutter.waitFor();
  await phone.page.evaluate(fill, true);
  await shutter.click();
  const sentence = phone.page.locator(".camera .note-bad");
  await sentence.waitFor();
  assert.match(await sentence.innerText(), /存储已满/);
  await phone.shot("storage-full");
  assert.equal(await phone.page.locator(".taken .photo").count(), 0, "what is not on disk is not shown as taken");
  await phone.page.evaluate(fill, false);
  await phone.shoot();
  assert.equal(await phone.unsent(), before);
});
