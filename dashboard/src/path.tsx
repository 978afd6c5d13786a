// The path that one entity walked through one machine, in order, on the machine's picture.
import { bare, drawable, Drawing, type Step } from "./diagram";
import type { HistoryItem, MachineItem } from "./schema";
import { glyph, spoken, tone } from "./words";

interface Walked extends Step {
  count: number;
}

/** Every step of this machine that was taken, the first time it was. */
function walked(history: HistoryItem[], machine: MachineItem): Walked[] {
  const legal = new Set(machine.edges.map((each) => `${each.from}>${each.to}`));
  const found = new Map<string, Walked>();
  for (const each of history) {
    if (each.machine !== bare(machine.machine) || !each.from || !each.to || each.from === each.to) continue;
    const key = `${each.from}>${each.to}`;
    const old = found.get(key);
    if (old) old.count++;
    else found.set(key, { from: each.from, to: each.to, legal: legal.has(key), said: "", count: 1 });
  }
  return drawable([...found.values()], machine).map((each, i) => ({ ...each, mark: String(i + 1), said: each.count === 1 ? "once" : `${each.count} times` }));
}

export function Path({ machine, state, history }: { machine: MachineItem; state: string | undefined; history: HistoryItem[] }) {
  const steps = walked(history, machine);
  const wrong = steps.filter((each) => !each.legal);
  const box = (name: string) => {
    const here = name === state;
    const been = steps.some((step) => step.from === name || step.to === name);
    return { kind: here ? `here ${tone(name)}` : been ? "been" : "", text: here ? `${glyph(name)} ${name}` : name };
  };
  return (
    <>
      <Drawing machine={machine} steps={steps} label={described(bare(machine.machine), state, steps)} box={box} />
      {wrong.length > 0 && (
        <p class="problem">
          <span aria-hidden="true">✖</span> Not in the table: {wrong.map((each) => `${each.from} → ${each.to}`).join(", ")}. The event was believed, and an anomaly says what is missing.
        </p>
      )}
    </>
  );
}

function described(name: string, state: string | undefined, steps: Step[]): string {
  const path = steps.map((each) => `${each.from} to ${each.to}`).join(", ");
  return `${spoken(name)} is ${state ?? "not known"}${path ? `; steps taken: ${path}` : "; no step is kept"}`;
}
