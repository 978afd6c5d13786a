// On every page: where one is, of which moment, how fresh it is, what is open.
import { signal, useSignal } from "@preact/signals";
import { heard, locked, lost } from "./api";
import { absolute, now, shifted, span, stamp } from "./clock";
import { beat, summary, trouble } from "./live";
import { at, link, route, set } from "./url";
import { glyph, lacking, plural, SEVERITIES } from "./words";

const LOST_MS = 30_000;
const STALE_MS = 60_000;
const SILENT_MS = 15 * 60_000;

interface Fresh {
  tone: "fine" | "warn" | "bad" | "past";
  glyph: string;
  text: string;
}

function freshness(): Fresh {
  const told = beat.value;
  if (locked.value) return { tone: "warn", glyph: "▲", text: "a token is wanted" };
  now(); // drawn again every second
  const quiet = Date.now() - heard.value;
  if (lost.value || quiet > LOST_MS)
    return { tone: "bad", glyph: "✖", text: `disconnected: nothing heard of the worker for ${span(quiet)}; trying again` };
  if (trouble.value) return { tone: "bad", glyph: "✖", text: `no state: ${trouble.value.message}` };
  if (!told) return { tone: "warn", glyph: "…", text: "connecting" };
  const lag = `lag ${told.lag.toLocaleString("en")}`;
  if (told.partial) return { tone: "bad", glyph: "✖", text: `partial: ${lacking(told)}, ${lag}` };
  // Until an answer says which moment it is, what was typed may be in any form.
  if (at.value) return { tone: "past", glyph: "◷", text: `as of ${/T.*Z$/.test(at.value) ? `${stamp(at.value)} UTC` : at.value}, not live` };
  const old = told.as_of ? now() - Date.parse(told.as_of) : 0;
  if (old > STALE_MS) return { tone: "bad", glyph: "✖", text: `stale: the state is ${span(old)} old, ${lag}` };
  const since = told.item.last_event_time;
  if (!since) return { tone: "fine", glyph: "●", text: `no events yet, ${lag}` };
  const age = now() - Date.parse(since);
  if (age > SILENT_MS) return { tone: "warn", glyph: "▲", text: `no event for ${span(age)}, ${lag}` };
  return { tone: "fine", glyph: "●", text: `events ${span(age)} ago, ${lag}` };
}

function Freshness() {
  const told = freshness();
  return (
    <p class={`fresh ${told.tone}`} role="status" aria-live="off" data-tone={told.tone}>
      <span aria-hidden="true">{told.glyph}</span> {told.text}
    </p>
  );
}

function Time() {
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
          placeholder="-2h or 2026-10-05 09:43"
          title="UTC, an epoch, or a distance such as -2h; empty for live. Enter goes there."
          value={typed.value ?? at.value ?? ""}
          onInput={(event) => (typed.value = event.currentTarget.value)}
          onBlur={() => (typed.value = null)}
        />
      </label>
    </form>
  );
}

export function Open() {
  const told = summary();
  const whole = told !== null && freshness().tone !== "bad";
  const known = whole ? "" : " in what is known";
  const counts = told?.open ?? {};
  const total = SEVERITIES.reduce((sum, each) => sum + (counts[each] ?? 0), 0);
  const worst = SEVERITIES.find((each) => counts[each]);
  const words = SEVERITIES.filter((each) => counts[each]).map((each) => `${counts[each]} ${each}`);
  return (
    <a class={`open ${worst ?? (whole ? "none" : "unknown")}`} href={link("/anomalies")} title={(words.join(", ") || "nothing is open") + known}>
      <span aria-hidden="true">{worst ? glyph(worst) : whole ? "✔" : "?"}</span>{" "}
      {at.value ? "now: " : ""}
      {told ? `${total ? `${plural(total, "open anomaly", "open anomalies")}${worst && worst !== "info" ? `, ${counts[worst]} ${worst}` : ""}` : "no open anomalies"}${known}` : "anomalies"}
    </a>
  );
}

const kept = localStorage.getItem("hyperpod-state-theme");
export const theme = signal<"light" | "dark" | null>(kept === "light" || kept === "dark" ? kept : null);
const dark = () => (theme.value ? theme.value === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);

export function toggleTheme(): void {
  theme.value = dark() ? "light" : "dark";
  localStorage.setItem("hyperpod-state-theme", theme.value);
  paint();
}
export function paint(): void {
  if (theme.value) document.documentElement.dataset.theme = theme.value;
  document.querySelector('meta[name="color-scheme"]')?.setAttribute("content", theme.value ?? "light dark");
}

export function Header({ help }: { help: () => void }) {
  const page = route.value.page;
  const current = (name: string) => (page === name ? "page" : undefined);
  return (
    <header>
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), document.querySelector<HTMLElement>("main")?.focus())}>
        Skip to the page
      </a>
      <div class="bar">
        <nav aria-label="Pages">
          <a class="brand" href={link("/")} aria-current={current("fleet")}>
            Fleet
          </a>
          {["anomalies", "patterns", "machines", "pipeline"].map((name) => (
            <a key={name} href={link(`/${name}`)} aria-current={current(name)}>
              {name[0]!.toUpperCase() + name.slice(1)}
            </a>
          ))}
        </nav>
        <Freshness />
        <Open />
        <Time />
        <div class="tools">
          <button type="button" onClick={toggleTheme} aria-label="Light or dark" title="Light or dark ( t )">
            ◐
          </button>
          <button type="button" onClick={help} aria-label="Keys" title="Keys ( ? )">
            ?
          </button>
        </div>
      </div>
    </header>
  );
}
