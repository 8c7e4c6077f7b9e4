// Several people at one phone: what one has, another can't open, and the switch takes a moment.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { Phone, poll } from "../world/browser.js";
import { city } from "../world/server.js";

const SWITCH_MS = 5_000;
const [FIRST, SECOND] = ["zhang-2468", "li-1357-x"];

let server;
let phone;
before(async () => {
  server = await city();
  phone = await (await Phone.new(server)).enrol("inspector01", "甲");
}, { timeout: 300_000 });
after(async () => {
  await phone?.remove();
  await server.remove();
});

/** All that lies in somebody's store, as text. */
const stored = (name) =>
  phone.page.evaluate((name) => new Promise((done, failed) => {
    const open = indexedDB.open(`rectify person ${name}`);
    open.onerror = () => failed(open.error);
    open.onsuccess = async () => {
      const found = [];
      for (const store of open.result.objectStoreNames) {
        const all = await new Promise((next) => {
          const asked = open.result.transaction(store).objectStore(store).getAll();
          asked.onsuccess = () => next(asked.result);
        });
        for (const it of all) {
          const blob = it instanceof Blob ? it : it?.jpeg;
          const head = blob ? Array.from(new Uint8Array(await blob.slice(0, 2).arrayBuffer())) : [];
          found.push(`${store} ${typeof it === "string" ? it : JSON.stringify(it)} ${head}`);
        }
      }
      open.result.close();
      done(found);
    };
  }), name);

/** JPEG files begin so. */
const JPEG = " 255,216";

async function lock() {
  await phone.to("/me");
  await phone.page.getByRole("button", { name: "锁定并换人" }).click();
  await phone.page.getByRole("heading", { name: "请选择您是谁" }).waitFor();
}

async function open(name, pin) {
  await phone.page.getByRole("button", { name, exact: false }).first().click();
  await phone.page.getByLabel(`${name}，请输入 PIN`).fill(pin);
  await phone.page.getByRole("button", { name: "打开" }).click();
}

test("nobody is added beside somebody without a PIN, and a PIN that is set later seals what is there", { timeout: 180_000 }, async () => {
  await phone.isKept();
  await phone.context.setOffline(true);
  await phone.report("甲的摊位");
  await phone.to("/capture");
  await phone.shoot();
  await phone.to("/me");
  const before = await stored("甲");
  assert.ok(before.some((row) => row.includes("甲的摊位")) && before.some((row) => row.includes(JPEG)), "without a PIN all lies open");
  await phone.page.getByRole("button", { name: "添加一个人" }).click();
  await phone.page.getByText("请先让 甲 在“我的”里设置 PIN").waitFor();
  await phone.shot("story-first-pin");
  await phone.page.getByRole("button", { name: "返回" }).click();
  await phone.to("/me");
  await phone.page.getByRole("button", { name: "设置 PIN" }).click();
  await phone.page.getByLabel("新的 PIN").fill("12345");
  await phone.page.getByRole("button", { name: "设置 PIN" }).click();
  await phone.page.locator(".note-bad").getByText("PIN 须为 6 到 64 个字符").waitFor();
  await phone.page.getByLabel("新的 PIN").fill(FIRST);
  await phone.page.getByRole("button", { name: "设置 PIN" }).click();
  await phone.page.getByRole("button", { name: "锁定并换人" }).waitFor();
  const sealed = await stored("甲");
  assert.ok(sealed.length >= 5, `${sealed.length} things are stored`);
  assert.deepEqual(sealed.filter((row) => row.includes("甲的摊位") || row.includes(JPEG)), []);
  assert.equal(await phone.unsent(), 1);
  await phone.to("/tasks");
  await phone.page.getByRole("button", { name: "继续" }).waitFor();
});

test("wrong PINs cost more and more, and a new start does not forget them", { timeout: 120_000 }, async () => {
  await lock();
  for (let wrong = 1; wrong <= 5; wrong += 1) {
    await open("甲", `wrong-${wrong}`);
    await phone.page.locator(".note-bad").getByText("PIN 不正确").waitFor();
    await poll(() => phone.page.getByRole("button", { name: "打开" }).isEnabled(), "the next try");
  }
  await phone.page.reload();
  await open("甲", FIRST);
  await phone.page.locator(".note-bad").getByText(/请等待 \d+ 秒后重试/).waitFor();
  await phone.shot("story-pin-later");
  assert.equal(await phone.page.locator(".nav").count(), 0);
});

test("another person enrols, sees nothing of the first, and both are switched in a moment, without a network", { timeout: 240_000 }, async () => {
  await phone.context.setOffline(false);
  await phone.page.getByRole("button", { name: "添加一个人" }).click();
  await phone.enrol("inspector02", "乙", SECOND);
  assert.equal(await phone.unsent(), 0, "the first one's queue is not the second one's");
  await phone.to("/tasks");
  await phone.page.locator(".counts, .empty, .case").first().waitFor();
  assert.equal(await phone.page.getByRole("button", { name: "继续" }).count(), 0, "nor are the drafts");
  await phone.to("/cases?text=甲的摊位");
  await poll(async () => (await phone.page.locator("[data-found]").getAttribute("data-found")) === "0", "no case of the first one's queue");
  assert.deepEqual((await stored("乙")).filter((row) => row.includes("甲的摊位")), []);
  await phone.context.setOffline(true);
  await lock();
  await waited();
  for (const [name, pin, unsent] of [["甲", FIRST, 1], ["乙", SECOND, 0]]) {
    const began = Date.now();
    await open(name, pin);
    await poll(async () => (await phone.page.locator(".nav").count()) === 1 && (await phone.unsent()) === unsent, `${name} at work`);
    const took = Date.now() - began;
    console.log(`${name} is at work after ${took} ms`);
    assert.ok(took < SWITCH_MS, `${took} ms`);
    await lock();
  }
});

/** The wait behind the wrong PINs is over. */
async function waited() {
  await poll(() => phone.page.evaluate(() => new Promise((done) => {
    const open = indexedDB.open("rectify people");
    open.onsuccess = () => {
      const all = open.result.transaction("people").objectStore("people").getAll();
      all.onsuccess = () => { open.result.close(); done(all.result.every(({ lock }) => lock.retry_ms < Date.now())); };
    };
  })), "the wait to be over", 90_000);
}

test("the work of somebody whose phone reaches no server is carried there in a sealed file", { timeout: 120_000 }, async () => {
  await open("甲", FIRST);
  await phone.page.locator(".nav").waitFor();
  await phone.to("/sending");
  const [file] = await Promise.all([
    phone.page.waitForEvent("download"),
    phone.page.getByRole("button", { name: "导出未发送的内容" }).click(),
  ]);
  const bytes = await readFile(await file.path());
  assert.equal(bytes.subarray(0, 23).toString(), "rectify sealed export 1");
  assert.ok(!bytes.includes("甲的摊位") && !bytes.includes("rectify_export"), "nobody on the way reads it");
  const supervisor = await (await Phone.new(server)).enrol("supervisor01");
  try {
    await supervisor.to("/parked");
    await supervisor.page.locator("[data-carried]").setInputFiles({ name: "甲.export", mimeType: "application/octet-stream", buffer: bytes });
    const taken = supervisor.page.locator("[data-taken]");
    await taken.waitFor();
    assert.match(await taken.innerText(), /接受 1 项，不予接受 0 项，挂起 0 项，由手机自行重发 0 项，照片 1 张/);
    await supervisor.shot("story-taken-in");
    await supervisor.to("/cases?text=甲的摊位");
    await poll(async () => (await supervisor.page.locator(".case").count()) === 1, "the carried report on the board");
  } finally {
    await supervisor.remove();
  }
  await phone.context.setOffline(false);
  await phone.allSent();
});
