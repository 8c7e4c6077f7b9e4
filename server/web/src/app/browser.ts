// What this browser can and can't do, said before anything is tried.

/** What the page can't do without and this browser has not. */
export function lacks(): string[] {
  const needed: [string, boolean][] = [
    ["IndexedDB", "indexedDB" in window],
    ["WebCrypto", Boolean(window.crypto?.subtle)],
    ["WebAssembly", typeof WebAssembly === "object"],
    ["Service Worker", "serviceWorker" in navigator],
    ["Compression", typeof ReadableStream === "function"],
  ];
  return needed.filter(([, has]) => !has).map(([name]) => name);
}

/** Lets the person keep a file. */
export function saveFile(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
