// What happened to one instance: a lane per machine, quiet hours folded, deadlines as ghost bars.
import { begins, brief, ends, ranged, span, stamp } from "./clock";
import { Wide } from "./bits";
import { bare } from "./diagram";
import type { Expectation, HistoryItem } from "./schema";
import { until } from "./url";
import { glyph, spoken, tone } from "./words";

interface Span {
  machine: string;
  state: string;
  from: number;
  to: number;
  change: HistoryItem;
}

const LEFT = 120;
const LANE = 30;
const BAR = 22;
const TOP = 26;
const FOLD = 46;
const LEAST = 3;
const FULL = 1000;

/** The spans of every machine that ever changed, in the order of `machines`, as far as they lie in the range. */
function spans(history: HistoryItem[], machines: string[], begin: number, end: number): Map<string, Span[]> {
  const found = new Map<string, Span[]>();
  for (const machine of machines) {
    const own = history.filter((each) => each.machine === machine && each.to !== null);
    if (!own.length) continue;
    const all = own.map((change, i) => ({ machine, state: change.to!, from: Date.parse(change.time), to: i + 1 < own.length ? Date.parse(own[i + 1]!.time) : end, change }));
    const seen = all.filter((each) => each.from <= end && each.to >= begin);
    if (seen.length) found.set(machine, seen.map((each) => ({ ...each, from: Math.max(each.from, begin), to: Math.min(each.to, end) })));
  }
  return found;
}

interface Scale {
  x: (time: number) => number;
  folds: { x: number; width: number; ms: number }[];
  width: number;
  ticks: { x: number; text: string }[];
}

/** Stretches between changes in proportion to their length, but a long one is folded and none vanishes. */
function scaled(times: number[], width: number): Scale {
  const marks = [...new Set(times)].sort((a, b) => a - b);
  const gaps = marks.slice(1).map((time, i) => time - marks[i]!);
  const sorted = [...gaps].sort((a, b) => a - b);
  // Much longer than most: nothing happened there.
  const usual = sorted[Math.floor(sorted.length * 0.6)] ?? 0;
  const long = Math.max(15 * 60_000, 4 * usual);
  const folded = gaps.map((gap) => gaps.length > 2 && gap > long);
  const rest = gaps.reduce((sum, gap, i) => sum + (folded[i] ? 0 : gap), 0);
  const room = Math.max(200, width - folded.filter(Boolean).length * FOLD - gaps.length * LEAST);
  const starts: number[] = [0];
  gaps.forEach((gap, i) => starts.push(starts[i]! + (folded[i] ? FOLD : LEAST + (rest ? (gap / rest) * room : room / gaps.length))));
  const x = (time: number): number => {
    let i = marks.findIndex((mark) => mark > time) - 1;
    if (i === -2) i = marks.length - 1;
    if (i < 0) return 0;
    const gap = gaps[i];
    return gap === undefined ? starts[i]! : starts[i]! + ((time - marks[i]!) / gap) * (starts[i + 1]! - starts[i]!);
  };
  const ticks: Scale["ticks"] = [];
  for (const mark of marks) {
    const place = x(mark);
    const last = ticks.at(-1);
    if ((!last || place - last.x > 84) && place < starts.at(-1)! - 68) ticks.push({ x: place, text: brief(new Date(mark).toISOString()) });
  }
  return {
    x,
    width: starts.at(-1)!,
    ticks,
    folds: gaps.flatMap((gap, i) => (folded[i] ? [{ x: starts[i]!, width: starts[i + 1]! - starts[i]!, ms: gap }] : [])),
  };
}

export function Timeline(props: { history: HistoryItem[]; machines: string[]; expects: Expectation[]; chosen: string | null; choose: (event: string) => void }) {
  const end = ends();
  const lanes = spans(props.history, props.machines, begins() ?? -Infinity, end);
  if (!lanes.size) return <p class="muted">No machine has changed in the history that is kept{ranged() ? ", as far as it lies in the range" : ""}.</p>;
  // What is waited for lies at the end of everything.
  const due = until.value ? [] : props.expects.filter((each) => lanes.has(bare(each.machine)) && each.stuck_at);
  const times = [...lanes.values()].flat().flatMap((each) => [each.from, each.to]);
  for (const each of due) times.push(...[each.slow_at, each.stuck_at].filter(Boolean).map((time) => Date.parse(time!)));
  const scale = scaled(times, FULL - LEFT - 20);
  const height = TOP + lanes.size * LANE + 8;
  const at = (time: number) => LEFT + scale.x(time);
  return (
    <Wide label="Timeline">
      <svg class="timeline" viewBox={`0 0 ${LEFT + scale.width + 20} ${height}`} width={LEFT + scale.width + 20} height={height} role="img" aria-label="Timeline: one lane per machine. The table of changes below says the same.">
        <defs>
          <pattern id="folded" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <line x1="0" y1="0" x2="0" y2="8" class="hatch" />
          </pattern>
        </defs>
        {scale.ticks.map((each) => (
          <g key={each.x}>
            <line class="grid" x1={LEFT + each.x} x2={LEFT + each.x} y1={TOP - 6} y2={height} />
            <text class="tick" x={LEFT + each.x + 2} y={14}>
              {each.text}
            </text>
          </g>
        ))}
        {[...lanes].map(([machine, parts], i) => (
          <g key={machine}>
            <text class="lane" x={LEFT - 8} y={TOP + i * LANE + 15} text-anchor="end">
              {spoken(machine)}
            </text>
            {parts.map((each) => (
              <Bar key={each.from + each.state} of={each} y={TOP + i * LANE} at={at} chosen={props.chosen === each.change.event_id} choose={props.choose} />
            ))}
            {due.filter((each) => bare(each.machine) === machine).map((each) => (
              <Ghost key={each.state} of={each} y={TOP + i * LANE} at={at} now={end} />
            ))}
          </g>
        ))}
        {scale.folds.map((each) => (
          <g key={each.x} class="fold">
            <rect x={LEFT + each.x + 2} y={TOP - 6} width={each.width - 4} height={height - TOP} fill="url(#folded)" />
            <text x={LEFT + each.x + each.width / 2} y={height - 6} text-anchor="middle">
              {span(each.ms)}
            </text>
          </g>
        ))}
        <line class="now" x1={at(end)} x2={at(end)} y1={TOP - 6} y2={height} />
      </svg>
    </Wide>
  );
}

function Bar({ of, y, at, chosen, choose }: { of: Span; y: number; at: (time: number) => number; chosen: boolean; choose: (event: string) => void }) {
  const x = at(of.from);
  const width = Math.max(LEAST, at(of.to) - x - 1);
  const text = `${glyph(of.state)} ${of.state}`;
  return (
    <g class={`bar ${tone(of.state)}${chosen ? " chosen" : ""}`} onClick={() => choose(of.change.event_id)}>
      <rect x={x} y={y} width={width} height={BAR} rx="3" />
      {width > text.length * 6.6 ? (
        <text x={x + 5} y={y + 15}>
          {text}
        </text>
      ) : width > 14 ? (
        <text x={x + 3} y={y + 15}>
          {glyph(of.state)}
        </text>
      ) : null}
      <title>{`${spoken(of.machine)}: ${of.state}\n${stamp(of.change.time)}, ${span(of.to - of.from)}\n${of.change.code} (${of.change.event_id})`}</title>
    </g>
  );
}

/** Until when it is in time: slow after the first edge, stuck after the second. */
function Ghost({ of, y, at, now }: { of: Expectation; y: number; at: (time: number) => number; now: number }) {
  const slow = of.slow_at ? Date.parse(of.slow_at) : null;
  const stuck = Date.parse(of.stuck_at!);
  const from = at(of.counted_from ? Date.parse(of.counted_from) : now);
  return (
    <g class="ghost">
      <rect x={from} y={y - 2} width={Math.max(LEAST, at(stuck) - from)} height={BAR + 4} rx="4" />
      {slow !== null && <line class="slow" x1={at(slow)} x2={at(slow)} y1={y - 2} y2={y + BAR + 2} />}
      <line class="stuck" x1={at(stuck)} x2={at(stuck)} y1={y - 2} y2={y + BAR + 2} />
      <title>{`${of.state}: ${slow !== null ? `slow at ${stamp(of.slow_at)}, ` : ""}stuck at ${stamp(of.stuck_at)}`}</title>
    </g>
  );
}
