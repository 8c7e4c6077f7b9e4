// Tells the story again to the rules as compiled for the page: `node same.mjs GENERATED/ TOLD.json`.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";

const [generated, told] = process.argv.slice(2).map((path) => resolve(path));
// Node takes the file for an ES module by what it holds.
const text = await readFile(join(generated, "rules.js"), "utf8");
const { initSync, Rules } = await import(`data:text/javascript,${encodeURIComponent(text)}`);
initSync({ module: await readFile(join(generated, "rules_bg.wasm")) });

let drawn = 7;
const random = (count) =>
  Uint8Array.from({ length: count }, () => {
    drawn = (Math.imul(drawn, 1_664_525) + 1_013_904_223) >>> 0;
    return drawn >>> 24;
  });

// Why a line of an answer can't be read is said by the reader of JSON, which is another one here: that it can't is the same.
const bare = (text) => (text.startsWith('{"code":"answer"') ? text.replace(/can't be read \(.*?\);/g, "can't be read;") : text);

const rules = new Rules(random);
let steps = 0;
for (const { name, arguments: given, answer, changes } of JSON.parse(await readFile(told, "utf8"))) {
  if (changes !== undefined) {
    assert.equal(rules.changes(), changes);
    rules.saved();
    continue;
  }
  let here;
  try {
    here = rules.call(name, given);
  } catch (refusal) {
    here = refusal;
  }
  assert.equal(bare(here), bare(answer), name);
  steps += 1;
}
assert.ok(steps > 20, "a story of more than twenty calls");
