// On every page: where one is, of which moment, how fresh it is, what is open.
import { heard, locked, lost } from "./api";
import { now, span, stamp } from "./clock";
import { beat, summary, trouble } from "./live";
import { toggleTheme } from "./theme";
import { Time } from "./time";
import { ALONE, at, link, route } from "./url";
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
  if (at.value) return { tone: "past", glyph: "◷", text: `as of ${/T.*Z$/.test(at.value) ? stamp(at.value) : at.value}, not live` };
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

export function Header({ help, search }: { help: () => void; search: () => void }) {
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
          {ALONE.map((name) => (
            <a key={name} href={link(`/${name}`)} aria-current={current(name)}>
              {name[0]!.toUpperCase() + name.slice(1)}
            </a>
          ))}
        </nav>
        <Freshness />
        <Open />
        <Time />
        <div class="tools">
          <button type="button" onClick={search} title="Search ( Ctrl-K )">
            Search
          </button>
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
