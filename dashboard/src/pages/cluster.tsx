// What is this cluster doing?
import { Ago, Empty, Machines, Shown, Wide, Word, WorstAnomalies } from "../bits";
import { Lanes } from "../lanes";
import { useQuery } from "../query";
import type { GroupItem } from "../schema";
import { counted, Legend, Tiles } from "../tiles";
import { ofGroup } from "../url";
import { glyph, plural, tone } from "../words";
import { Changes, Sentence } from "./instance";

export function Cluster({ name }: { name: string }) {
  const story = useQuery("/api/v1/clusters/{name}/story", { name });
  const groups = useQuery("/api/v1/instance-groups", { cluster: name, limit: 5000 });
  const fleet = useQuery("/api/v1/fleet", { cluster: name });
  const told = story.value.data?.item;
  const here = fleet.value.data?.items[0];
  return (
    <>
      <h1>
        {told?.name ?? name} {told && <Word of={told.phase} />}
      </h1>
      <Shown result={story.value} what={name}>
        {({ item }) => (
          <>
            <Sentence story={item} />
            {item.anomalies.length > 0 && (
              <section>
                <h2>{plural(item.anomalies.length, "open anomaly", "open anomalies")}</h2>
                <WorstAnomalies items={item.anomalies} all={{ cluster: item.cluster_arn }} />
              </section>
            )}
            <section>
              <h2>Groups</h2>
              <Shown result={groups.value} what="groups">
                {(answer) => (answer.items.length ? <Groups items={answer.items} cluster={name} /> : <Empty title="No group is known." />)}
              </Shown>
            </section>
            {here && (
              <section>
                <h2>Instances</h2>
                <Legend of={counted([here])} />
                {here.groups.map((group) => (
                  <div key={group.instance_group ?? ""}>
                    <h3 class="small muted">{group.instance_group ?? "in no group"}</h3>
                    <Tiles group={group} arn={here.cluster_arn} />
                  </div>
                ))}
              </section>
            )}
            <Lanes cluster={name} />
            <section>
              <h2>Last changes</h2>
              <Changes of={item.changes} />
              <details>
                <summary>All machines</summary>
                <Machines of={item.machines} />
              </details>
            </section>
            <p class="muted small">{item.cluster_arn}</p>
          </>
        )}
      </Shown>
    </>
  );
}

function Groups({ items, cluster }: { items: GroupItem[]; cluster: string }) {
  return (
    <Wide label="Groups">
      <table>
        <thead>
          <tr>
            <th scope="col">Group</th>
            <th scope="col">Phase</th>
            <th scope="col">Since</th>
            <th scope="col" class="right">
              Now / wanted / least
            </th>
            <th scope="col">Members</th>
          </tr>
        </thead>
        <tbody>
          {items.map((each) => (
            <tr key={each.instance_group}>
              <th scope="row">
                <a data-row href={ofGroup(cluster, each.instance_group)}>
                  {each.instance_group}
                </a>
              </th>
              <td>
                <Word of={each.phase} />
              </td>
              <td class="nowrap">
                <Ago time={each.since} />
              </td>
              <td class="right nowrap">{[each.current_count, each.target_count, each.min_count].map((n) => n ?? "–").join(" / ")}</td>
              <td>
                <Members of={each.members} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Wide>
  );
}

function Members({ of }: { of: Record<string, number> }) {
  const found = Object.entries(of).filter(([, count]) => count);
  if (!found.length) return <span class="muted">none</span>;
  return (
    <>
      <span class="share thin" aria-hidden="true">
        {found.map(([word, count]) => (
          <span key={word} class={tone(word)} style={{ flexGrow: count }}>
            {glyph(word)}
          </span>
        ))}
      </span>
      <span class="small">{found.map(([word, count]) => `${count} ${word}`).join(", ")}</span>
    </>
  );
}
