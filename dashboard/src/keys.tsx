// Everything by keyboard. Knows: keys. Rows are whatever has `data-row`.
import { useLayoutEffect, useRef } from "preact/hooks";
import { shifted } from "./clock";
import { toggleTheme } from "./theme";
import { at, go, link, set } from "./url";

const PAGES: Record<string, string> = { f: "/", a: "/anomalies", r: "/patterns", m: "/machines", p: "/pipeline" };
export const KEYS: [string, string][] = [
  ["g f", "the fleet"],
  ["g a", "anomalies"],
  ["g r", "patterns: what recurs, and reliability"],
  ["g m", "the state machines, and who is where"],
  ["g p", "the pipeline: can this page be believed?"],
  ["Ctrl-K", "search: instances, groups, clusters, anomalies, pages"],
  ["/", "to the filter of the page, else search"],
  ["j  k", "the next row or tile, the one before"],
  ["Enter", "open it"],
  ["[  ]", "ten minutes earlier, ten minutes later"],
  ["l", "live"],
  ["t", "light or dark"],
  ["Esc", "leave the filter, close this"],
  ["?", "this list"],
];
let prefix = 0;

function step(by: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>("main [data-row]")];
  if (!rows.length) return;
  const here = rows.indexOf(document.activeElement as HTMLElement);
  const next = rows[here < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, here + by))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

export function listen(help: () => void, search: () => void): () => void {
  const act: Record<string, () => void> = {
    "?": help,
    "/": () => {
      const filter = document.querySelector<HTMLInputElement>("main [data-filter]");
      if (filter) filter.focus();
      else search();
    },
    j: () => step(1),
    k: () => step(-1),
    "[": () => set({ at: shifted(-600) }, false),
    "]": () => at.value && set({ at: shifted(600) }, false),
    l: () => set({ at: null }, false),
    t: toggleTheme,
    g: () => (prefix = Date.now()),
  };
  const pressed = (event: KeyboardEvent) => {
    const where = event.target as HTMLElement;
    if ((event.ctrlKey || event.metaKey) && event.key === "k" && !document.querySelector("dialog[open]")) {
      event.preventDefault();
      return search();
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(where.tagName)) {
      if (event.key === "Escape") where.blur();
      return;
    }
    if (document.querySelector("dialog[open]")) return;
    const page = Date.now() - prefix < 1500 ? PAGES[event.key] : undefined;
    prefix = 0;
    const job = page === undefined ? act[event.key] : () => go(link(page));
    if (!job) return;
    event.preventDefault();
    job();
  };
  addEventListener("keydown", pressed);
  return () => removeEventListener("keydown", pressed);
}

export function Help({ open, close }: { open: boolean; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="keys">
      <h2 id="keys">Keys</h2>
      <dl class="keys">
        {KEYS.map(([key, what]) => (
          <div key={key}>
            <dt>
              {key.split(/\s+/).map((each) => (
                <kbd key={each}>{each}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <button type="button" onClick={close}>
        Close
      </button>
    </dialog>
  );
}
