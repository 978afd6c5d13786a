// What happened to this node, and why is it in this state?
import { useSignal } from "@preact/signals";
import { Ago, AnomalyRows, Empty, Instance as Link, Machines, nameOf, Shown, Wide, Word, worstFirst } from "../bits";
import { stamp, within } from "../clock";
import { Path } from "../path";
import { useQuery } from "../query";
import type { ChainItem, Expectation, HistoryItem, InstanceItem, Story } from "../schema";
import { Timeline } from "../timeline";
import { link, ofCluster, ofGroup, params, set } from "../url";
import { plural, spoken } from "../words";

export function Instance({ id }: { id: string }) {
  const cluster = params.value.get("cluster");
  const item = useQuery("/api/v1/instances/{name}", { name: id, cluster });
  const story = useQuery("/api/v1/instances/{name}/story", { name: id, cluster });
  const told = story.value.data?.item ?? null;
  return (
    <>
    {!item.value.data && <h1>{id}</h1>}
    <Shown result={item.value} what={id}>
      {({ item: node }) => (
        <>
          <Title item={node} id={id} />
          <Shown result={{ ...story.value, problem: item.value.problem ? null : story.value.problem }} what="what it is doing">
            {(answer) => <Sentence story={answer.item} />}
          </Shown>
          {told && told.anomalies.length > 0 && (
            <section>
              <h2>{plural(told.anomalies.length, "open anomaly", "open anomalies")}</h2>
              <AnomalyRows items={[...told.anomalies].sort(worstFirst)} />
            </section>
          )}
          <Happened item={node} story={told} />
          {told && told.lineage.length > 1 && <Chain of={told.lineage} self={nameOf(node)} cluster={node.cluster_arn} />}
          <Drawn item={node} />
        </>
      )}
    </Shown>
    </>
  );
}

function Title({ item, id }: { item: InstanceItem; id: string }) {
  const cluster = item.cluster_arn.split("/").pop()!;
  const clusters = useQuery("/api/v1/clusters", { cluster: item.cluster_arn });
  const name = clusters.value.data?.items[0]?.cluster_name ?? item.cluster_arn;
  return (
    <>
      <nav class="crumbs" aria-label="Where it is">
        <a href={ofCluster(name)}>{clusters.value.data ? (name === item.cluster_arn ? cluster : name) : cluster}</a>
        {item.instance_group && (
          <>
            {" / "}
            <a href={ofGroup(name, item.instance_group)}>{item.instance_group}</a>
          </>
        )}
      </nav>
      <h1>
        {id} <Word of={item.phase} />
        {!item.schedulable && <span class="chip">cordoned</span>}
        {item.origin === "adopted" && <span class="chip" title="It was first seen in mid-life">adopted</span>}
      </h1>
    </>
  );
}

export function Sentence({ story }: { story: Story }) {
  return (
    <section>
      <p class="sentence">{story.sentence}</p>
      {story.expects.length > 0 && (
        <ul class="expects">
          {story.expects.map((each) => (
            <li key={each.machine + each.state}>
              <Expected of={each} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Expected({ of }: { of: Expectation }) {
  return (
    <>
      {spoken(of.machine.split("/").pop()!)} <Word of={of.state} /> waits for {of.steps.length ? of.steps.join(", then ") : "what no event says"}
      {of.slow_at && (
        <>
          ; slow at <span class="nowrap">{stamp(of.slow_at)}</span>
        </>
      )}
      {of.stuck_at && (
        <>
          , stuck at <span class="nowrap">{stamp(of.stuck_at)}</span>
        </>
      )}
    </>
  );
}

function Happened({ item, story }: { item: InstanceItem; story: Story | null }) {
  const chosen = params.value.get("event");
  return (
    <section>
      <h2>What happened</h2>
      <Timeline history={item.history} machines={Object.keys(item.machines)} expects={story?.expects ?? []} chosen={chosen} choose={(event) => set({ event: event === chosen ? null : event })} />
      <Changes of={item.history} chosen={chosen} />
      <details>
        <summary>All machines, and what AWS says</summary>
        <Machines of={item.machines} />
        <p>
          {item.observed ? (
            <>
              AWS’s list of nodes said <strong>{item.observed.status ?? "nothing"}</strong> at {stamp(item.observed.time)}{item.observed.message ? `: ${item.observed.message}` : "."}
            </>
          ) : (
            "No list of nodes has named it."
          )}
          {item.node_logical_id && <> Its slot is {item.node_logical_id}.</>}
        </p>
      </details>
    </section>
  );
}

const SHOWN = 25;

export function Changes({ of, chosen }: { of: (HistoryItem & { instance?: string | null })[]; chosen?: string | null }) {
  const all = useSignal(false);
  const newest = of.filter((each) => within(each.time)).reverse();
  const rows = all.value ? newest : newest.filter((each, i) => i < SHOWN || each.event_id === chosen);
  const who = of.some((each) => each.instance);
  if (!of.length) return <p class="muted">No change is kept.</p>;
  if (!newest.length)
    return (
      <Empty title="Nothing changed in the range that is chosen.">
        <button type="button" onClick={() => set({ since: null, until: null })}>
          All that is kept: {plural(of.length, "change")}
        </button>
      </Empty>
    );
  return (
    <>
      <Wide label="Changes, newest first">
        <table>
          <thead>
            <tr>
              <th scope="col">Time</th>
              {who && <th scope="col">Instance</th>}
              <th scope="col">Machine</th>
              <th scope="col">Change</th>
              <th scope="col">Because of</th>
              <th scope="col">Event</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((each, i) => (
              <tr key={`${each.event_id} ${each.machine} ${i}`} class={each.event_id === chosen ? "chosen" : ""}>
                <td class="nowrap">{stamp(each.time)}</td>
                {who && <td>{each.instance && <Link id={each.instance} />}</td>}
                <td>{each.machine ? spoken(each.machine) : <span class="muted">none</span>}</td>
                <td class="nowrap">
                  {each.to ? (
                    <>
                      {each.from ?? "-"} <span aria-label="to">→</span> <Word of={each.to} />
                    </>
                  ) : (
                    <span class="muted">changed nothing</span>
                  )}
                </td>
                <td>{each.code}</td>
                <td>
                  <code class="small">{each.event_id}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
      {rows.length < newest.length && (
        <button type="button" onClick={() => (all.value = true)}>
          All {newest.length} changes
        </button>
      )}
    </>
  );
}

function Chain({ of, self, cluster }: { of: ChainItem[]; self: string; cluster: string }) {
  return (
    <section>
      <h2>Who had this place</h2>
      <ol class="chain">
        {of.map((each) => {
          const name = nameOf(each);
          return (
            <li key={name} aria-current={name === self ? "true" : undefined}>
              {name === self ? <strong>{name}</strong> : <Link id={name} cluster={each.instance_id ? undefined : cluster} />} <Word of={each.phase} />
              <p class="muted small">
                {[
                  each.attempt && each.attempt > 1 ? `attempt ${each.attempt}` : "",
                  each.in_service_at ? `in service ${stamp(each.in_service_at)}` : "never in service",
                  each.lost_at ? `lost ${stamp(each.lost_at)}` : "",
                  each.minutes_lost !== null ? `${each.minutes_lost} min without` : "",
                  each.lineage === "inferred" ? "link inferred" : "",
                ]
                  .filter(Boolean)
                  .join(" · ")}
              </p>
              {each.faults.length > 0 && (
                <p class="small">
                  {each.faults.map((fault) => (
                    <a key={fault.anomaly_id} class="chip" href={link("/anomalies", { id: fault.anomaly_id, status: "all" })}>
                      {spoken(fault.kind)}
                    </a>
                  ))}
                </p>
              )}
            </li>
          );
        })}
      </ol>
    </section>
  );
}

function Drawn({ item }: { item: InstanceItem }) {
  const machines = useQuery("/api/v1/machines", {}, { timeless: true });
  const last = [...item.history].reverse().find((each) => each.machine)?.machine;
  const chosen = params.value.get("machine") ?? last ?? "provision";
  const found = machines.value.data?.items.find((each) => each.machine === `instance/${chosen}`);
  return (
    <section>
      <h2>The way it went</h2>
      <div class="tabs" role="group" aria-label="Machine">
        {Object.keys(item.machines).map((name) => (
          <button key={name} type="button" aria-pressed={name === chosen} onClick={() => set({ machine: name })}>
            {spoken(name)}
          </button>
        ))}
      </div>
      <Shown result={machines.value} what="the machines">
        {() => (found ? <Path machine={found} state={item.machines[chosen]} history={item.history} /> : <p class="muted">There is no machine {chosen}.</p>)}
      </Shown>
      <p class="muted small">
        Numbers are the order in which steps were first taken; <Ago time={item.since} /> in the present phase.
      </p>
    </section>
  );
}
