// What do I act on first? Severity, then age; incidents hold their members.
import { Ago, Empty, Instance, Problem, Runbook, Shown, whose, Word, worstFirst } from "../bits";
import { overlaps, ranged, stamp } from "../clock";
import { Export } from "../export";
import { useQuery } from "../query";
import type { Anomaly } from "../schema";
import { link, ofCluster, ofGroup, ofRunbook, params, set } from "../url";
import { plural, SEVERITIES, spoken } from "../words";

const STATUSES = ["open", "resolved", "retracted", "all"];

export function Anomalies() {
  const get = (name: string) => params.value.get(name) ?? "";
  const status = get("status") || "open";
  const found = useQuery("/api/v1/anomalies", {
    status: status === "all" ? [] : status,
    severity: get("severity").split(",").filter(Boolean),
    kind: get("kind"),
    cluster: get("cluster"),
    group: get("group"),
    instance: get("instance"),
    planned: get("planned"),
    limit: 5000,
  });
  return (
    <>
      <h1>Anomalies</h1>
      <Filters items={found.value.data?.items ?? []} status={status} />
      <Shown result={found.value} what="anomalies">
        {(told, whole) => (
          <>
            {told.continue && (
              <p class="problem">
                <span aria-hidden="true">▲</span> Only the first {told.items.length.toLocaleString("en")} are shown: narrow them with a filter.
              </p>
            )}
            <Inbox items={told.items.filter((each) => overlaps(each.opened_at, each.resolved_at))} q={get("q").toLowerCase()} chosen={get("id")} status={status} whole={whole} />
          </>
        )}
      </Shown>
    </>
  );
}

function Filters({ items, status }: { items: Anomaly[]; status: string }) {
  const get = (name: string) => params.value.get(name) ?? "";
  const kinds = [...new Set([...items.map((each) => each.kind as string), get("kind")])].filter(Boolean).sort();
  const clusters = new Map(items.map((each) => [each.cluster_arn, each.cluster_name ?? each.cluster_arn]));
  if (get("cluster") && !clusters.has(get("cluster"))) clusters.set(get("cluster"), get("cluster"));
  const choice = (name: string, label: string, options: [string, string][]) => (
    <label>
      {label}{" "}
      <select name={name} value={name === "status" ? status : get(name)} onChange={(event) => set({ [name]: event.currentTarget.value || null, id: null }, false)}>
        {options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
  const narrowed = ["severity", "kind", "cluster", "group", "instance", "planned", "q"].filter(get);
  return (
    <form class="tools-line" onSubmit={(event) => event.preventDefault()} aria-label="Filters">
      {choice("status", "Status", STATUSES.map((each) => [each, each]))}
      {choice("severity", "Severity", [["", "any"], ...SEVERITIES.map((each): [string, string] => [each, each]), ["critical,error", "critical or error"]])}
      {choice("kind", "Kind", [["", "any"], ...kinds.map((each): [string, string] => [each, spoken(each)])])}
      {choice("cluster", "Cluster", [["", "any"], ...clusters])}
      {choice("planned", "Planned", [["", "any"], ["false", "not planned"], ["true", "planned only"]])}
      <label class="filter">
        <span class="visually-hidden">Filter by words</span>
        <input data-filter type="search" placeholder="words ( / )" value={get("q")} onInput={(event) => set({ q: event.currentTarget.value || null })} />
      </label>
      {get("group") && <span class="chip">group {get("group")}</span>}
      {get("instance") && <span class="chip">instance {get("instance")}</span>}
      {narrowed.length > 0 && (
        <button type="button" onClick={() => set(Object.fromEntries([...narrowed, "id"].map((name) => [name, null])), false)}>
          Take filters away
        </button>
      )}
    </form>
  );
}

function Inbox({ items, q, chosen, status, whole }: { items: Anomaly[]; q: string; chosen: string; status: string; whole: boolean }) {
  const ids = new Set(items.map((each) => each.anomaly_id));
  const members = new Map<string, Anomaly[]>();
  for (const each of items) if (each.parent_id && ids.has(each.parent_id)) members.set(each.parent_id, [...(members.get(each.parent_id) ?? []), each]);
  const matches = (each: Anomaly): boolean =>
    !q || [each.title, each.kind, whose(each), each.cluster_name, each.cause].some((text) => text?.toLowerCase().includes(q)) || (members.get(each.anomaly_id) ?? []).some(matches);
  const top = items.filter((each) => !(each.parent_id && ids.has(each.parent_id)) && matches(each)).sort(worstFirst);
  // One that is linked to is shown, whatever the filters leave.
  const missing = chosen && !ids.has(chosen) ? <Elsewhere id={chosen} /> : null;
  if (!top.length)
    return (
      <>
        {missing}
        <Empty title={`${status === "open" ? "Nothing is open that matches" : "Nothing matches"}${ranged() ? " in the range that is chosen" : ""}${whole ? "" : " in what is known"}.`}>
          {status === "open" && <a href={link("/anomalies", { status: "all" })}>All that ever was</a>}
        </Empty>
      </>
    );
  return (
    <>
      {missing}
      <p class="muted small">
        {plural(top.length, "line")}, worst first, then oldest; {plural(items.length, "anomaly", "anomalies")} in all; <a href="/runbooks">a runbook</a> for each kind. <Export name="anomalies" rows={items.filter(matches)} />
      </p>
      <ul class="rows inbox">
        {top.map((each) => (
          <Line key={each.anomaly_id} item={each} members={members} chosen={chosen} />
        ))}
      </ul>
    </>
  );
}

function Elsewhere({ id }: { id: string }) {
  const found = useQuery("/api/v1/anomalies", { id });
  const item = found.value.data?.items[0];
  if (found.value.problem) return <Problem of={found.value.problem} />;
  if (!found.value.data) return null;
  if (!item) return <Empty title="The anomaly of this address is not known at this moment." />;
  return (
    <ul class="rows inbox">
      <Line item={item} members={new Map()} chosen={id} />
    </ul>
  );
}

function holds(item: Anomaly, members: Map<string, Anomaly[]>, id: string): boolean {
  return item.anomaly_id === id || (members.get(item.anomaly_id) ?? []).some((each) => holds(each, members, id));
}

function Line({ item, members, chosen }: { item: Anomaly; members: Map<string, Anomaly[]>; chosen: string }) {
  const inside = [...(members.get(item.anomaly_id) ?? [])].sort(worstFirst);
  const open = chosen !== "" && holds(item, members, chosen);
  const self = chosen === item.anomaly_id;
  return (
    <li class="with-runbook">
      <button type="button" data-row class="row" aria-expanded={open} onClick={() => set({ id: open ? null : item.anomaly_id }, false)}>
        <Word of={item.severity} />
        <span class="grow">
          {item.title}
          {inside.length > 0 && <span class="chip">{plural(inside.length, "member")}</span>}
          {item.status !== "open" && <span class="chip">{item.status}</span>}
          {item.planned && <span class="chip">planned</span>}
          {item.silenced_by && <span class="chip">silenced</span>}
        </span>
        <span class="muted">{whose(item)}</span>
        <span class="muted nowrap">
          <Ago time={item.opened_at} />
        </span>
      </button>
      <Runbook item={item} />
      {open && (
        <div class="inside">
          {(self || inside.length > 0) && <Detail item={item} />}
          {inside.length > 0 && (
            <ul class="rows inbox" aria-label="Members">
              {inside.map((each) => (
                <Line key={each.anomaly_id} item={each} members={members} chosen={chosen} />
              ))}
            </ul>
          )}
        </div>
      )}
    </li>
  );
}

function Detail({ item }: { item: Anomaly }) {
  const word = useQuery("/api/v1/explain/{word}", { word: item.kind }, { timeless: true });
  const meaning = word.value.data?.items.find((each) => each.type === "kind");
  const check = meaning?.details.check_first;
  const cluster = item.cluster_name ?? item.cluster_arn;
  return (
    <dl class="detail">
      <dt>of</dt>
      <dd>
        <a href={ofCluster(cluster)}>{cluster}</a>
        {item.instance_group && (
          <>
            {" / "}
            <a href={ofGroup(cluster, item.instance_group)}>{item.instance_group}</a>
          </>
        )}
        {(item.instance_id ?? item.node_logical_id) && (
          <>
            {" / "}
            <Instance id={(item.instance_id ?? item.node_logical_id)!} cluster={item.instance_id ? undefined : item.cluster_arn} />
          </>
        )}
      </dd>
      <dt>kind</dt>
      <dd>
        {spoken(item.kind)}
        {item.cause && item.cause !== "unknown" && <>, cause: {spoken(item.cause)}</>}
        {item.machine && (
          <>
            , {spoken(item.machine)} {item.state && <Word of={item.state} />}
          </>
        )}
        {meaning && <p class="muted">{meaning.meaning}</p>}
      </dd>
      <dt>what to do</dt>
      <dd>
        <a href={ofRunbook(item)}>the runbook of {spoken(item.kind)}</a>, with the names of this one in its commands
      </dd>
      <dt>clears when</dt>
      <dd>{item.status === "open" ? (item.expected ?? "not said") : <>it is {item.status}{item.resolved_at && <> since {stamp(item.resolved_at)}</>}</>}</dd>
      {Array.isArray(check) && check.length > 0 && (
        <>
          <dt>check first</dt>
          <dd>
            <ol>
              {check.map((each) => (
                <li key={String(each)}>{String(each)}</li>
              ))}
            </ol>
          </dd>
        </>
      )}
      <dt>opened</dt>
      <dd>
        {stamp(item.opened_at)} (<Ago time={item.opened_at} /> ago), changed {stamp(item.updated_at)}
        {item.count > 1 && <>, {item.count} faults</>}
      </dd>
      <dt>evidence</dt>
      <dd>
        {item.evidence.length ? (
          <ul class="ids">
            {item.evidence.map((each) => (
              <li key={each}>
                <code>{each}</code>
              </li>
            ))}
          </ul>
        ) : (
          "no event: it is about one that did not come"
        )}
      </dd>
      {item.runbook && /^https:\/\//.test(item.runbook) && (
        <>
          <dt>read on</dt>
          <dd>
            <a href={item.runbook} rel="noreferrer noopener" target="_blank">
              the script’s log in CloudWatch
            </a>
          </dd>
        </>
      )}
      <dt>id</dt>
      <dd>
        <code>{item.anomaly_id}</code>, revision {item.revision}
      </dd>
    </dl>
  );
}
