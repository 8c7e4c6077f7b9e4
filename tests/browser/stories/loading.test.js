// How the page comes and how it hears: the first screen before the rules, news where the stream does not get through.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESK, Phone, poll } from "../world/browser.js";
import { city } from "../world/server.js";

/** A round is made each minute anyway: what comes sooner was heard. */
const SOONER_MS = 30_000;

let server;
let inspector;
let supervisor;
before(async () => { server = await city(); }, { timeout: 300_000 });
after(async () => {
  for (const phone of [inspector, supervisor]) await phone?.remove();
  await server.remove();
});

test("the first screen is there before the rules are, and whoever is faster than they are waits", { timeout: 180_000 }, async () => {
  inspector = await Phone.new(server);
  await inspector.page.getByLabel("登记码").waitFor();
  const asked = await inspector.page.evaluate(() => performance.getEntriesByType("resource").filter(({ name }) => name.endsWith(".wasm")).length);
  assert.equal(asked, 1, "they are fetched meanwhile, once");
  let release;
  const held = new Promise((go) => (release = go));
  await inspector.context.route("**/*.wasm", async (route) => {
    await held;
    await route.continue();
  });
  await inspector.page.evaluate(async () => {
    for (const it of await navigator.serviceWorker.getRegistrations()) await it.unregister();
  });
  await inspector.page.reload();
  await inspector.page.getByLabel("登记码").fill(await server.code("inspector01"));
  await inspector.page.getByLabel("您在本机的称呼").fill("快手");
  await inspector.page.getByRole("button", { name: "登记", exact: true }).click();
  await inspector.page.getByRole("button", { name: "正在登记……" }).waitFor();
  release();
  await inspector.page.locator(".nav").waitFor();
  await inspector.pulled();
});

test("where the stream of events does not get through, long polls bring the news", { timeout: 180_000 }, async () => {
  supervisor = await Phone.new(server, DESK);
  let streams = 0;
  await supervisor.context.route("**/v1/events", (route) => {
    streams += 1;
    return route.abort();
  });
  const polls = [];
  supervisor.page.on("request", (request) => request.url().includes("/v1/head?") && polls.push(request.url()));
  await supervisor.enrol("supervisor01");
  await poll(() => polls.length >= 2 && polls.at(-1).includes("rev=") && !polls.at(-1).includes("rev=0"), "a poll for what is new");
  assert.ok(streams > 0, "the stream was tried");
  const { code } = await inspector.report("轮询摊");
  await inspector.allSent();
  const began = Date.now();
  await supervisor.to(`/cases?text=${code}`);
  await poll(async () => (await supervisor.page.locator(".case").count()) === 1, "the report on the board", SOONER_MS);
  console.log(`heard by long poll after ${Date.now() - began} ms`);
});
