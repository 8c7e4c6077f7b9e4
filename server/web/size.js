// The first load, gzipped: the start page and all that it names, with what those import at once. The map comes later.

import { readFileSync, readdirSync, statSync } from "node:fs";

const MOST = 200 * 1024;
const seen = new Set();

function load(name) {
  if (seen.has(name)) return;
  seen.add(name);
  if (!name.endsWith(".js")) return;
  const text = readFileSync(`dist/${name}`, "utf8");
  for (const found of text.matchAll(/(?:from|import)\s*"\.\/([^"]+)"/g)) load(`assets/${found[1]}`);
}

const page = readFileSync("dist/index.html", "utf8");
for (const found of page.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)) load(found[1]);
// The device's own rules are loaded at once, too.
for (const name of readdirSync("dist/assets")) if (name.endsWith(".wasm")) seen.add(`assets/${name}`);

const bytes = [...seen].map((name) => [name, statSync(`dist/${name}.gz`).size]);
const all = bytes.reduce((sum, [, size]) => sum + size, statSync("dist/index.html.gz").size);
for (const [name, size] of bytes) console.log(`${(size / 1024).toFixed(1).padStart(8)} KB  ${name}`);
console.log(`${(all / 1024).toFixed(1).padStart(8)} KB  first load, gzipped, without the map (at most ${MOST / 1024})`);
if (all > MOST) process.exit(1);
