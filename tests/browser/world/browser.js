// A real Chromium with a made-up camera and place: one profile is one phone.

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { chromium } from "playwright-core";

const PROGRAM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];
const ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", ...CAMERA];
const SHOTS = resolve(import.meta.dirname, "../../../target/screenshots");
/** In the grid of the demo city's first inspector. */
export const HERE = { latitude: 37.46393, longitude: 116.34371, accuracy: 12 };
export const PHONE = { width: 360, height: 640 };
export const DESK = { width: 1440, height: 900 };
const PATIENCE_MS = 45_000;

/** A phone: a profile on disk that outlives its browser. */
export class Phone {
  static async new(server, view = PHONE, place = HERE) {
    const phone = new Phone();
    Object.assign(phone, { server, view, place, profile: await mkdtemp(join(tmpdir(), "rectify-phone-")) });
    return phone.open();
  }

  async open() {
    this.context = await chromium.launchPersistentContext(this.profile, {
      executablePath: PROGRAM,
      args: ARGUMENTS,
      viewport: this.view,
      deviceScaleFactor: 1,
      locale: "zh-CN",
      timezoneId: "Asia/Shanghai",
      geolocation: this.place,
      permissions: ["geolocation", "camera"],
    });
    this.context.setDefaultTimeout(PATIENCE_MS);
    this.page = this.context.pages()[0] ?? (await this.context.newPage());
    this.errors = [];
    this.page.on("pageerror", (error) => this.errors.push(error.message));
    await this.page.goto(`${this.server.address}/`);
    return this;
  }

  /** The whole browser is killed, as a phone kills it. */
  async kill() {
    const session = await this.context.browser()?.newBrowserCDPSession();
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    const { id } = processInfo.find((process) => process.type === "browser");
    const closed = new Promise((done) => this.context.once("close", done));
    process.kill(id, "SIGKILL");
    await closed;
  }

  async remove() {
    await this.context.close().catch(() => {});
    await rm(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }

  async enrol(login, name = login, pin = "") {
    const { page } = this;
    await page.getByLabel("登记码").fill(await this.server.code(login));
    await page.getByLabel("您在本机的称呼").fill(name);
    if (pin) await page.getByLabel("PIN（选填）").fill(pin);
    await page.getByRole("button", { name: "登记", exact: true }).click();
    await page.locator(".nav").waitFor();
    return this.pulled();
  }

  /** The first pull came to its end: catalogue, areas and cases are here. */
  async pulled() {
    await poll(async () => (await this.page.locator("[data-pulled=true]").count()) === 1, "the first pull", 120_000);
    return this;
  }

  /** The service worker has the page: it opens with no server now. */
  async isKept() {
    await poll(() => this.page.evaluate(() => Boolean(navigator.serviceWorker.controller)), "a service worker");
  }

  to(place) {
    return this.page.evaluate((place) => { location.hash = place; }, place);
  }

  /** Own ops that only this phone has, as every screen says once its store is read. */
  async unsent() {
    return Number(await this.page.locator(".standing[data-unsent]").getAttribute("data-unsent"));
  }

  async allSent() {
    await poll(async () => (await this.unsent()) === 0, "everything to be sent");
  }

  /** Photo, kind, done: as a thumb does it. */
  async report(subject, kind = "stall/road_occupation") {
    await this.to("/capture");
    await this.shoot();
    await this.page.locator(".camera-foot .button-main").click();
    await this.page.locator(`[data-kind="${kind}"]`).click();
    await this.page.getByLabel("摊位号或摊点特征").fill(subject);
    await this.page.getByRole("button", { name: "上报", exact: true }).click();
    return this.saved();
  }

  async saved() {
    const saved = this.page.locator(".saved");
    await saved.waitFor();
    return { entity: await saved.getAttribute("data-entity"), code: await saved.locator(".code").innerText() };
  }

  async shoot() {
    const before = await this.page.locator(".taken .photo").count();
    await this.page.locator(".shutter:not([disabled])").click();
    await poll(async () => (await this.page.locator(".taken .photo").count()) > before, "a photo");
  }

  /** Opens a case that this phone holds. */
  async case(log, id) {
    await this.to(`/case/${log}/${id}`);
    await this.page.locator("[data-state]").waitFor();
  }

  async state() {
    return this.page.locator("[data-state]").getAttribute("data-state");
  }

  /** Waits until the case that is shown stands there. */
  async stands(state) {
    await poll(async () => (await this.state()) === state, `the case to be ${state}`);
  }

  async step(log, id, kind, fill) {
    await this.to(`/case/${log}/${id}/do/${kind}`);
    await this.page.locator(".foot .button").waitFor();
    await fill?.(this.page);
    await this.page.locator(".foot .button:not([disabled])").click();
    await this.page.locator("[data-state]").waitFor();
  }

  /** Takes a photo inside a step's form. */
  async stepPhoto() {
    await this.page.getByRole("button", { name: "拍照", exact: true }).click();
    await this.shoot();
    await this.page.locator(".camera-foot .button-main").click();
  }

  async shot(name) {
    await mkdir(SHOTS, { recursive: true });
    await this.page.screenshot({ path: join(SHOTS, `${name}-${this.view.width}.png`) });
  }
}

/** Asks again and again: a page is told nothing of what another one waits for. */
export async function poll(ask, what, most_ms = PATIENCE_MS) {
  const until = Date.now() + most_ms;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > until) throw new Error(`waited in vain for ${what}`);
    await new Promise((next) => setTimeout(next, 100));
  }
}
