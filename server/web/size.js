// The first load, gzipped: the start page and all that it names, with what those import at once. The map comes later.
// The rules of the device have a limit of their own, which is far more than the 200 KB that all of it should be: it keeps
// them from growing until they are made smaller.

import { readFileSync, readdirSync, statSync } from "node:fs";

const MOST = 200 * 1024;
const RULES_MOST = 660 * 1024;
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

const bytes = [...seen].map((name) => [name, statSync(`dist/${name}.gz`).size]);
const all = bytes.reduce((sum, [, size]) => sum + size, statSync("dist/index.html.gz").size);
for (const [name, size] of bytes) console.log(`${(size / 1024).toFixed(1).padStart(8)} KB  ${name}`);
console.log(`${(all / 1024).toFixed(1).padStart(8)} KB  first load, gzipped, without the map (at most ${MOST / 1024})`);
const rules = readdirSync("dist/assets").filter((name) => name.endsWith(".wasm"));
const sizeOf = (names, end) => names.reduce((sum, name) => sum + statSync(`dist/${name}${end}`).size, 0);
const rulesBytes = sizeOf(rules.map((name) => `assets/${name}`), ".gz");
const brotli = sizeOf(["index.html", ...seen, ...rules.map((name) => `assets/${name}`)], ".br");
console.log(`${(rulesBytes / 1024).toFixed(1).padStart(8)} KB  the device's rules, loaded at once, too (at most ${RULES_MOST / 1024})`);
console.log(`${((all + rulesBytes) / 1024).toFixed(1).padStart(8)} KB  both, and ${(brotli / 1024).toFixed(1)} KB as brotli`);
if (all > MOST || rulesBytes > RULES_MOST) process.exit(1);
