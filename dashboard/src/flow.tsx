// The way of the data as a picture made of text: what each part does, how fast, and what waits. Knows: /api/v1/pipeline.
import type { ComponentChildren } from "preact";
import { Ago, Word } from "./bits";
import { span } from "./clock";
import { useRates, type Rates } from "./rates";
import type { Partition, PipelineItem, TopicProgress } from "./schema";
import { plural } from "./words";

const number = (value: number) => value.toLocaleString("en");

export function Flow({ item, whole }: { item: PipelineItem; whole: boolean }) {
  const rates = useRates(item, whole);
  const named = new Map(item.topics.map((each) => [each.role, each]));
  const [raw, events] = [named.get("raw"), named.get("events")];
  if (!raw || !events) return null;
  const name = (role: string) => named.get(role)?.topic ?? role;
  const letters = item.summary.dead_lettered;
  return (
    <section>
      <h2>The way of the data</h2>
      <p class="muted">{rates ? `Rates are of the last ${span(rates.seconds * 1000)}.` : whole ? "Rates are being measured: that takes a few seconds." : "No rates while a part is missing."}</p>
      <ol class="flow" aria-label="The way of the data, step by step">
        <Topic name={raw.topic} partitions={raw.partitions} at={progress(item, raw.topic)} />
        <Work name="read" what="takes values out of what they are wrapped in, recognises events" topic={raw.topic} expected={raw.partitions} item={item} rate={said(rates, "read", "value")} />
        <Topic name={events.topic} partitions={events.partitions} at={progress(item, events.topic)} />
        <Work name="apply" what="moves the state, finds anomalies" topic={events.topic} expected={events.partitions} item={item} rate={said(rates, "folded", "event")}>
          {item.summary.watermark && (
            <p>
              newest event <Ago time={item.summary.watermark} /> ago
            </p>
          )}
        </Work>
        <li>
          <ul>
            <End name="tables" what="the state that these pages show" rate={said(rates, "applied", "event")} />
            <End name={name("transitions")} topic what="each change of a state" rate={said(rates, "transitions", "record")} />
            <End name={name("anomalies")} topic what="each change of an anomaly" rate={said(rates, "anomalies", "record")} />
            <End name={name("deadletter")} topic what={letters ? "what could not be read or applied, kept whole" : "every value could be read"} rate={said(rates, "deadletter", "record")}>
              <p>
                <span class={`word pill ${letters ? "warn" : "fine"}`}>
                  <span aria-hidden="true">{letters ? "▲" : "✔"}</span> {letters ? number(letters) : "none"}
                </span>
              </p>
            </End>
          </ul>
        </li>
      </ol>
    </section>
  );
}

const progress = (item: PipelineItem, topic: string): TopicProgress[] => item.partitions.flatMap((each) => each.topics.filter((one) => one.topic === topic));

function said(rates: Rates | null, name: string, unit: string): string {
  const rate = rates?.of[name];
  if (rate === undefined) return "-";
  if (rate === 0) return `no ${unit}s`;
  const [per, shown] = rate < 1 ? ["min", rate * 60] : ["s", rate];
  return `${shown.toLocaleString("en", { maximumFractionDigits: shown < 10 ? 1 : 0 })} ${unit}s/${per}`;
}

function Topic({ name, partitions, at }: { name: string; partitions: number | null; at: TopicProgress[] }) {
  const lag = at.reduce((sum, each) => sum + each.lag, 0);
  const stalled = at.some((each) => each.stalled);
  return (
    <li class="stop topic">
      <h3>{name}</h3>
      <p class="muted small">topic{partitions !== null && <>, {plural(partitions, "partition")}</>}</p>
      <p>
        <span class={`word pill ${stalled ? "bad" : lag ? "busy" : "fine"}`}>
          <span aria-hidden="true">{stalled ? "✖" : lag ? "↻" : "✔"}</span> {lag ? `${plural(lag, "record")} ${lag === 1 ? "waits" : "wait"}` : "nothing waits"}
        </span>
      </p>
    </li>
  );
}

/** The worst of its partitions; those that nobody has are none of those that are told of. */
function state(of: Partition[], topic: string, expected: number | null): string {
  if (of.some((each) => each.topics.some((one) => one.topic === topic && one.stalled))) return "stalled";
  if (of.length < (expected ?? 1)) return "unowned";
  return of.find((each) => each.state !== "running")?.state ?? "running";
}

function Work({ name, what, topic, expected, item, rate, children }: { name: string; what: string; topic: string; expected: number | null; item: PipelineItem; rate: string; children?: ComponentChildren }) {
  const of = item.partitions.filter((each) => each.topics.some((one) => one.topic === topic));
  return (
    <li class="stop">
      <h3>{name}</h3>
      <p class="muted small">{what}</p>
      <p class="muted small">
        {number(of.length)} of {plural(expected ?? of.length, "partition")}, {plural(item.workers, "worker")}
      </p>
      <p>
        <Word of={state(of, topic, expected)} />
      </p>
      <p class="rate">{rate}</p>
      {children}
    </li>
  );
}

function End({ name, topic, what, rate, children }: { name: string; topic?: boolean; what: string; rate: string; children?: ComponentChildren }) {
  return (
    <li class={topic ? "stop topic" : "stop"}>
      <h3>{name}</h3>
      <p class="muted small">{what}</p>
      {children}
      <p class="rate">{rate}</p>
    </li>
  );
}
