// The real program with its demo city, started for real, killed for real.

import { spawn, execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, "../../..");
const PROGRAM = join(ROOT, "target/debug/rectify");
/** Settled once by each build of the program: drawing a city's photos takes a minute. */
const MODEL = join(ROOT, "target/browser-city");
const START_MS = 240_000;

function freePort() {
  return new Promise((done, failed) => {
    const probe = createServer();
    probe.once("error", failed);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

/** What lets the clock of a program run ahead, `+9d` say; timers go by the machine's. */
async function clockAhead(ahead) {
  if (!ahead) return process.env;
  const libraries = (await readdir("/usr/lib")).map((name) => `/usr/lib/${name}/faketime/libfaketimeMT.so.1`);
  const library = libraries.find((path) => existsSync(path));
  if (!library) throw new Error("libfaketime is missing: cargo xtask test --only needs");
  return { ...process.env, LD_PRELOAD: library, FAKETIME: ahead, FAKETIME_DONT_FAKE_MONOTONIC: "1", NO_FAKE_STAT: "1" };
}

/** A server on a folder: it may be killed and started again on the same port. */
export class Server {
  constructor(folder, port, ahead) {
    this.folder = folder;
    this.port = port;
    this.ahead = ahead;
    this.process = null;
  }

  get address() {
    return `http://localhost:${this.port}`;
  }

  async start() {
    const listen = `127.0.0.1:${this.port}`;
    const env = await clockAhead(this.ahead);
    const words = ["serve", "--demo", "--data", this.folder, "--listen", listen];
    this.process = spawn(PROGRAM, words, { stdio: ["ignore", "pipe", "pipe"], env });
    let said = "";
    for (const stream of [this.process.stdout, this.process.stderr]) stream.on("data", (bytes) => (said += bytes));
    const until = Date.now() + START_MS;
    while (Date.now() < until) {
      if (this.process.exitCode !== null) throw new Error(`the server ended: ${said.slice(-2000)}`);
      const ready = await fetch(`${this.address}/readyz`).then((answer) => answer.ok, () => false);
      if (ready) return this;
      await new Promise((next) => setTimeout(next, 100));
    }
    throw new Error(`the server is not ready: ${said.slice(-2000)}`);
  }

  /** SIGKILL: a normal stop. */
  async kill() {
    if (!this.process || this.process.exitCode !== null || this.process.signalCode !== null) return;
    const gone = new Promise((done) => this.process.once("exit", done));
    this.process.kill("SIGKILL");
    await gone;
  }

  async operator(...words) {
    const env = await clockAhead(this.ahead);
    const { stdout } = await run(PROGRAM, [...words, "--data", this.folder, "--json"], { env });
    return JSON.parse(stdout.trim().split("\n").pop());
  }

  /** A one-time code of somebody. */
  async code(login) {
    return (await this.operator("device", "code", login)).code;
  }

  async remove() {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function settle() {
  const build = String((await stat(PROGRAM)).mtimeMs);
  const settled = join(MODEL, "settled");
  if ((await readFile(settled, "utf8").catch(() => "")) === build) return;
  await rm(MODEL, { recursive: true, force: true });
  await mkdir(MODEL, { recursive: true });
  const model = new Server(join(MODEL, "data"), await freePort());
  await model.start();
  await model.kill();
  await writeFile(settled, build);
}

/** A city of its own for a story, perhaps with a server whose clock runs ahead. */
export async function city(ahead) {
  await settle();
  const folder = await mkdtemp(join(tmpdir(), "rectify-city-"));
  await cp(join(MODEL, "data"), folder, { recursive: true });
  return new Server(folder, await freePort(), ahead).start();
}
