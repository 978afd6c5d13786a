// The instances of a cluster or of a group over time: a lane each. The worker says what is in each column; only lanes in view are here.
import { useSignal, type Signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { Axis, timeAt } from "./axis";
import { Empty, nameOf, Shown } from "./bits";
import { asked, ranged, stamp } from "./clock";
import { draw } from "./paint";
import { useQuery, type Result } from "./query";
import type { Lane, Timeline } from "./schema";
import { painted } from "./theme";
import { go, ofInstance, params, set, until } from "./url";
import { plural } from "./words";

export const ROW = 24;
const PART = 100;
const HIGH = 504;
const LEAST_MS = 5000;
const DRAG = 6;
const PASSING_MS = 150;

interface Of {
  cluster: string;
  group?: string;
}

function useLanes({ cluster, group }: Of, width: number, first: number) {
  const window = { from: asked(), to: until.value, width, first, rows: PART, changed: params.value.get("changed") ? true : null };
  const path = group === undefined ? "/api/v1/clusters/{name}/timeline" : "/api/v1/instance-groups/{name}/timeline";
  return useQuery(path, { ...window, ...(group === undefined ? { name: cluster } : { name: group, cluster }) }, { least: LEAST_MS });
}

export function Lanes({ cluster, group }: Of) {
  const box = useRef<HTMLDivElement>(null);
  const width = useSignal(0);
  useLayoutEffect(() => {
    // Steps of 50: not every pixel of a window that is being resized is another question.
    const measure = () => (width.value = Math.min(4000, Math.max(50, 50 * Math.floor((box.current!.clientWidth - 190) / 50))));
    measure();
    const seen = new ResizeObserver(measure);
    seen.observe(box.current!);
    return () => seen.disconnect();
  }, []);
  return (
    <section ref={box}>
      <h2>Timeline</h2>
      {width.value > 0 && <Whole cluster={cluster} group={group} width={width.value} />}
    </section>
  );
}

function Whole({ width, ...of }: Of & { width: number }) {
  const found = useLanes(of, width, 0);
  const only = params.value.get("changed") !== null;
  return (
    <>
      <div class="tools-line">
        <label>
          <input type="checkbox" checked={only} onChange={() => set({ changed: only ? null : "1" })} /> only instances that changed
        </label>
        {ranged() && (
          <button type="button" onClick={() => set({ since: null, until: null }, false)}>
            All that is kept
          </button>
        )}
        <span class="muted small">Drag over a stretch to see it alone.</span>
      </div>
      <Shown result={found.value} what="the timeline">
        {(told, whole) =>
          told.item.total ? (
            <Scroller key={`${width} ${only}`} of={of} told={told.item} />
          ) : (
            <Empty title={`No instance ${only ? "changed" : "was there"}${ranged() ? " in the range that is chosen" : ""}${whole ? "" : " in what is known"}.`} />
          )
        }
      </Shown>
    </>
  );
}

function Scroller({ of, told }: { of: Of; told: Timeline }) {
  const top = useSignal(0);
  const pointed = useSignal("");
  const dragged = useSignal<[number, number] | null>(null);
  const parts = Math.ceil(told.total / PART);
  const first = Math.max(0, Math.floor((top.value - HIGH) / (PART * ROW)));
  const last = Math.min(parts - 1, Math.floor((top.value + 2 * HIGH) / (PART * ROW)));
  return (
    <div class="lanes" style={{ "--columns": `${told.width}px` }}>
      <p class="muted small pointed">{pointed.value || `${plural(told.total, "lane")}, ${stamp(told.from)} to ${stamp(told.to)}; the worst phase wins a column.`}</p>
      <Axis of={told} />
      <div class="lanes-scroll" style={{ maxHeight: `${HIGH}px` }} role="region" aria-label="Lanes" tabIndex={0} onScroll={(event) => (top.value = event.currentTarget.scrollTop)}>
        <div style={{ height: `${told.total * ROW}px`, position: "relative" }}>
          {Array.from({ length: last - first + 1 }, (_, i) => {
            const shared = { of, pointed, dragged };
            return first + i ? <Part key={first + i} {...shared} width={told.width} number={first + i} /> : <Drawn key={0} {...shared} told={told} />;
          })}
          {dragged.value && <div class="dragged" style={{ left: `calc(var(--names) + ${Math.min(...dragged.value)}px)`, width: `${Math.abs(dragged.value[1] - dragged.value[0])}px` }} />}
        </div>
      </div>
    </div>
  );
}

interface Shared {
  of: Of;
  pointed: Signal<string>;
  dragged: Signal<[number, number] | null>;
}

type InPart = Shared & { width: number; number: number };

/** All but the first, which came with the axis; what is only scrolled past is not asked for. */
function Part(part: InPart) {
  const stayed = useSignal(false);
  useEffect(() => {
    const soon = setTimeout(() => (stayed.value = true), PASSING_MS);
    return () => clearTimeout(soon);
  }, []);
  return stayed.value ? <Asked {...part} /> : <Waiting number={part.number} />;
}

function Asked({ width, number, ...shared }: InPart) {
  const { data, problem } = useLanes(shared.of, width, number * PART).value;
  return data ? <Drawn {...shared} told={data.item} /> : <Waiting number={number} problem={problem} />;
}

function Waiting({ number, problem }: { number: number; problem?: Result<unknown>["problem"] }) {
  return (
    <p class="muted part" style={{ top: `${number * PART * ROW}px` }} role="status">
      {problem ? `${problem.message} ${problem.hint}` : "Loading …"}
    </p>
  );
}

function Drawn({ of, pointed, dragged, told }: Shared & { told: Timeline }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => draw(canvas.current!, told, ROW), [told, painted.value]);
  const place = (event: PointerEvent) => ({ column: event.offsetX, lane: told.lanes[Math.floor(event.offsetY / ROW)] });
  const moved = (event: PointerEvent) => {
    const { column, lane } = place(event);
    if (dragged.value) dragged.value = [dragged.value[0], Math.min(told.width, Math.max(0, column))];
    pointed.value = lane ? said(lane, told, column) : "";
  };
  const released = (event: PointerEvent) => {
    const [from, to] = [...(dragged.value ?? [0, 0])].sort((a, b) => a - b) as [number, number];
    dragged.value = null;
    const { lane } = place(event);
    if (to - from >= DRAG) set({ since: timeAt(told, from), until: timeAt(told, to) }, false);
    else if (lane?.instance_id) go(ofInstance(lane.instance_id));
  };
  return (
    <div class="part" style={{ top: `${told.first * ROW}px` }}>
      <ol start={told.first + 1}>
        {told.lanes.map((lane) => (
          <li key={`${lane.instance_group} ${nameOf(lane)}`} style={{ height: `${ROW}px` }}>
            <a data-row class="id" href={ofInstance(nameOf(lane), lane.instance_id ? undefined : of.cluster)} title={`${nameOf(lane)}, ${lane.instance_group ?? "in no group"}: ${lane.phase}`}>
              {nameOf(lane)}
            </a>
            <span class="visually-hidden">{lane.spans.map(([, , word]) => told.words[word]).join(", then ") || "nothing is kept"}</span>
          </li>
        ))}
      </ol>
      <canvas
        ref={canvas}
        aria-hidden="true"
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          dragged.value = [event.offsetX, event.offsetX];
        }}
        onPointerMove={moved}
        onPointerUp={released}
        onPointerCancel={() => (dragged.value = null)}
        onPointerLeave={() => (pointed.value = "")}
      />
    </div>
  );
}

function said(lane: Lane, told: Timeline, column: number): string {
  const span = lane.spans.find(([left, columns]) => column >= left && column < left + columns);
  const who = `${nameOf(lane)}${lane.instance_group ? ` (${lane.instance_group})` : ""}`;
  if (!span) return `${who}: nothing is kept of ${stamp(timeAt(told, column))}`;
  const [left, columns, word] = span;
  return `${who}: ${told.words[word]}, about ${stamp(timeAt(told, left))} to ${stamp(timeAt(told, left + columns))}`;
}
