// Is this one fault or many? What fails together, again and again, or for want of capacity; and how reliable it all is.
import { Ago, AnomalyLink, Empty, Instance, Runbook, Shown, whose, Word } from "../bits";
import { asked, begins, ends, overlaps, ranged, stamp } from "../clock";
import { Heat } from "../heat";
import { useQuery } from "../query";
import { Capacity, Figures, Offenders } from "../reliability";
import type { Anomaly, Report } from "../schema";
import { at, link, ofCluster, ofGroup } from "../url";
import { plural, spoken } from "../words";

const SLOW_MS = 30_000;
const DAY_MS = 86_400_000;
const MOST = 5000;
const SHOWN = 12;
const FAULTS = ["operation_failed", "lifecycle_script_failed", "replacement_failed", "patch_failed", "rollback_failed", "unhealthy_node"] as const;
const SHAPES = [
  ["correlated_failure", "Instances that failed together", "No instances failed together."],
  ["replacement_storm", "Replacement storms", "There was no replacement storm."],
  ["flapping", "Flapping", "Nothing went to and fro."],
] as const;

export function Patterns() {
  const found = useQuery("/api/v1/anomalies", { kind: [...SHAPES.map(([kind]) => kind), ...FAULTS], status: ["open", "resolved"], limit: MOST }, { least: SLOW_MS / 10 });
  const report = useQuery("/api/v1/report", { since: asked() }, { least: SLOW_MS });
  return (
    <>
      <h1>Patterns</h1>
      <Shown result={found.value} what="anomalies">
        {(told, whole) => <Shapes items={told.items.filter((each) => overlaps(each.opened_at, each.resolved_at))} cut={told.continue !== null} whole={whole} />}
      </Shown>
      <Shown result={report.value} what="the figures">
        {(told) => <Reliability of={told.item} />}
      </Shown>
    </>
  );
}

function Shapes({ items, cut, whole }: { items: Anomaly[]; cut: boolean; whole: boolean }) {
  const faults = items.filter((each) => FAULTS.some((kind) => kind === each.kind));
  const members = new Map<string, Anomaly[]>();
  for (const each of items) if (each.parent_id) members.set(each.parent_id, [...(members.get(each.parent_id) ?? []), each]);
  const open = (kind: string) => items.filter((each) => each.kind === kind && each.status === "open").length;
  const alone = faults.filter((each) => !each.parent_id && each.status === "open").length;
  const known = whole ? "" : ", in what is known";
  return (
    <>
      <p class="sentence">
        Open {at.value ? "then" : "now"}: {plural(open("correlated_failure"), "group", "groups")} of instances that failed together, {plural(open("replacement_storm"), "storm")} of replacements,{" "}
        {plural(open("flapping"), "flapping place")}, and {plural(alone, "fault")} that nothing explains{known}.
      </p>
      {cut && (
        <p class="problem">
          <span aria-hidden="true">▲</span> Only the first {MOST.toLocaleString("en")} anomalies are looked at.
        </p>
      )}
      {SHAPES.map(([kind, title, none]) => {
        const those = items.filter((each) => each.kind === kind).sort((a, b) => Number(a.status !== "open") - Number(b.status !== "open") || b.opened_at.localeCompare(a.opened_at));
        return (
          <section key={kind}>
            <h2>{title}</h2>
            {those.length === 0 && <p class="muted">{whole ? none : `${none.slice(0, -1)}, in what is known.`}</p>}
            <ul class="rows">
              {those.map((each) => (
                <Shape key={each.anomaly_id} item={each} members={members.get(each.anomaly_id) ?? []} />
              ))}
            </ul>
          </section>
        );
      })}
      <section>
        <h2>Failures by group and time</h2>
        <Heat items={faults} from={begins() ?? ends() - DAY_MS} to={ends()} named={ranged() ? "the chosen range" : "the last 24 h"} />
      </section>
    </>
  );
}

function Shape({ item, members }: { item: Anomaly; members: Anomaly[] }) {
  const ids = [...new Set([item.instance_id, ...members.map((each) => each.instance_id)])].filter((id) => id !== null);
  const cluster = item.cluster_name ?? item.cluster_arn;
  const causes = [...new Set(members.map((each) => each.cause).filter((cause) => cause && cause !== "unknown"))];
  return (
    <li class="shape">
      <Word of={item.severity} /> <AnomalyLink item={item} /> {item.status !== "open" && <span class="chip">{item.status}</span>} <Runbook item={item} />
      <p class="muted small">
        <a href={ofCluster(cluster)}>{cluster}</a>
        {item.instance_group && (
          <>
            {" / "}
            <a href={ofGroup(cluster, item.instance_group)}>{item.instance_group}</a>
          </>
        )}{" "}
        · {stamp(item.opened_at)}
        {item.resolved_at ? ` to ${stamp(item.resolved_at)}` : ""} (<Ago time={item.opened_at} /> ago)
        {members.length > 0 && <> · {plural(members.length, "fault")} in it</>}
        {causes.length > 0 && <> · {causes.map((cause) => spoken(cause!)).join(", ")}</>}
      </p>
      {ids.length > 0 && (
        <p class="small ids-line">
          {ids.slice(0, SHOWN).map((id) => (
            <Instance key={id} id={id} />
          ))}
          {ids.length > SHOWN && <a href={link("/anomalies", { id: item.anomaly_id, status: "all" })}>and {ids.length - SHOWN} more</a>}
        </p>
      )}
      {ids.length === 0 && item.node_logical_id && <p class="small">{whose(item)}</p>}
    </li>
  );
}

function Reliability({ of }: { of: Report }) {
  return (
    <>
      <section>
        <h2>Want of capacity</h2>
        <Capacity of={of.figures} />
      </section>
      <section>
        <h2>Places that fail again and again</h2>
        <Offenders of={of.offenders} />
      </section>
      <section>
        <h2>Reliability</h2>
        {of.figures.length ? <Figures of={of.figures} /> : <Empty title="Nothing is known to count yet." />}
        <p class="muted small">
          {of.since && of.until && (
            <>
              From {stamp(of.since)} to {stamp(of.until)}
              {of.complete_since && of.complete_since > of.since ? `; complete only since ${stamp(of.complete_since)}` : ""}.{" "}
            </>
          )}
          What each figure counts: <code>hyperpod-state report --help</code> and the reference of the report.
        </p>
        {of.notes.length > 0 && (
          <ul class="muted small">
            {of.notes.map((each) => (
              <li key={each}>{each}</li>
            ))}
          </ul>
        )}
      </section>
    </>
  );
}
