// Instances as tiles: as many as there are on one screen.
import type { FleetCluster, FleetGroup, Tile } from "./schema";
import { ago } from "./clock";
import { nameOf } from "./bits";
import { ofInstance } from "./url";
import { glyph, PHASES, tone } from "./words";

/** Tiles are compared by what they show: thousands of them stay as they are when a few change. */
function One({ tile, arn }: { tile: Tile; arn: string }) {
  const name = nameOf(tile);
  const ring = tile.severity ? `, open anomaly: ${tile.severity}` : "";
  const health = tile.health && tile.health !== "Healthy" && tile.health !== "Unknown" ? `, health ${tile.health}` : "";
  return (
    <a
      data-row
      class={`tile ${tone(tile.phase)}${tile.severity ? ` ring-${tile.severity}` : ""}`}
      href={ofInstance(name, tile.instance_id ? undefined : arn)}
      aria-label={`${name}, ${tile.phase}${health}${ring}`}
      title={`${name}\n${tile.phase} for ${ago(tile.since)}${health}${ring}`}
    >
      {glyph(tile.phase)}
    </a>
  );
}

export function Tiles({ group, arn }: { group: FleetGroup; arn: string }) {
  if (!group.tiles.length) return <p class="muted small">No instance is known.</p>;
  return (
    <div class="tiles">
      {group.tiles.map((tile) => (
        <One key={tile.instance_id ?? `slot ${tile.node_logical_id}`} tile={tile} arn={arn} />
      ))}
    </div>
  );
}

/** What the tiles mean, of those phases that are there. */
export function Legend({ of }: { of: Record<string, number> }) {
  return (
    <ul class="legend" aria-label="Phases">
      {[...PHASES, ...Object.keys(of).filter((word) => !PHASES.includes(word))]
        .filter((word) => of[word])
        .map((word) => (
          <li key={word}>
            <span class={`tile ${tone(word)}`} aria-hidden="true">
              {glyph(word)}
            </span>{" "}
            {of[word]!.toLocaleString("en")} {word}
          </li>
        ))}
    </ul>
  );
}

export function counted(clusters: FleetCluster[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const cluster of clusters)
    for (const group of cluster.groups) for (const tile of group.tiles) found[tile.phase] = (found[tile.phase] ?? 0) + 1;
  return found;
}
