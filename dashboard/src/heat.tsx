// Failures of each group over time, as a map whose cells open. Knows: anomalies. Every cell is a number besides its colour.
import { AnomalyRows, Empty, Wide, worstFirst } from "./bits";
import { stamp } from "./clock";
import type { Anomaly } from "./schema";
import { ofGroup, params, set } from "./url";
import { plural, spoken } from "./words";

const COLUMNS = 24;
const MINUTE = 60_000;
const WIDTHS = [5, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080].map((minutes) => minutes * MINUTE);
const SHOWN = 40;

interface Row {
  key: string;
  cluster: string;
  group: string | null;
  cells: Map<number, Anomaly[]>;
  total: number;
}

export function Heat({ items, from, to, named }: { items: Anomaly[]; from: number; to: number; named: string }) {
  const width = WIDTHS.find((each) => (to - from) / each <= COLUMNS) ?? Math.ceil((to - from) / COLUMNS);
  const first = Math.floor(from / width);
  const columns = Array.from({ length: Math.floor(to / width) - first + 1 }, (_, i) => first + i);
  const rows = counted(items.filter((each) => Date.parse(each.opened_at) >= from && Date.parse(each.opened_at) <= to), width);
  if (!rows.length) return <Empty title={`Nothing failed in ${named}.`} />;
  const chosen = params.value.get("cell");
  const most = Math.max(...rows.flatMap((row) => [...row.cells.values()].map((cell) => cell.length)));
  const shown = rows.flatMap((row) => columns.map((column) => ({ name: cellName(row, column * width), items: row.cells.get(column) })));
  const open = shown.find((each) => each.name === chosen)?.items;
  return (
    <>
      <p class="muted small">
        {plural(rows.reduce((sum, row) => sum + row.total, 0), "failure")} in {named}, by when they began (UTC); a cell opens. {rows.length > SHOWN && `The ${SHOWN} groups with the most are shown, of ${rows.length}.`}
      </p>
      <Wide label="Failures by group and time">
        <table class="heat">
          <thead>
            <tr>
              <th scope="col">Group</th>
              {columns.map((column) => (
                <th key={column} scope="col">
                  {label(column * width, width)}
                </th>
              ))}
              <th scope="col">Causes</th>
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, SHOWN).map((row) => (
              <tr key={row.key}>
                <th scope="row" class="nowrap">
                  {row.group ? <a href={ofGroup(row.cluster, row.group)}>{row.group}</a> : "in no group"} <span class="muted small">{row.cluster}</span>
                </th>
                {columns.map((column) => {
                  const cell = row.cells.get(column);
                  const name = cellName(row, column * width);
                  return (
                    <td key={column}>
                      {cell && (
                        <button type="button" class={`cell heat-${Math.ceil((4 * cell.length) / most)}`} aria-pressed={name === chosen} aria-label={`${row.group ?? "in no group"}, ${stamp(new Date(column * width).toISOString())}: ${plural(cell.length, "failure")}`} onClick={() => set({ cell: name === chosen ? null : name })}>
                          {cell.length}
                        </button>
                      )}
                    </td>
                  );
                })}
                <td class="small nowrap">{causes([...row.cells.values()].flat())}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
      {open && <AnomalyRows items={[...open].sort(worstFirst)} />}
    </>
  );
}

const cellName = (row: Row, time: number) => `${row.key}@${new Date(time).toISOString().slice(0, 16)}Z`;

function counted(items: Anomaly[], width: number): Row[] {
  const rows = new Map<string, Row>();
  for (const each of items) {
    const key = `${each.cluster_arn.split("/").pop()}/${each.instance_group ?? ""}`;
    const row = rows.get(key) ?? { key, cluster: each.cluster_name ?? each.cluster_arn, group: each.instance_group, cells: new Map(), total: 0 };
    const column = Math.floor(Date.parse(each.opened_at) / width);
    row.cells.set(column, [...(row.cells.get(column) ?? []), each]);
    row.total++;
    rows.set(key, row);
  }
  return [...rows.values()].sort((a, b) => b.total - a.total || a.key.localeCompare(b.key));
}

function causes(items: Anomaly[]): string {
  const found = new Map<string, number>();
  for (const { cause } of items) found.set(cause ?? "unknown", (found.get(cause ?? "unknown") ?? 0) + 1);
  return [...found].sort((a, b) => b[1] - a[1]).map(([cause, n]) => `${n} ${spoken(cause)}`).join(", ");
}

/** Days where a column is one, else the hour; midnight says which day begins. */
function label(time: number, width: number): string {
  const text = new Date(time).toISOString();
  return width >= 1440 * MINUTE || text.slice(11, 16) === "00:00" ? text.slice(5, 10) : `${text.slice(11, 16)}Z`;
}
