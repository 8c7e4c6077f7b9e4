// How the page is built: small hashed files, each with itself packed beside it, and a service worker that knows all of them.

import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const DIST = "dist";
/** What is as small as it gets already. */
const PACKED = /\.(png|gz|br)$/;

function files(below: string): string[] {
  return readdirSync(below, { withFileTypes: true }).flatMap((entry) => {
    const path = join(below, entry.name);
    return entry.isDirectory() ? files(path) : [path];
  });
}

/** Writes the list of all files into the service worker, whose name is then another cache, and each packed beside itself. */
function offline(): Plugin {
  return {
    name: "offline",
    apply: "build",
    closeBundle() {
      const worker = join(DIST, "sw.js");
      const all = files(DIST).filter((path) => path !== worker && !/\.(gz|br)$/.test(path)).sort();
      const version = createHash("sha256");
      for (const path of all) version.update(path).update(readFileSync(path));
      const shown = all.map((path) => path.slice(DIST.length)).map((path) => (path === "/index.html" ? "/" : path));
      const text = readFileSync(worker, "utf8")
        .replace('"VERSION"', JSON.stringify(version.digest("hex").slice(0, 12)))
        .replace('["FILES"]', JSON.stringify(shown));
      writeFileSync(worker, text);
      for (const path of files(DIST).filter((path) => !PACKED.test(path))) {
        writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
        writeFileSync(`${path}.br`, brotliCompressSync(readFileSync(path)));
      }
    },
  };
}

export default defineConfig({
  base: "/",
  plugins: [offline()],
  build: {
    target: ["es2020", "chrome87", "safari14", "firefox78"],
    outDir: DIST,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 400,
  },
});
