// What a page asks: again whenever something changed, of the moment in the address. Old answers stay while new ones come.
import { effect, signal, useSignal, type ReadonlySignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ask, locked, Refused, type Answer, type Path, type Query } from "./api";
import { exact } from "./clock";
import { beat, changed } from "./live";
import type { Problem } from "./schema";
import { at, set } from "./url";

export interface Result<T> {
  data: T | null;
  problem: (Problem & { status: number; oldest_at?: string | null }) | null;
  loading: boolean;
}

const LEAST_MS = 1000;
const RETRY_MS = 4000;
const visible = signal(!document.hidden);
document.addEventListener("visibilitychange", () => (visible.value = !document.hidden));
const kept = new Map<string, unknown>();
/** Whole answers, of which those of a large fleet are large: the pages that one goes back and forth between. */
const MOST_KEPT = 12;

/**
 * `timeless` answers are the same at every moment, and asked for once.  What is not `live` is of the present whatever
 * moment is looked at, and moves also where no page of the fleet would change.  What takes a worker long to tell is
 * asked for again only after `least` ms.
 */
export function useQuery<P extends Path>(
  path: P,
  query: Query = {},
  { timeless = false, live = true, least = LEAST_MS }: { timeless?: boolean; live?: boolean; least?: number } = {},
): ReadonlySignal<Result<Answer<P>>> {
  const moment = at.value;
  const asked: Query = timeless ? query : { stale: "ok", ...query, ...(moment && live ? { at: moment } : {}) };
  const key = JSON.stringify([path, asked]);
  const found = (kept.get(key) as Answer<P> | undefined) ?? null;
  const result = useSignal<Result<Answer<P>>>({ data: found, problem: null, loading: !found });
  useEffect(() => {
    const known = kept.get(key) as Answer<P> | undefined;
    // Another question: what is shown belongs to the old one.
    result.value = { data: known ?? null, problem: null, loading: !known };
    if (timeless && known) return;
    return following(timeless || (live && moment) ? null : live ? changed : beat, least, (signal) => load(path, asked, key, result, signal));
  }, [key]);
  return result;
}

async function load<P extends Path>(
  path: P,
  asked: Query,
  key: string,
  result: { value: Result<Answer<P>>; peek(): Result<Answer<P>> },
  stop: AbortSignal,
): Promise<boolean> {
  try {
    const data = await ask(path, asked, stop);
    if (stop.aborted) return true;
    kept.delete(key);
    kept.set(key, data);
    if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value!);
    result.value = { data, problem: null, loading: false };
    settle(asked.at, data);
    return true;
  } catch (error) {
    if (stop.aborted) return true;
    const told =
      error instanceof Refused
        ? { ...error.problem, status: error.status }
        : { code: "lost", message: "The worker does not answer.", hint: "Trying again.", status: 0 };
    result.value = { data: result.peek().data, problem: told, loading: false };
    // Asking again helps neither a wrong question nor one of a moment that is gone.
    return told.status >= 400 && told.status < 500 && told.status !== 401 && told.status !== 429;
  }
}

/** The moment in the address may be in any form that the worker takes; from its answer on it is the one that was meant. */
function settle(asked: Query[string], data: object): void {
  const told = "as_of" in data && typeof data.as_of === "string" ? exact(data.as_of) : null;
  if (told && asked && at.peek() === asked && told !== asked) set({ at: told });
}

/** Loads now, after each change and after a failure; one at a time, not more often than that, only while looked at. */
function following(follow: ReadonlySignal<unknown> | null, least: number, job: (stop: AbortSignal) => Promise<boolean>): () => void {
  const stop = new AbortController();
  let wanted = true;
  let busy = false;
  async function run(): Promise<void> {
    if (busy) return;
    busy = true;
    while (wanted && visible.peek() && locked.peek() === null && !stop.signal.aborted) {
      wanted = false;
      const good = await job(stop.signal);
      await new Promise((next) => setTimeout(next, good ? least : RETRY_MS));
      wanted ||= !good;
    }
    busy = false;
  }
  let first = true;
  const end = effect(() => {
    follow?.value;
    if (follow || first) wanted = true;
    first = false;
    if (visible.value && locked.value === null) void run();
  });
  return () => (stop.abort(), end());
}
