// One machine as a picture: states in columns, the table's edges, the steps that were taken. Knows: /api/v1/machines.
import type { ComponentChildren } from "preact";
import { Wide } from "./bits";
import type { MachineItem } from "./schema";
import { spoken } from "./words";

const W = 150;
const H = 36;
const DX = 220;
const DY = 66;
const PAD = 16;

export interface Step {
  from: string;
  to: string;
  legal: boolean;
  said: string;
  /** Drawn beside its beginning. */
  mark?: string;
}

export interface Box {
  kind: string;
  text: string;
  under?: string;
  href?: string;
}

/** Only steps between states that the machine has can be drawn. */
export function drawable<T extends { from: string; to: string }>(steps: T[], machine: MachineItem): T[] {
  const known = new Set(machine.states.map((each) => each.name));
  return steps.filter((each) => known.has(each.from) && known.has(each.to));
}

export const bare = (machine: string): string => machine.split("/").pop()!;

interface Drawn {
  machine: MachineItem;
  steps: Step[];
  label: string;
  box: (state: string) => Box;
}

export function Drawing({ machine, steps, label, box }: Drawn) {
  const taken = new Set(steps.map((each) => `${each.from}>${each.to}`));
  // Room for what jumps over a column: forward above the boxes, back below them.
  const at = new Map(machine.states.map((each) => [each.name, each]));
  const jumps = [...machine.edges, ...steps].map((each) => [at.get(each.from)!, at.get(each.to)!] as const).filter(([a, b]) => Math.abs(a.column - b.column) > 1 && a.line === b.line);
  const [above, below] = [jumps.some(([a, b]) => a.column < b.column) ? 26 : 0, jumps.some(([a, b]) => a.column > b.column) ? 26 : 0];
  const place = new Map(machine.states.map((each) => [each.name, { x: PAD + each.column * DX, y: PAD + above + each.line * DY }]));
  const width = Math.max(...[...place.values()].map((each) => each.x)) + W + PAD + 60;
  const height = Math.max(...[...place.values()].map((each) => each.y)) + H + PAD + below;
  const path = (each: { from: string; to: string }) => curve(place.get(each.from)!, place.get(each.to)!);
  const boxes = machine.states.map((each) => ({ ...each, ...place.get(each.name)!, box: box(each.name) }));
  // A picture is one thing to a reader, unless it holds links.
  const role = boxes.some((each) => each.box.href) ? "group" : "img";
  // Ids are of the whole page, and it may have several pictures.
  const tip = (kind: string) => `arrow-${kind}-${machine.machine.replace("/", "-")}`;
  return (
    <Wide label={`State diagram of ${spoken(bare(machine.machine))}`}>
      <svg class="diagram" viewBox={`0 0 ${width} ${height}`} width={width} height={height} role={role} aria-label={label}>
        <defs>
          {["plain", "walked", "wrong"].map((kind) => (
            <marker key={kind} id={tip(kind)} class={`arrow ${kind}`} viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto-start-reverse">
              <path d="M0 0 L8 4 L0 8 z" />
            </marker>
          ))}
        </defs>
        {machine.edges.filter((each) => each.from !== each.to && !taken.has(`${each.from}>${each.to}`)).map((each) => (
          <path key={`${each.from}>${each.to}`} class="edge" d={path(each)} marker-end={`url(#${tip("plain")})`}>
            <title>{`${each.from} → ${each.to}: ${each.signals.join(", ")}`}</title>
          </path>
        ))}
        {steps.map((each) => (
          <g key={`${each.from}>${each.to}`} class={each.legal ? "edge walked" : "edge wrong"}>
            <path d={path(each)} marker-end={`url(#${tip(each.legal ? "walked" : "wrong")})`}>
              <title>{`${each.from} → ${each.to}, ${each.said}${each.legal ? "" : "; not in the table"}`}</title>
            </path>
            {each.mark && <Mark text={each.mark} from={place.get(each.from)!} to={place.get(each.to)!} />}
          </g>
        ))}
        {boxes.map((each) => (
          <Linked key={each.name} to={each.box.href}>
            <g class={`state ${each.box.kind}`}>
              {/* Of the box alone: as the group's it would be the link's name. */}
              <rect x={each.x} y={each.y} width={W} height={H} rx="6">
                {each.meaning && <title>{each.meaning}</title>}
              </rect>
              {each.final && <rect class="final" x={each.x + 3} y={each.y + 3} width={W - 6} height={H - 6} rx="4" />}
              <text x={each.x + W / 2} y={each.y + (each.box.under ? 16 : 23)} text-anchor="middle">
                {each.box.text}
              </text>
              {each.box.under && (
                <text class="under" x={each.x + W / 2} y={each.y + 30} text-anchor="middle">
                  {each.box.under}
                </text>
              )}
            </g>
          </Linked>
        ))}
      </svg>
    </Wide>
  );
}

function Linked({ to, children }: { to: string | undefined; children: ComponentChildren }) {
  return to ? <a href={to}>{children}</a> : <>{children}</>;
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

function Mark({ text, from, to }: { text: string; from: Place; to: Place }) {
  const back = to.x < from.x;
  // A jump over others leaves at the side.
  if (from.x === to.x && Math.abs(to.y - from.y) > DY) return <Circle x={from.x + W + 10} y={from.y + H / 2} text={text} />;
  const x = from.x === to.x ? from.x + W * (to.y > from.y ? 0.35 : 0.65) : back ? from.x - 12 : from.x + W + 12;
  const y = from.x === to.x ? (to.y > from.y ? from.y + H + 12 : from.y - 10) : from.y + H * (back ? 0.75 : 0.4);
  return <Circle x={x} y={y} text={text} />;
}

function Circle({ x, y, text }: { x: number; y: number; text: string }) {
  return (
    <g>
      <circle cx={x} cy={y} r="8" />
      <text x={x} y={y + 3.5} text-anchor="middle">
        {text}
      </text>
    </g>
  );
}
