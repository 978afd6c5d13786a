// How fast counts grow, by what was told before. Knows: /api/v1/pipeline, this tab's clock.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { PipelineItem } from "./schema";

/** What is averaged over; what is told of less is chance. */
const WINDOW_MS = 30_000;
const LEAST_MS = 4_000;

interface Told {
  at: number;
  /** Who had which partitions: where that changes, counts come and go without anything being read. */
  who: string;
  counts: Record<string, number>;
}
export interface Rates {
  seconds: number;
  /** By the second; of values (`read`, `folded`, `applied`) and of records by the role of the topic that they went to. */
  of: Record<string, number>;
}

/** They go on where one comes back to the page. */
const told: Told[] = [];
let newest: PipelineItem | null = null;

/** Null while there is nothing to compare with yet. */
export function useRates(item: PipelineItem, whole: boolean): Rates | null {
  const rates = useSignal<Rates | null>(null);
  useEffect(() => {
    note(item, whole);
    rates.value = between();
  }, [item, whole]);
  return rates.value;
}

function note(item: PipelineItem, whole: boolean): void {
  if (!whole) told.length = 0;
  // The same answer, shown again.
  if (!whole || item === newest) return;
  newest = item;
  const next = { at: performance.now(), who: `${item.workers} ${item.partitions.map((each) => `${each.partition} ${each.state}`)}`, counts: counted(item) };
  const last = told.at(-1);
  // A count falls where a worker began anew.
  if (last && (last.who !== next.who || Object.entries(next.counts).some(([name, count]) => count < (last.counts[name] ?? 0)))) told.length = 0;
  told.push(next);
  while (told.length && told[0]!.at < next.at - WINDOW_MS) told.shift();
}

function counted({ summary, failed, topics }: PipelineItem): Record<string, number> {
  const folded = summary.applied + summary.duplicate + failed;
  return { read: summary.read, folded, applied: summary.applied, ...Object.fromEntries(topics.map((each) => [each.role, each.written])) };
}

function between(): Rates | null {
  const [first, last] = [told[0], told.at(-1)];
  if (!first || !last || last.at - first.at < LEAST_MS) return null;
  const seconds = (last.at - first.at) / 1000;
  return { seconds, of: Object.fromEntries(Object.entries(last.counts).map(([name, count]) => [name, (count - (first.counts[name] ?? count)) / seconds])) };
}
