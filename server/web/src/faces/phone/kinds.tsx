// Category and subtype by big buttons: all of them on one screen, the last used category on top.

import { useLanguage, useWords } from "../../app/settings";
import type { Catalogue } from "../../case/reference";
import { said } from "../../words";

const LAST = "last category";

function last(): string | null {
  try {
    return localStorage.getItem(LAST);
  } catch {
    return null;
  }
}

function remember(category: string): void {
  try {
    localStorage.setItem(LAST, category);
  } catch {
    // Then they stand in the catalogue's order.
  }
}

export function Kinds({ catalogue, chosen, onChosen }: { catalogue: Catalogue | null; chosen?: string; onChosen: (category: string, subtype: string) => void }) {
  const words = useWords();
  const language = useLanguage();
  if (!catalogue) return <p class="note note-warn">{words.capture.no_catalogue}</p>;
  const before = last();
  const ordered = [...catalogue.categories].sort((one, other) => Number(other.code === before) - Number(one.code === before));
  return (
    <>
      {ordered.map((category) => (
        <section class="stack" key={category.code} aria-label={said(category.name, language)}>
          <h2 class="quiet-head">{said(category.name, language)}</h2>
          <div class="kinds">
            {category.subtypes.map((subtype) => (
              <button
                type="button"
                class="kind"
                key={subtype.code}
                data-kind={`${category.code}/${subtype.code}`}
                aria-pressed={chosen === subtype.code}
                onClick={() => {
                  remember(category.code);
                  onChosen(category.code, subtype.code);
                }}
              >
                {said(subtype.name, language)}
              </button>
            ))}
          </div>
        </section>
      ))}
      <div style={{ height: "24px" }} />
    </>
  );
}
