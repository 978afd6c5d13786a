// Can I believe this page?
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { token } from "../api";
import { Ago, Empty, Shown, Wide, Word } from "../bits";
import { span } from "../clock";
import { Flow } from "../flow";
import { way } from "../live";
import { useQuery } from "../query";
import type { Partition, PipelineItem, Readiness } from "../schema";
import { at } from "../url";
import { spoken } from "../words";

const number = (value: number) => value.toLocaleString("en");

export function Pipeline() {
  const found = useQuery("/api/v1/pipeline", {}, { live: false });
  const failed = found.value.problem?.status === 503;
  return (
    <>
      <h1>Pipeline</h1>
      {at.value && <p class="note">Counts and progress are always of the present.</p>}
      {failed && <Recovering />}
      <Shown result={found.value} what="the pipeline">
        {(told, whole) => (
          <>
            <Believe item={told.item} lag={told.lag} partial={told.partial} />
            <Flow item={told.item} whole={whole} />
            <Counts item={told.item} />
            <Partitions of={told.item.partitions} />
            <Letters item={told.item} />
          </>
        )}
      </Shown>
      <p class="muted small">
        This tab hears of changes by {way.value === "stream" ? "its own stream" : way.value === "other tab" ? "the stream of another tab" : "asking every few seconds"}.{" "}
        {/* A link sends no token. */}
        <a href="/readyz">Readiness</a> · {token() ? "with the token also /metrics and /openapi.json" : <><a href="/metrics">Metrics</a> · <a href="/openapi.json">API</a></>}
      </p>
    </>
  );
}

function Believe({ item, lag, partial }: { item: PipelineItem; lag: number; partial: boolean }) {
  const { summary } = item;
  const ended = summary.applied + summary.duplicate + ignored(item) + summary.dead_lettered;
  const bad = item.partitions.filter((each) => each.state !== "running");
  // What was read and not yet folded is the difference, while something waits.
  const adds = ended === summary.read || (lag > 0 && ended < summary.read);
  const words = [
    partial ? "Not all partitions and workers are answered for." : "Every partition is answered for.",
    ended === summary.read ? "The counts add up." : adds ? `${number(summary.read - ended)} values are read and not yet applied.` : "The counts do not add up.",
    bad.length ? `Not running: partition ${bad.map((each) => each.partition).join(", ")}.` : "Every partition moves.",
  ];
  const good = !partial && adds && !bad.length;
  return (
    <p class={`sentence ${good ? "good" : "not-good"}`}>
      <span aria-hidden="true">{good ? "✔" : "▲"}</span> {words.join(" ")}
    </p>
  );
}

const ignored = (item: PipelineItem) => Object.values(item.summary.ignored).reduce((sum, each) => sum + each, 0);

function Counts({ item }: { item: PipelineItem }) {
  const { summary } = item;
  const parts: [string, number, string][] = [
    ["applied", summary.applied, "changed the state or its history"],
    ["duplicate", summary.duplicate, "further copies of an event"],
    ["ignored", ignored(item), "valid, but nothing of HyperPod"],
    ["dead-lettered", summary.dead_lettered, "could not be read; kept whole"],
  ];
  return (
    <section>
      <h2>What became of every value</h2>
      <dl class="strip sum">
        <div>
          <dt>read</dt>
          <dd>{number(summary.read)}</dd>
        </div>
        {parts.map(([name, count, what], i) => (
          <div key={name}>
            <dt title={what}>
              <span aria-hidden="true">{i ? "+ " : "= "}</span>
              {name}
            </dt>
            <dd>{number(count)}</dd>
            <dd class="muted small">{what}</dd>
          </div>
        ))}
      </dl>
      <p class="muted">
        Of those applied, {number(summary.late)} came late and {number(summary.unrecognized)} have a text that the catalogue lacks. Newest event:{" "}
        <Ago time={summary.watermark} /> ago.
        {Object.keys(summary.ignored).length > 0 && (
          <>
            {" "}
            Ignored: {Object.entries(summary.ignored).map(([name, count]) => `${number(count)} ${name}`).join(", ")}.
          </>
        )}
      </p>
    </section>
  );
}

function Partitions({ of }: { of: Partition[] }) {
  return (
    <section>
      <h2>Partitions</h2>
      {of.length === 0 ? (
        <Empty title="No partition is assigned yet." />
      ) : (
        <Wide label="Partitions">
          <table>
            <thead>
              <tr>
                <th scope="col">Partition</th>
                <th scope="col">State</th>
                <th scope="col">Topic</th>
                <th scope="col" class="right">
                  Lag
                </th>
                <th scope="col" class="right">
                  Read to
                </th>
                <th scope="col" class="right">
                  Written to
                </th>
                <th scope="col">Moves</th>
                <th scope="col">As of</th>
              </tr>
            </thead>
            <tbody>{of.flatMap(rows)}</tbody>
          </table>
        </Wide>
      )}
    </section>
  );
}

function rows(part: Partition) {
  const share = part.restored === null ? "" : ` ${Math.round(part.restored * 100)} %`;
  const first = (
    <>
      <th scope="row">{part.partition}</th>
      <td>
        <Word of={part.state} />
        {share}
      </td>
    </>
  );
  const last = (
    <td class="nowrap">
      {part.as_of ? (
        <>
          <Ago time={part.as_of} /> ago
        </>
      ) : (
        "-"
      )}
    </td>
  );
  if (!part.topics.length)
    return [
      <tr key={part.partition}>
        {first}
        <td>-</td>
        <td class="right">{number(part.lag)}</td>
        <td class="right">-</td>
        <td class="right">-</td>
        <td>-</td>
        {last}
      </tr>,
    ];
  return part.topics.map((each, i) => (
    <tr key={`${part.partition} ${each.topic}`}>
      {i ? (
        <>
          <td />
          <td />
        </>
      ) : (
        first
      )}
      <td>
        <code>{each.topic}</code>
      </td>
      <td class="right">{number(each.lag)}</td>
      <td class="right">{number(each.folded)}</td>
      <td class="right">{number(each.committed)}</td>
      <td>{each.stalled ? <Word of="stalled" /> : each.still_seconds > 1 ? `still for ${span(each.still_seconds * 1000)}` : "yes"}</td>
      {i ? <td /> : last}
    </tr>
  ));
}

function Letters({ item }: { item: PipelineItem }) {
  const reasons = Object.entries(item.dead_letters);
  return (
    <section>
      <h2>Dead letters</h2>
      {reasons.length === 0 && item.failed === 0 ? (
        <Empty title="Every value could be read." />
      ) : (
        <>
          <table class="narrow">
            <thead>
              <tr>
                <th scope="col">Reason</th>
                <th scope="col" class="right">
                  Values
                </th>
              </tr>
            </thead>
            <tbody>
              {reasons.map(([reason, count]) => (
                <tr key={reason}>
                  <th scope="row">{spoken(reason)}</th>
                  <td class="right">{number(count)}</td>
                </tr>
              ))}
              {item.failed > 0 && (
                <tr>
                  <th scope="row">could be read, but not applied</th>
                  <td class="right">{number(item.failed)}</td>
                </tr>
              )}
            </tbody>
          </table>
          <p class="muted">
            <code>hyperpod-state deadletter list</code> names each; <code>deadletter show KEY</code> says what to do, <code>deadletter replay</code> feeds it again.
          </p>
        </>
      )}
    </section>
  );
}

/** The state cannot be told; how far this worker is can: `/readyz` says so, as 503 as well as as 200. */
function Recovering() {
  const told = useSignal<Readiness | null>(null);
  useEffect(() => {
    const once = async () => {
      try {
        told.value = (await (await fetch("/readyz", { cache: "no-store" })).json()) as Readiness;
      } catch {
        told.value = null;
      }
    };
    void once();
    const again = setInterval(() => void once(), 3000);
    return () => clearInterval(again);
  }, []);
  if (!told.value) return null;
  return (
    <>
      <p class="sentence not-good">
        <span aria-hidden="true">▲</span> The worker that was asked says: {told.value.message}
      </p>
      <Partitions of={told.value.partitions} />
    </>
  );
}
