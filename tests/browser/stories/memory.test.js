// A phone of 2 GB: what the page holds in memory with 2,000 cases and 50 photos that were not sent.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Phone, poll } from "../world/browser.js";
import { city } from "../world/server.js";

const CASES = 2000;
const PHOTOS = 50;
const MOST_MB = 150;

let server;
let phone;
before(async () => { server = await city(); }, { timeout: 300_000 });
after(async () => {
  await phone?.remove();
  await server.remove();
});

async function more() {
  const rows = ["来源,来源编号,发现时间,大类,小类,纬度,经度,对象,情况说明"];
  for (let n = 0; n < CASES; n += 1) {
    const [lat, lon] = [37.445 + (n % 50) * 0.0003, 116.345 + Math.floor(n / 50) * 0.0006];
    rows.push(`摸底,M-${n},2026-11-20 08:30,stall,road_occupation,${lat.toFixed(7)},${lon.toFixed(7)},${n}号摊,占用盲道`);
  }
  const list = join(server.folder, "list.csv");
  await writeFile(list, `${rows.join("\n")}\n`);
  await server.operator("cases", "import", list, "--as", "supervisor01", "--apply");
}

/** What the renderer holds for itself, in MB. */
async function held() {
  const session = await phone.context.browser().newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  const sizes = await Promise.all(
    processInfo.filter(({ type }) => type === "renderer").map(async ({ id }) => {
      const status = await readFile(`/proc/${id}/status`, "utf8");
      return Number(/RssAnon:\s+(\d+)/.exec(status)[1]) / 1024;
    }),
  );
  return Math.max(...sizes);
}

test("2,000 cases and 50 unsent photos fit into 150 MB", { timeout: 600_000 }, async () => {
  await server.kill();
  await more();
  await server.start();
  phone = await (await Phone.new(server)).enrol("supervisor01");
  await poll(async () => {
    await phone.to("/cases?state=any");
    const found = await phone.page.locator("[data-found]").getAttribute("data-found", { timeout: 5000 }).catch(() => 0);
    return Number(found) >= CASES;
  }, "all the cases", 240_000);
  await phone.isKept();
  await phone.context.setOffline(true);
  for (let n = 0; n < PHOTOS; n += 1) await phone.report(`存量 ${n}`);
  assert.equal(await phone.unsent(), PHOTOS);
  await phone.to("/cases?state=any&view=map");
  await phone.page.locator("[data-markers]").waitFor();
  await phone.to("/cases?state=any");
  await phone.page.locator(".case").first().waitFor();
  const session = await phone.context.newCDPSession(phone.page);
  await session.send("HeapProfiler.collectGarbage");
  const mb = await held();
  console.log(`the page holds ${mb.toFixed(0)} MB with ${CASES} cases and ${PHOTOS} unsent photos`);
  assert.ok(mb < MOST_MB, `${mb.toFixed(0)} MB`);
});
