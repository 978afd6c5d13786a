// Is anything wrong, and where?
import { AnomalyRows, Empty, folded, Shown, Word } from "../bits";
import { Ago } from "../bits";
import { useQuery } from "../query";
import type { Anomaly, FleetCluster, FleetGroup, FleetSummary, Tile } from "../schema";
import { counted, Legend, Tiles } from "../tiles";
import { link, ofCluster, ofGroup, params, set } from "../url";
import { plural, rank, SEVERITIES } from "../words";

const MANY = 700;
const NEWEST = 5;

export function Fleet() {
  const fleet = useQuery("/api/v1/fleet");
  const summary = useQuery("/api/v1/summary");
  const q = params.value.get("q") ?? "";
  return (
    <>
      <h1 class="visually-hidden">Fleet</h1>
      <Strip of={summary.value.data?.item ?? null} />
      <div class="beside">
        <section>
          <Shown result={fleet.value} what="the fleet">
            {(told, whole) => (told.items.length ? <All clusters={told.items} q={q} /> : <Nothing whole={whole} />)}
          </Shown>
        </section>
        <Newest />
      </div>
    </>
  );
}

function Strip({ of }: { of: FleetSummary | null }) {
  const open = of?.open ?? {};
  return (
    <dl class="strip">
      {SEVERITIES.slice(0, 3).map((severity) => (
        <div key={severity} class={open[severity] ? `lit ${severity}` : ""}>
          <dt>open {severity}</dt>
          <dd>
            <a href={link("/anomalies", { severity })}>{of ? (open[severity] ?? 0) : "–"}</a>
          </dd>
        </div>
      ))}
      <div>
        <dt>in service, of wanted</dt>
        <dd>{of ? `${of.in_service.toLocaleString("en")} / ${of.target.toLocaleString("en")}` : "–"}</dd>
      </div>
      <div>
        <dt>replacements in 24 h</dt>
        <dd>{of ? of.replacements : "–"}</dd>
      </div>
      <div>
        <dt>since the last event</dt>
        <dd>{of ? <Ago time={of.last_event_time} /> : "–"}</dd>
      </div>
    </dl>
  );
}

function All({ clusters, q }: { clusters: FleetCluster[]; q: string }) {
  const shown = filtered(clusters, q.trim().toLowerCase());
  const counts = counted(shown);
  const total = Object.values(counts).reduce((sum, each) => sum + each, 0);
  const twice = new Set(clusters.map((each) => each.cluster_name).filter((name, i, all) => all.indexOf(name) !== i));
  return (
    <div class={total > MANY ? "many" : ""}>
      <div class="tools-line">
        <label class="filter">
          <span class="visually-hidden">Filter by name or phase</span>
          <input data-filter type="search" placeholder="filter: name, group, phase ( / )" value={q} onInput={(event) => set({ q: event.currentTarget.value || null })} />
        </label>
        <Legend of={counts} />
      </div>
      {shown.length === 0 && (
        <Empty title={`Nothing matches “${q}”.`}>
          <button type="button" onClick={() => set({ q: null })}>
            Take the filter away
          </button>
        </Empty>
      )}
      {shown.map((cluster) => {
        const name = cluster.cluster_name && !twice.has(cluster.cluster_name) ? cluster.cluster_name : cluster.cluster_arn;
        return (
          <article class="cluster" key={cluster.cluster_arn}>
            <h2>
              <a data-row href={ofCluster(name)}>
                {cluster.cluster_name ?? cluster.cluster_arn}
              </a>{" "}
              <Word of={cluster.phase} /> <OpenOf counts={cluster.open} arn={cluster.cluster_arn} />
            </h2>
            <div class="groups">
              {cluster.groups.map((group) => (
                <Group key={group.instance_group ?? ""} group={group} cluster={cluster} name={name} />
              ))}
              {cluster.groups.length === 0 && <p class="muted">No group is known.</p>}
            </div>
          </article>
        );
      })}
    </div>
  );
}

function Group({ group, cluster, name }: { group: FleetGroup; cluster: FleetCluster; name: string }) {
  const there = group.tiles.filter((tile) => tile.phase === "InService").length;
  return (
    <section class="group">
      <h3>
        {group.instance_group ? <a href={ofGroup(name, group.instance_group)}>{group.instance_group}</a> : <span class="muted">in no group</span>}{" "}
        {group.phase && group.phase !== "InService" && <Word of={group.phase} />}{" "}
        <span class="muted small nowrap">
          {there}/{group.target_count ?? group.tiles.length}
        </span>
      </h3>
      <Tiles group={group} arn={cluster.cluster_arn} />
    </section>
  );
}

function OpenOf({ counts, arn }: { counts: Record<string, number>; arn: string }) {
  const worst = SEVERITIES.find((each) => counts[each]);
  const total = Object.values(counts).reduce((sum, each) => sum + each, 0);
  if (!worst) return null;
  return (
    <a class="small" href={link("/anomalies", { cluster: arn })}>
      {plural(total, "open anomaly", "open anomalies")}
    </a>
  );
}

function Newest() {
  const found = useQuery("/api/v1/anomalies", { status: "open", silenced: false, limit: 5000 });
  return (
    <aside aria-label="Newest anomalies">
      <h2>Newest anomalies</h2>
      <Shown result={found.value} what="anomalies">
        {(told, whole) =>
          told.items.length ? (
            <Few items={told.items} />
          ) : (
            <Empty title={whole ? "Nothing is open." : "Nothing is open in what is known."}>
              <a href={link("/anomalies", { status: "all" })}>What was, and is over</a>
            </Empty>
          )
        }
      </Shown>
    </aside>
  );
}

function Few({ items }: { items: Anomaly[] }) {
  const { top, members } = folded(items);
  const newest = top.sort((a, b) => b.opened_at.localeCompare(a.opened_at) || rank(a.severity) - rank(b.severity)).slice(0, NEWEST);
  return (
    <>
      <AnomalyRows items={newest} members={members} />
      <p>
        <a href={link("/anomalies")}>All {items.length.toLocaleString("en")}</a>
      </p>
    </>
  );
}

function Nothing({ whole }: { whole: boolean }) {
  if (!whole) return <Empty title="No cluster is in what is known." />;
  return (
    <Empty title="No cluster is known yet.">
      <p>
        The worker has read no event that names one. <a href={link("/pipeline")}>The pipeline</a> says what was read;{" "}
        <code>hyperpod-state doctor</code> checks brokers, topics and the feed; <code>hyperpod-state simulate</code> makes events for a trial.
      </p>
    </Empty>
  );
}

function filtered(clusters: FleetCluster[], q: string): FleetCluster[] {
  if (!q) return clusters;
  const has = (text: string | null | undefined) => text?.toLowerCase().includes(q);
  const kept = (tile: Tile) => has(tile.instance_id) || has(tile.node_logical_id) || has(tile.phase) || has(tile.severity) || has(tile.health);
  return clusters.flatMap((cluster) => {
    if (has(cluster.cluster_name) || has(cluster.cluster_arn)) return [cluster];
    const groups = cluster.groups.flatMap((group) => {
      if (has(group.instance_group)) return [group];
      const tiles = group.tiles.filter(kept);
      return tiles.length ? [{ ...group, tiles }] : [];
    });
    return groups.length ? [{ ...cluster, groups }] : [];
  });
}
