// The one control of time: live or as of a moment, and the range that lists and timelines are of. All of it is in the address.
import { useSignal } from "@preact/signals";
import { absolute, beginning, brief, shifted } from "./clock";
import { at, set, since, until } from "./url";

const LENGTHS: [string, string][] = [
  ["1h", "the last hour"],
  ["6h", "the last 6 h"],
  ["24h", "the last 24 h"],
  ["7d", "the last 7 days"],
  ["30d", "the last 30 days"],
];
const OTHER = "other";

export function Time() {
  const typed = useSignal<string | null>(null);
  const done = (event: Event) => {
    event.preventDefault();
    set({ at: absolute(typed.value ?? at.value ?? "") }, false);
    typed.value = null;
    (document.activeElement as HTMLElement | null)?.blur();
  };
  return (
    <form class="time" onSubmit={done} aria-label="The moment that is shown">
      <button type="button" aria-pressed={!at.value} onClick={() => set({ at: null }, false)} title="The present, as it changes">
        Live
      </button>
      <button type="button" onClick={() => set({ at: shifted(-600) }, false)} title="10 minutes earlier ( [ )">
        −10 min
      </button>
      <button type="button" disabled={!at.value} onClick={() => set({ at: shifted(600) }, false)} title="10 minutes later ( ] )">
        +10 min
      </button>
      <label class="as-of">
        <span>as of</span>
        <input
          name="at"
          autocomplete="off"
          spellcheck={false}
          placeholder="-2h or 2026-10-05 09:43Z"
          title="UTC, an epoch, or a distance such as -2h; empty for live. Enter goes there."
          value={typed.value ?? at.value ?? ""}
          onInput={(event) => (typed.value = event.currentTarget.value)}
          onBlur={() => (typed.value = null)}
        />
      </label>
      <Range />
    </form>
  );
}

function Range() {
  const typing = useSignal(false);
  const wrong = useSignal(false);
  const chosen = since.value ?? "";
  const usual = !until.value && (chosen === "" || LENGTHS.some(([length]) => length === chosen));
  const choose = (value: string) => {
    typing.value = value === OTHER;
    if (value !== OTHER) set({ since: value || null, until: null }, false);
  };
  const typed = (text: string) => {
    const [from, to] = text.split(/\s+to\s+/);
    const [begin, end] = [beginning(from ?? ""), to === undefined ? null : absolute(to)];
    wrong.value = begin === undefined || (end !== null && Number.isNaN(Date.parse(end)));
    if (wrong.value) return;
    typing.value = false;
    set({ since: begin!, until: end }, false);
  };
  return (
    <label class="as-of">
      <span>range</span>
      {typing.value ? (
        <input
          name="since"
          autocomplete="off"
          spellcheck={false}
          placeholder="90m, or a time to a time"
          title="A length of time such as 90m or 3d, or a time, or: 2026-10-05 09:00 to 2026-10-05 10:00. Esc leaves it as it was."
          aria-invalid={wrong.value}
          ref={(input) => input?.focus()}
          onKeyDown={(event) => {
            if (event.key === "Escape") typing.value = false;
            if (event.key !== "Enter") return;
            event.preventDefault();
            typed(event.currentTarget.value);
          }}
          onBlur={() => (typing.value = wrong.value = false)}
        />
      ) : (
        <select name="range" value={usual ? chosen : "this"} onChange={(event) => choose(event.currentTarget.value)}>
          <option value="">all that is kept</option>
          {LENGTHS.map(([length, text]) => (
            <option key={length} value={length}>
              {text}
            </option>
          ))}
          {!usual && <option value="this">{said(chosen, until.value)}</option>}
          <option value={OTHER}>another…</option>
        </select>
      )}
    </label>
  );
}

const short = (time: string) => (/T.*Z$/.test(time) ? brief(time) : time);

function said(from: string, to: string | null): string {
  if (to) return `${from ? short(from) : "the beginning"} to ${short(to)}`;
  return /T.*Z$/.test(from) ? `since ${short(from)}` : `the last ${from}`;
}
