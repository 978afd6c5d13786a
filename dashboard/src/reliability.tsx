// Figures of a report as tables. Knows: /api/v1/report. What each counts is said by its description there.
import { Ago, Empty, Instance, Wide } from "./bits";
import { length } from "./clock";
import type { Figures as Row, Offender } from "./schema";
import { link, ofCluster, ofGroup, params, set } from "./url";
import { spoken } from "./words";

const BY: [Row["by"], string][] = [
  ["fleet", "fleet"],
  ["cluster", "cluster"],
  ["instance_group", "group"],
  ["instance_type", "instance type"],
  ["cause", "cause"],
];
const SHOWN = 50;

const number = (value: number | null | undefined, digits = 0) => (value == null ? "-" : value.toLocaleString("en", { maximumFractionDigits: digits }));
const share = (value: number | null | undefined) => (value == null ? "-" : `${(value * 100).toLocaleString("en", { maximumFractionDigits: 2 })} %`);

function Scope({ of }: { of: Row }) {
  const cluster = of.cluster_name ?? of.cluster_arn;
  if (of.by === "cluster" && cluster) return <a href={ofCluster(cluster)}>{cluster}</a>;
  if (of.by === "instance_group" && cluster)
    return (
      <>
        <a href={ofCluster(cluster)}>{cluster}</a> / {of.instance_group ? <a href={ofGroup(cluster, of.instance_group)}>{of.instance_group}</a> : "in no group"}
      </>
    );
  if (of.by === "cause") return <a href={link("/anomalies", { status: "all", q: of.cause ?? null })}>{spoken(of.cause ?? "unknown")}</a>;
  return <>{of.by === "instance_type" ? (of.instance_type ?? "type not known") : "all"}</>;
}

/** The first column names; columns that end in a colon are words, all others numbers. */
function Head({ of }: { of: [string, string?][] }) {
  return (
    <thead>
      <tr>
        {of.map(([name, title], i) => (
          <th key={name} scope="col" class={i && !name.endsWith(":") ? "right" : ""} title={title}>
            {name.replace(":", "")}
          </th>
        ))}
      </tr>
    </thead>
  );
}

export function Figures({ of }: { of: Row[] }) {
  const by = BY.find(([word]) => word === params.value.get("by"))?.[0] ?? "fleet";
  const rows = of.filter((each) => each.by === by);
  return (
    <>
      <div class="tabs" role="group" aria-label="Figures by">
        {BY.map(([word, text]) => (
          <button key={word} type="button" aria-pressed={word === by} onClick={() => set({ by: word === "fleet" ? null : word })}>
            {text}
          </button>
        ))}
      </div>
      <Wide label="Figures of reliability">
        <table>
          <Head
            of={[
              ["Of"],
              ["Available", "up hours of all hours"],
              ["Up, node-hours"],
              ["Lost, unplanned", "node-hours"],
              ["Lost, planned", "node-hours"],
              ["Failures"],
              ["of them planned"],
              ["open"],
              ["Mean time to repair"],
              ["Median"],
              ["95th percentile"],
              ["Mean time between failures"],
            ]}
          />
          <tbody>
            {rows.slice(0, SHOWN).map((each) => (
              <tr key={[each.cluster_arn, each.instance_group, each.instance_type, each.cause].join(" ")}>
                <th scope="row">
                  <Scope of={each} />
                </th>
                <td class="right">{share(each.availability)}</td>
                <td class="right">{number(each.up_hours, 1)}</td>
                <td class="right">{number(each.lost_hours_unplanned, 1)}</td>
                <td class="right">{number(each.lost_hours_planned, 1)}</td>
                <td class="right">{number(each.failures)}</td>
                <td class="right">{number(each.failures_planned)}</td>
                <td class="right">{number(each.failures_open)}</td>
                <td class="right nowrap">{length(each.mttr_seconds)}</td>
                <td class="right nowrap">{length(each.repair_median_seconds)}</td>
                <td class="right nowrap">{length(each.repair_p95_seconds)}</td>
                <td class="right nowrap">{each.mtbf_hours == null ? "-" : `${number(each.mtbf_hours, 1)} h`}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
      {rows.length > SHOWN && <p class="muted small">Only the first {SHOWN} of {number(rows.length)}: <code>hyperpod-state report</code> has all.</p>}
    </>
  );
}

export function Capacity({ of }: { of: Row[] }) {
  const rows = of.filter((each) => each.by === "instance_group" && each.capacity_failures);
  if (!rows.length) return <p class="muted">No attempt found too little capacity.</p>;
  rows.sort((a, b) => (b.capacity_failures ?? 0) - (a.capacity_failures ?? 0));
  return (
    <Wide label="Want of capacity">
      <table>
        <Head of={[["Group"], ["Attempts without capacity"], ["Provisioned"], ["Share without"], ["Longest wait"], ["Its faults:"]]} />
        <tbody>
          {rows.slice(0, SHOWN).map((each) => (
            <tr key={`${each.cluster_arn} ${each.instance_group}`}>
              <th scope="row">
                <Scope of={each} />
              </th>
              <td class="right">{number(each.capacity_failures)}</td>
              <td class="right">{number(each.provisioned)}</td>
              <td class="right">{share(each.capacity_shortage)}</td>
              <td class="right nowrap">{length(each.capacity_longest_wait_seconds)}</td>
              <td>
                <a href={link("/anomalies", { status: "all", q: "capacity", cluster: each.cluster_arn ?? null, group: each.instance_group ?? null })}>anomalies</a>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Wide>
  );
}

export function Offenders({ of }: { of: Offender[] }) {
  if (!of.length) return <Empty title="No place failed more than once." />;
  return (
    <Wide label="Places that fail again and again">
      <table>
        <Head of={[["Place"], ["Failures"], ["Replacements"], ["Lost, node-hours"], ["Last failure"], ["Causes:"], ["Who was in it, oldest first:"]]} />
        <tbody>
          {of.slice(0, SHOWN).map((each) => {
            const cluster = each.cluster_name ?? each.cluster_arn;
            const newest = each.instances.at(-1);
            return (
              <tr key={`${each.cluster_arn} ${each.instance_group} ${each.node_logical_id} ${each.instances.join()}`}>
                <th scope="row">
                  {each.node_logical_id ? <Instance id={each.node_logical_id} cluster={each.cluster_arn} /> : newest ? <Instance id={newest} /> : "?"}
                  <p class="muted small">
                    {each.instance_group ? <a href={ofGroup(cluster, each.instance_group)}>{each.instance_group}</a> : "in no group"}
                  </p>
                </th>
                <td class="right">
                  <a href={link("/anomalies", { status: "all", cluster: each.cluster_arn, ...(each.node_logical_id ? { instance: each.node_logical_id } : newest ? { instance: newest } : {}) })}>{number(each.failures)}</a>
                </td>
                <td class="right">{number(each.replacements)}</td>
                <td class="right">{number(each.lost_hours_unplanned, 1)}</td>
                <td class="right nowrap">
                  <Ago time={each.last_failure} /> ago
                </td>
                <td>{Object.entries(each.causes).map(([cause, n]) => `${n} ${spoken(cause)}`).join(", ")}</td>
                <td>
                  <div class="ids-line few">
                    {each.instances.map((id) => (
                      <Instance key={id} id={id} />
                    ))}
                  </div>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Wide>
  );
}
