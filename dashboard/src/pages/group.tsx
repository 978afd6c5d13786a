// How far is the rollout, and should it be stopped?
import { Machines, Shown, Word, WorstAnomalies } from "../bits";
import { Lanes } from "../lanes";
import { useQuery } from "../query";
import { Rollouts } from "../rollouts";
import { counted, Legend, Tiles } from "../tiles";
import { ofCluster } from "../url";
import { plural } from "../words";
import { Changes, Sentence } from "./instance";

export function Group({ cluster, name }: { cluster: string; name: string }) {
  const story = useQuery("/api/v1/instance-groups/{name}/story", { name, cluster });
  const fleet = useQuery("/api/v1/fleet", { cluster });
  const rollouts = useQuery("/api/v1/rollouts", { cluster, group: name });
  const told = story.value.data?.item;
  const here = fleet.value.data?.items[0];
  const group = here?.groups.find((each) => each.instance_group === name);
  return (
    <>
      <nav class="crumbs" aria-label="Where it is">
        <a href={ofCluster(cluster)}>{cluster}</a>
      </nav>
      <h1>
        {name} {told && <Word of={told.phase} />}
      </h1>
      <Shown result={story.value} what={name}>
        {({ item }) => (
          <>
            <Sentence story={item} />
            {item.anomalies.length > 0 && (
              <section>
                <h2>{plural(item.anomalies.length, "open anomaly", "open anomalies")}</h2>
                <WorstAnomalies items={item.anomalies} all={{ cluster: item.cluster_arn, group: name }} />
              </section>
            )}
            <section>
              <h2>Instances</h2>
              {here && group && (
                <>
                  <Legend of={counted([{ ...here, groups: [group] }])} />
                  <Tiles group={group} arn={here.cluster_arn} />
                </>
              )}
              {here && !group && <p class="muted">No instance is known.</p>}
            </section>
            <section>
              <h2>Software updates</h2>
              <Shown result={rollouts.value} what="rollouts">
                {(answer) => <Rollouts items={answer.items} />}
              </Shown>
            </section>
            <Lanes cluster={cluster} group={name} />
            <section>
              <h2>Last changes</h2>
              <Changes of={item.changes} />
              <details>
                <summary>All machines</summary>
                <Machines of={item.machines} />
              </details>
            </section>
          </>
        )}
      </Shown>
    </>
  );
}
