// The address is the state: which page, which filters, which moment. Knows: location, history. Nothing of the fleet.
import { computed, signal } from "@preact/signals";

export type Route =
  | { page: "fleet" }
  | { page: "cluster"; cluster: string }
  | { page: "group"; cluster: string; group: string }
  | { page: "instance"; id: string }
  | { page: "anomalies" }
  | { page: "pipeline" }
  | { page: "unknown" };

const here = signal(location.pathname + location.search);

export const route = computed<Route>(() => parse(new URL(here.value, location.origin).pathname));
export const params = computed(() => new URL(here.value, location.origin).searchParams);
/** The moment that everything is asked of; null is now. */
export const at = computed(() => params.value.get("at"));

function parse(path: string): Route {
  const parts = path.split("/").slice(1).map(decoded);
  const [first, second, third, fourth] = parts;
  if (path === "/") return { page: "fleet" };
  if (first === "c" && second && parts.length === 2) return { page: "cluster", cluster: second };
  if (first === "c" && second && third === "g" && fourth && parts.length === 4)
    return { page: "group", cluster: second, group: fourth };
  if (first === "i" && second && parts.length === 2) return { page: "instance", id: second };
  if (parts.length === 1 && (first === "anomalies" || first === "pipeline")) return { page: first };
  return { page: "unknown" };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** An address of this dashboard at the moment that is being looked at. */
export function link(path: string, more: Record<string, string | null> = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ at: at.value, ...more })) if (value) query.set(name, value);
  const text = query.toString().replaceAll("%3A", ":");
  return text ? `${path}?${text}` : path;
}

export const ofCluster = (name: string) => link(`/c/${encodeURIComponent(name)}`);
export const ofGroup = (cluster: string, group: string) =>
  link(`/c/${encodeURIComponent(cluster)}/g/${encodeURIComponent(group)}`);
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
  const text = query.toString().replaceAll("%3A", ":");
  go(location.pathname + (text ? `?${text}` : ""), replace);
}

addEventListener("popstate", () => (here.value = location.pathname + location.search));
document.addEventListener("click", (event) => {
  const anchor = (event.target as Element).closest?.("a");
  if (!anchor || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  if (anchor.origin !== location.origin || anchor.target || anchor.pathname.startsWith("/api/")) return;
  if (/\.json$|^\/(metrics|readyz)$/.test(anchor.pathname) || (anchor.hash && anchor.pathname === location.pathname))
    return;
  event.preventDefault();
  go(anchor.pathname + anchor.search);
});
