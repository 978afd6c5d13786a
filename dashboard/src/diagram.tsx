// One machine as a picture, with the path that was walked. Knows: the table as /api/v1/machines tells it.
import { Wide } from "./bits";
import type { HistoryItem, MachineItem } from "./schema";
import { glyph, spoken, tone } from "./words";

const W = 150;
const H = 36;
const DX = 220;
const DY = 66;
const PAD = 16;

type Step = { from: string; to: string; count: number; legal: boolean; order: number };

/** Every step of this machine that was taken, the first time it was. */
function walked(history: HistoryItem[], machine: MachineItem, name: string): Step[] {
  const legal = new Set(machine.edges.map((each) => `${each.from}>${each.to}`));
  const known = new Set(machine.states.map((each) => each.name));
  const found = new Map<string, Step>();
  let order = 0;
  for (const each of history) {
    if (each.machine !== name || !each.from || !each.to || each.from === each.to) continue;
    const key = `${each.from}>${each.to}`;
    const old = found.get(key);
    if (old) old.count++;
    else if (known.has(each.from) && known.has(each.to)) found.set(key, { from: each.from, to: each.to, count: 1, legal: legal.has(key), order: ++order });
  }
  return [...found.values()];
}

export function Diagram({ machine, state, history }: { machine: MachineItem; state: string | undefined; history: HistoryItem[] }) {
  const name = machine.machine.split("/")[1]!;
  const steps = walked(history, machine, name);
  const taken = new Map(steps.map((each) => [`${each.from}>${each.to}`, each]));
  const place = new Map(machine.states.map((each) => [each.name, { x: PAD + each.column * DX, y: PAD + 26 + each.line * DY }]));
  const width = Math.max(...[...place.values()].map((each) => each.x)) + W + PAD + 60;
  const height = Math.max(...[...place.values()].map((each) => each.y)) + H + PAD + 44;
  const wrong = steps.filter((each) => !each.legal);
  return (
    <>
      <Wide label={`State diagram of ${spoken(name)}`}>
        <svg class="diagram" viewBox={`0 0 ${width} ${height}`} width={width} height={height} role="img" aria-label={described(name, state, steps)}>
          <defs>
            {["plain", "walked", "wrong"].map((kind) => (
              <marker key={kind} id={`arrow-${kind}`} class={`arrow ${kind}`} viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto-start-reverse">
                <path d="M0 0 L8 4 L0 8 z" />
              </marker>
            ))}
          </defs>
          {machine.edges.filter((each) => each.from !== each.to && !taken.has(`${each.from}>${each.to}`)).map((each) => (
            <path key={`${each.from}>${each.to}`} class="edge" d={curve(place.get(each.from)!, place.get(each.to)!)} marker-end="url(#arrow-plain)">
              <title>{`${each.from} → ${each.to}: ${each.signals.join(", ")}`}</title>
            </path>
          ))}
          {steps.map((each) => (
            <g key={`${each.from}>${each.to}`} class={each.legal ? "edge walked" : "edge wrong"}>
              <path d={curve(place.get(each.from)!, place.get(each.to)!)} marker-end={`url(#arrow-${each.legal ? "walked" : "wrong"})`}>
                <title>{`${each.from} → ${each.to}, ${each.count === 1 ? "once" : `${each.count} times`}${each.legal ? "" : "; not in the table"}`}</title>
              </path>
              <Number of={each} from={place.get(each.from)!} to={place.get(each.to)!} />
            </g>
          ))}
          {machine.states.map((each) => {
            const { x, y } = place.get(each.name)!;
            const here = each.name === state;
            const been = steps.some((step) => step.from === each.name || step.to === each.name);
            return (
              <g key={each.name} class={`state ${here ? `here ${tone(each.name)}` : been ? "been" : ""}`}>
                <rect x={x} y={y} width={W} height={H} rx="6" />
                {each.final && <rect class="final" x={x + 3} y={y + 3} width={W - 6} height={H - 6} rx="4" />}
                <text x={x + W / 2} y={y + 23} text-anchor="middle">
                  {here ? `${glyph(each.name)} ` : ""}
                  {each.name}
                </text>
                {each.meaning && <title>{each.meaning}</title>}
              </g>
            );
          })}
        </svg>
      </Wide>
      {wrong.length > 0 && (
        <p class="problem">
          <span aria-hidden="true">✖</span> Not in the table: {wrong.map((each) => `${each.from} → ${each.to}`).join(", ")}. The event was believed, and an anomaly says what is missing.
        </p>
      )}
    </>
  );
}

type Place = { x: number; y: number };

/** To the right straight out of the side, back along the bottom, up and down at the side. */
function curve(a: Place, b: Place): string {
  if (a.x === b.x) {
    const down = b.y > a.y;
    const x = a.x + W * (down ? 0.35 : 0.65);
    if (Math.abs(b.y - a.y) <= DY) return `M${x} ${down ? a.y + H : a.y} L${x} ${down ? b.y - 1 : b.y + H + 1}`;
    const side = a.x + W;
    return `M${side} ${a.y + H / 2} C${side + 40} ${a.y + H / 2} ${side + 40} ${b.y + H / 2} ${side + 2} ${b.y + H / 2}`;
  }
  if (b.x > a.x) {
    const [x1, x2, y1, y2] = [a.x + W, b.x - 2, a.y + H * 0.4, b.y + H * 0.4];
    if (b.x - a.x > DX && Math.abs(a.y - b.y) < DY) {
      const lift = Math.min(a.y, b.y) - 22;
      return `M${a.x + W * 0.7} ${a.y} C${a.x + W} ${lift} ${b.x} ${lift} ${b.x + W * 0.3} ${b.y - 2}`;
    }
    return `M${x1} ${y1} C${x1 + 35} ${y1} ${x2 - 35} ${y2} ${x2} ${y2}`;
  }
  const [x1, x2, y1, y2] = [a.x, b.x + W + 2, a.y + H * 0.75, b.y + H * 0.75];
  if (a.x - b.x > DX && Math.abs(a.y - b.y) < DY) {
    const low = Math.max(a.y, b.y) + H + 26;
    return `M${a.x + W * 0.3} ${a.y + H} C${a.x} ${low} ${b.x + W} ${low} ${b.x + W * 0.7} ${b.y + H + 2}`;
  }
  return `M${x1} ${y1} C${x1 - 35} ${y1} ${x2 + 35} ${y2} ${x2} ${y2}`;
}

function Number({ of, from, to }: { of: Step; from: Place; to: Place }) {
  const back = to.x < from.x;
  // A jump over others leaves at the side.
  if (from.x === to.x && Math.abs(to.y - from.y) > DY) return <Circle x={from.x + W + 10} y={from.y + H / 2} order={of.order} />;
  const x = from.x === to.x ? from.x + W * (to.y > from.y ? 0.35 : 0.65) : back ? from.x - 12 : from.x + W + 12;
  const y = from.x === to.x ? (to.y > from.y ? from.y + H + 12 : from.y - 10) : from.y + H * (back ? 0.75 : 0.4);
  return <Circle x={x} y={y} order={of.order} />;
}

function Circle({ x, y, order }: { x: number; y: number; order: number }) {
  return (
    <g>
      <circle cx={x} cy={y} r="8" />
      <text x={x} y={y + 3.5} text-anchor="middle">
        {order}
      </text>
    </g>
  );
}

function described(name: string, state: string | undefined, steps: Step[]): string {
  const path = steps.map((each) => `${each.from} to ${each.to}`).join(", ");
  return `${spoken(name)} is ${state ?? "not known"}${path ? `; steps taken: ${path}` : "; no step is kept"}`;
}
