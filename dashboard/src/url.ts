// The address is the state: which page, which filters, which moment. Knows: location, history. Nothing of the fleet.
import { computed, signal } from "@preact/signals";
import type { Anomaly } from "./schema";

/** Pages of everything. */
export const ALONE = ["anomalies", "patterns", "machines", "pipeline"] as const;
export type Route =
  | { page: "fleet" }
  | { page: "cluster"; cluster: string }
  | { page: "group"; cluster: string; group: string }
  | { page: "instance"; id: string }
  | { page: (typeof ALONE)[number] }
  | { page: "unknown" };

const here = signal(location.pathname + location.search);

export const route = computed<Route>(() => parse(new URL(here.value, location.origin).pathname));
export const params = computed(() => new URL(here.value, location.origin).searchParams);
/** The moment that everything is asked of; null is now. */
export const at = computed(() => params.value.get("at"));
/** From when on things are listed and drawn: a length of time before that moment, or a time; null is all that is kept. */
export const since = computed(() => params.value.get("since"));
/** Until when; null is up to that moment. */
export const until = computed(() => params.value.get("until"));

function parse(path: string): Route {
  const parts = path.split("/").slice(1).map(decoded);
  const [first, second, third, fourth] = parts;
  if (path === "/") return { page: "fleet" };
  if (first === "c" && second && parts.length === 2) return { page: "cluster", cluster: second };
  if (first === "c" && second && third === "g" && fourth && parts.length === 4)
    return { page: "group", cluster: second, group: fourth };
  if (first === "i" && second && parts.length === 2) return { page: "instance", id: second };
  const alone = ALONE.find((each) => each === first);
  if (alone && parts.length === 1) return { page: alone };
  return { page: "unknown" };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** As a query reads best; what is left as it is means nothing in one. */
function written(query: URLSearchParams): string {
  const text = query.toString().replaceAll("%3A", ":").replaceAll("%2F", "/");
  return text ? `?${text}` : "";
}

/** An address of this dashboard, at the moment and over the range that are being looked at. */
export function link(path: string, more: Record<string, string | null> = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ at: at.value, since: since.value, until: until.value, ...more })) if (value) query.set(name, value);
  return path + written(query);
}

export const ofCluster = (name: string) => link(`/c/${encodeURIComponent(name)}`);
export const ofGroup = (cluster: string, group: string) =>
  link(`/c/${encodeURIComponent(cluster)}/g/${encodeURIComponent(group)}`);
/** Of a name that a command may have; `streams/runbooks/guide.py` says why nothing else does. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

/** The runbook of an anomaly's kind, a page of the worker's own, with this anomaly's names in its commands. */
export function ofRunbook(item: Anomaly): string {
  const told = {
    cluster: item.cluster_name,
    cluster_id: item.cluster_arn.split("/").pop()!,
    group: item.instance_group,
    instance: item.instance_id,
    event: item.evidence[0],
    anomaly: item.anomaly_id,
  };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(told)) if (value && NAME.test(value)) query.set(name, value);
  return `/runbooks/${encodeURIComponent(item.kind)}?${query}`;
}

/** A slot's name may be found in several clusters, so its address says which. */
export const ofInstance = (id: string, cluster?: string) =>
  link(`/i/${encodeURIComponent(id)}`, { cluster: cluster ?? null });

export function go(address: string, replace = false): void {
  history[replace ? "replaceState" : "pushState"](null, "", address);
  const before = new URL(here.value, location.origin).pathname;
  here.value = location.pathname + location.search;
  if (location.pathname !== before) {
    scrollTo(0, 0);
    queueMicrotask(() => document.querySelector<HTMLElement>("main")?.focus({ preventScroll: true }));
  }
}

/** The same page with other parameters; null takes one away. */
export function set(changes: Record<string, string | null>, replace = true): void {
  const query = new URLSearchParams(params.value);
  for (const [name, value] of Object.entries(changes)) value ? query.set(name, value) : query.delete(name);
  go(location.pathname + written(query), replace);
}

addEventListener("popstate", () => (here.value = location.pathname + location.search));
document.addEventListener("click", (event) => {
  const anchor = (event.target as Element).closest?.("a");
  if (!anchor || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  if (anchor.origin !== location.origin || anchor.target || anchor.pathname.startsWith("/api/")) return;
  if (/\.json$|^\/(metrics|readyz|runbooks(\/.*)?)$/.test(anchor.pathname) || (anchor.hash && anchor.pathname === location.pathname))
    return;
  event.preventDefault();
  go(anchor.pathname + anchor.search);
});
