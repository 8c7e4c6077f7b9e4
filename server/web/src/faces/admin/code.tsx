// A one-time code to hand over: to read aloud, and to scan. What is scanned is the page's address with the code in it.

import { encode } from "uqr";
import { useMemo } from "preact/hooks";
import { useWords } from "../../app/settings";

export function CodeCard({ code }: { code: string }) {
  const words = useWords();
  const { path, size } = useMemo(() => drawn(`${location.origin}/#/?code=${code}`), [code]);
  return (
    <div class="stack" style={{ alignItems: "center" }}>
      <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={words.admin.code} shape-rendering="crispEdges">
        <path d={path} fill="#000" />
      </svg>
      <p class="code" data-code={code}>{code}</p>
      <p class="hint">{words.admin.code_shown}</p>
    </div>
  );
}

function drawn(text: string): { path: string; size: number } {
  const { data, size } = encode(text, { border: 2 });
  const squares = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])));
  return { path: squares.join(""), size };
}
