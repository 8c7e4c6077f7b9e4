// How every place looks at three widths, kept as pictures, and what axe has to say of it: nothing.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { DESK, Phone, poll } from "../world/browser.js";
import { city } from "../world/server.js";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const WIDTHS = [{ width: 360, height: 640 }, { width: 768, height: 1024 }, DESK];
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

let server;
const phones = [];
before(async () => { server = await city(); }, { timeout: 300_000 });
after(async () => {
  for (const phone of phones) await phone.remove();
  await server.remove();
});

async function axe(phone, name) {
  const session = await phone.context.newCDPSession(phone.page);
  // Through the inspector: the page's own policy allows no script of ours.
  await session.send("Runtime.evaluate", { expression: AXE });
  const { result, exceptionDetails } = await session.send("Runtime.evaluate", {
    expression: `axe.run(document, { runOnly: ${JSON.stringify(RULES)} }).then((found) => JSON.stringify(found.violations.map(({ id, nodes }) => [id, nodes.slice(0, 3).map((node) => node.html + " " + node.failureSummary)])))`,
    awaitPromise: true,
    returnByValue: true,
  });
  await session.detach();
  assert.equal(exceptionDetails, undefined);
  assert.deepEqual(JSON.parse(result.value), [], `axe at ${name}, ${phone.view.width} px`);
}

/** No part of the page is wider than the screen. */
async function fits(phone, name) {
  const over = await phone.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(over <= 0, `${name} is ${over} px wider than ${phone.view.width}`);
}

/** What a thumb in a glove presses is 48 px high and wide, but for links inside of sentences. */
async function isPressed(phone, name) {
  const small = await phone.page.evaluate(() =>
    [...document.querySelectorAll("button, .button, .nav a, .leaflet-bar a, .choice, .tick, .kind, .case, .standing, summary, select, input:not([type=file]):not([type=radio]):not([type=checkbox])")]
      .map((it) => [it.outerHTML.slice(0, 90), it.getBoundingClientRect()])
      .filter(([, box]) => box.width > 0 && (box.height < 47.5 || box.width < 47.5))
      .map(([html, box]) => `${html} ${box.width}×${box.height}`)
      .filter((text) => !text.includes("leaflet-marker")),
  );
  assert.deepEqual(small, [], `too small at ${name}`);
}

async function look(phone, name, place, ready) {
  for (const view of WIDTHS) {
    phone.view = view;
    await phone.page.setViewportSize(view);
    await phone.to(place);
    await phone.page.locator(ready).first().waitFor();
    await poll(async () => (await phone.page.locator(".waiting[role=status]").count()) === 0, `${name} to be read`);
    await poll(() => phone.page.evaluate(() => [...document.images].every((image) => image.complete)), "pictures");
    await fits(phone, name);
    await isPressed(phone, name);
    await axe(phone, name);
    await phone.shot(name);
  }
}

test("a phone that is nobody's yet", { timeout: 120_000 }, async () => {
  const phone = await Phone.new(server);
  phones.push(phone);
  await look(phone, "enrol", "/", "form");
});

test("an inspector's places", { timeout: 240_000 }, async () => {
  const phone = phones[0];
  await phone.enrol("inspector01");
  await phone.page.locator(".case").first().waitFor();
  await look(phone, "tasks", "/tasks", ".case");
  await look(phone, "mine", "/tasks?of=mine", ".counts");
  await look(phone, "list", "/cases", ".case .photo");
  await look(phone, "map", "/cases?view=map", ".map");
  await look(phone, "attention", "/attention", "#content");
  await look(phone, "sending", "/sending", "[data-count]");
  await look(phone, "me", "/me", ".choice");
});

test("a report, step by step", { timeout: 180_000 }, async () => {
  const phone = phones[0];
  await phone.page.setViewportSize(WIDTHS[0]);
  phone.view = WIDTHS[0];
  await phone.to("/capture");
  await phone.shoot();
  await phone.page.locator(".taken img").first().waitFor();
  await phone.page.locator(".shutter:not([disabled])").waitFor();
  await phone.shot("capture-1-photo");
  await axe(phone, "camera");
  await isPressed(phone, "camera");
  await phone.page.locator(".camera-foot .button-main").click();
  await phone.page.locator(".kind").first().waitFor();
  await phone.shot("capture-2-kind");
  await axe(phone, "kind");
  await isPressed(phone, "kind");
  await phone.page.locator('[data-kind="stall/road_occupation"]').click();
  await phone.page.getByLabel("摊位号或摊点特征").waitFor();
  await phone.shot("capture-3-details");
  await axe(phone, "details");
  await isPressed(phone, "details");
  await phone.page.getByRole("button", { name: "劝导 / 现场解决" }).click();
  await phone.page.locator(".foot-choices").getByRole("radio").first().waitFor();
  await phone.shot("capture-4-settle");
  await phone.page.locator(".foot-choices").getByRole("radio").first().click();
  await phone.saved();
  await phone.shot("capture-5-saved");
  await axe(phone, "saved");
  await isPressed(phone, "saved");
});

test("a supervisor's board and a case's story", { timeout: 240_000 }, async () => {
  const phone = await Phone.new(server, DESK);
  phones.push(phone);
  await phone.enrol("supervisor01");
  await phone.page.locator(".case").first().waitFor();
  await look(phone, "board", "/cases", ".case .photo");
  await look(phone, "board-map", "/cases?view=map", ".map");
  const [closed, reported] = await Promise.all(["closed", "reported"].map((state) => state)).then(async (states) => {
    const found = [];
    for (const state of states) {
      await phone.to(`/cases?state=${state}`);
      await poll(async () => (await phone.page.locator(`.case .state-${state}`).count()) > 0, state);
      found.push(await phone.page.locator(".case").first().getAttribute("href"));
    }
    return found;
  });
  await look(phone, "case-closed", closed.slice(1), "[data-state] .photo");
  await look(phone, "case-reported", reported.slice(1), "[data-state] .photo");
  await look(phone, "file", `${reported.slice(1)}/do/file`, ".choice");
  await look(phone, "assign", `${reported.slice(1)}/do/assign`, "section.note");
  await look(phone, "parked", "/parked", "#content");
  await look(phone, "missing", "/missing", "#content");
});

test("an administrator's people and phones", { timeout: 180_000 }, async () => {
  const phone = await Phone.new(server, DESK);
  phones.push(phone);
  await phone.enrol("admin01");
  await look(phone, "accounts", "/accounts", "[data-login]");
  await look(phone, "devices", "/devices", "[data-device]");
});

test("English, large type and sunlight", { timeout: 180_000 }, async () => {
  const phone = phones[0];
  await phone.to("/me");
  await phone.page.getByRole("button", { name: "大字" }).click();
  await phone.page.getByRole("button", { name: "强光下更清楚" }).click();
  await look(phone, "sunlight-large", "/tasks", ".counts");
  await phone.to("/me");
  await phone.page.getByRole("radio", { name: "English" }).click();
  await look(phone, "english", "/tasks", ".counts");
  await look(phone, "english-me", "/me", ".choice");
});
