// What can happen next, and who is where? Each machine's table as a picture, with how many are in each state.
import { Ago, Empty, Instance, Shown, Wide, Word } from "../bits";
import { asked, length, stamp } from "../clock";
import { bare, drawable, Drawing, type Step } from "../diagram";
import { Export } from "../export";
import { useQuery } from "../query";
import type { Census, MachineItem, Member, StateFigures, StepCount } from "../schema";
import { link, ofCluster, ofGroup, params } from "../url";
import { glyph, plural, spoken, tone } from "../words";

const LEVELS = ["instance", "group", "cluster"];
const CALM_MS = 5_000;
const SLOW_MS = 60_000;

export function Machines() {
  const tables = useQuery("/api/v1/machines", {}, { timeless: true });
  const states = useQuery("/api/v1/states", {}, { least: CALM_MS });
  const chosen = params.value.get("machine");
  const level = chosen?.split("/")[0] ?? params.value.get("level") ?? "instance";
  // What it says of states is of instances alone.
  const stays = useQuery("/api/v1/report", { since: asked() }, { least: SLOW_MS });
  const dwells = (stays.value.data?.item.states ?? []).filter((each) => each.by === "fleet");
  return (
    <>
      <h1>Machines</h1>
      <p class="muted">
        What may follow what, and who is where. A blue step was taken in the histories that are kept; a red one is not in the table, but an event said so. A state leads to those who are in it.
      </p>
      <nav class="tabs" aria-label="Whose machines">
        {LEVELS.map((each) => (
          <a key={each} class="tab" href={link("/machines", { level: each })} aria-current={each === level ? "page" : undefined}>
            {each}
          </a>
        ))}
      </nav>
      <Shown result={tables.value} what="the machines">
        {({ items }) => (
          <Shown result={states.value} what="who is where">
            {(told) => (
              <div class="diagrams">
                {items
                  .filter((each) => each.machine.startsWith(`${level}/`))
                  .map((each) => {
                    const census = told.item.machines.find((one) => one.machine === each.machine);
                    return census && <Machine key={each.machine} machine={each} census={census} dwells={level === "instance" ? dwells : []} />;
                  })}
              </div>
            )}
          </Shown>
        )}
      </Shown>
    </>
  );
}

const ofState = (machine: string, state: string) => link("/machines", { machine, state });

function Machine({ machine, census, dwells }: { machine: MachineItem; census: Census; dwells: StateFigures[] }) {
  const name = spoken(bare(machine.machine));
  const counts = new Map(census.states.map((each) => [each.state, each.count]));
  const steps: Step[] = drawable(census.steps, machine).map((each) => ({ ...each, said: said(each) }));
  const wrong = census.steps.filter((each) => !each.legal);
  const state = params.value.get("machine") === machine.machine ? params.value.get("state") : null;
  const box = (word: string) => {
    const count = counts.get(word) ?? 0;
    const kind = word === state ? `here ${tone(word)}` : count ? `full ${tone(word)}` : "";
    return { kind, text: `${glyph(word)} ${word}`, under: count.toLocaleString("en"), href: count ? ofState(machine.machine, word) : undefined };
  };
  const total = [...counts.values()].reduce((sum, each) => sum + each, 0);
  return (
    <section class={state ? "opened" : ""}>
      <h2>{name}</h2>
      <Drawing machine={machine} steps={steps} label={`${name}: ${census.states.filter((each) => each.count).map((each) => `${each.count} ${each.state}`).join(", ") || "nobody is in any state"}`} box={box} />
      {wrong.length > 0 && <Wrong of={wrong} level={machine.machine.split("/")[0]!} />}
      {state && <Members machine={machine.machine} state={state} />}
      <details>
        <summary>
          {name} as a table: {plural(machine.states.length, "state")}, {total.toLocaleString("en")} in them
        </summary>
        <Table machine={machine} counts={counts} dwells={dwells} />
      </details>
    </section>
  );
}

const said = (step: StepCount) => `${step.count === 1 ? "once" : `${step.count.toLocaleString("en")} times`}, last at ${stamp(step.last)} by ${step.by}`;

function Wrong({ of, level }: { of: StepCount[]; level: string }) {
  return (
    <div class="problem">
      <p>
        <span aria-hidden="true">✖</span> Not in the table, but events said so (each is an anomaly where nothing explains it):
      </p>
      <ul>
        {of.map((each) => (
          <li key={`${each.from}>${each.to}`}>
            {each.from} → {each.to}, {each.count === 1 ? "once" : `${each.count.toLocaleString("en")} times`}, last at {stamp(each.last)} by {level === "instance" ? <Instance id={each.by} /> : each.by}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Table({ machine, counts, dwells }: { machine: MachineItem; counts: Map<string, number>; dwells: StateFigures[] }) {
  const name = bare(machine.machine);
  const stays = new Map(dwells.filter((each) => each.machine === name).map((each) => [each.state, each]));
  return (
    <Wide label={`${spoken(name)} as a table`}>
      <table>
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col" class="right">
              Now
            </th>
            <th scope="col" class="right" title="Of stays whose beginning was seen, open ones up to now">
              Median stay
            </th>
            <th scope="col" class="right">
              95th percentile
            </th>
            <th scope="col" class="right">
              Longest
            </th>
            <th scope="col">What it means</th>
          </tr>
        </thead>
        <tbody>
          {machine.states.map((each) => {
            const count = counts.get(each.name) ?? 0;
            const stay = stays.get(each.name);
            return (
              <tr key={each.name}>
                <th scope="row">
                  <Word of={each.name} />
                </th>
                <td class="right">{count ? <a href={ofState(machine.machine, each.name)}>{count.toLocaleString("en")}</a> : 0}</td>
                <td class="right nowrap">{length(stay?.median_seconds)}</td>
                <td class="right nowrap">{length(stay?.p95_seconds)}</td>
                <td class="right nowrap">{length(stay?.longest_seconds)}</td>
                <td>{each.meaning}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Wide>
  );
}

function Members({ machine, state }: { machine: string; state: string }) {
  const [level, name] = machine.split("/") as [string, string];
  const found = useQuery("/api/v1/states/{level}/{machine}/{state}", { level, machine: name, state, limit: 500 }, { least: CALM_MS });
  return (
    <section class="inside" aria-label={`Who is ${state}`}>
      <h3>
        {spoken(name)} is <Word of={state} /> <a href={link("/machines", { level })}>close</a>
      </h3>
      <Shown result={found.value} what={`who is ${state}`}>
        {(told, whole) =>
          told.items.length ? (
            <>
              <Export name={`${machine.replace("/", "-")}-${state}`} rows={told.items} />
              <List items={told.items} level={level} />
              {told.continue && <p class="muted">Only the first {told.items.length} are shown.</p>}
            </>
          ) : (
            <Empty title={`Nobody is ${state}${whole ? "" : " in what is known"}.`} />
          )
        }
      </Shown>
    </section>
  );
}

function List({ items, level }: { items: Member[]; level: string }) {
  return (
    <Wide label="Who is in it">
      <table>
        <thead>
          <tr>
            {level === "instance" && <th scope="col">Instance</th>}
            {level !== "cluster" && <th scope="col">Group</th>}
            <th scope="col">Cluster</th>
            <th scope="col">Phase</th>
            <th scope="col">In this state for</th>
          </tr>
        </thead>
        <tbody>
          {items.map((each) => {
            const cluster = each.cluster_name ?? each.cluster_arn;
            return (
              <tr key={`${each.cluster_arn} ${each.instance_group} ${each.instance_id} ${each.node_logical_id}`}>
                {level === "instance" && (
                  <th scope="row">
                    <Instance id={each.instance_id ?? each.node_logical_id ?? "?"} cluster={each.instance_id ? undefined : each.cluster_arn} />
                  </th>
                )}
                {level !== "cluster" && <td>{each.instance_group ? <a href={ofGroup(cluster, each.instance_group)}>{each.instance_group}</a> : "-"}</td>}
                <td>
                  <a href={ofCluster(cluster)}>{cluster}</a>
                </td>
                <td>
                  <Word of={each.phase} />
                </td>
                <td class="nowrap">{each.since ? <Ago time={each.since} /> : <span class="muted">longer than is kept</span>}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Wide>
  );
}
