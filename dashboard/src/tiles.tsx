// Instances as tiles: as many as there are on one screen.
import { Component } from "preact";
import type { FleetCluster, FleetGroup, Tile } from "./schema";
import { stamp } from "./clock";
import { nameOf } from "./bits";
import { link, ofInstance } from "./url";
import { glyph, PHASES, tone } from "./words";

interface Shown {
  tile: Tile;
  href: string;
}

/** Thousands of them stay as they are when a few change; nothing in one may depend on the clock. */
class One extends Component<Shown> {
  override shouldComponentUpdate(next: Readonly<Shown>): boolean {
    const [a, b] = [this.props.tile, next.tile];
    return this.props.href !== next.href || a.phase !== b.phase || a.severity !== b.severity || a.since !== b.since || a.health !== b.health;
  }

  override render({ tile, href }: Shown) {
    const name = nameOf(tile);
    const ring = tile.severity ? `, open anomaly: ${tile.severity}` : "";
    const health = tile.health && tile.health !== "Healthy" && tile.health !== "Unknown" ? `, health ${tile.health}` : "";
    return (
      <a
        data-row
        class={`tile ${tone(tile.phase)}${tile.severity ? ` ring-${tile.severity}` : ""}`}
        href={href}
        aria-label={`${name}, ${tile.phase}${health}${ring}`}
        title={`${name}\n${tile.phase} since ${stamp(tile.since)}${health}${ring}`}
      >
        {glyph(tile.phase)}
      </a>
    );
  }
}

export function Tiles({ group, arn }: { group: FleetGroup; arn: string }) {
  if (!group.tiles.length) return <p class="muted small">No instance is known.</p>;
  const rest = link("");
  return (
    <div class="tiles">
      {group.tiles.map((tile) => (
        <One
          key={tile.instance_id ?? `slot ${tile.node_logical_id}`}
          tile={tile}
          href={tile.instance_id ? `/i/${encodeURIComponent(tile.instance_id)}${rest}` : ofInstance(nameOf(tile), arn)}
        />
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
