// The one way to ask the worker. Knows: the token, error answers, the server's clock. Types come from /openapi.json.
import { signal } from "@preact/signals";
import type { paths, Problem } from "./schema";

const TOKEN = "hyperpod-state-token";

/** Whether the worker wants a token that we do not have, or not the right one. */
export const locked = signal<null | "missing" | "wrong">(null);
/** What the server's clock is ahead of ours, in ms. */
export const skew = signal(0);
/** When anything was last heard of the worker, by our clock. */
export const heard = signal(Date.now());
/** Why nothing is heard, if nothing is. */
export const lost = signal<string | null>(null);

export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem & { oldest_at?: string | null },
  ) {
    super(problem.message);
  }
}

type Ok<T> = T extends { get: { responses: { 200: { content: { "application/json": infer B } } } } } ? B : never;
export type Path = { [P in keyof paths]: Ok<paths[P]> extends never ? never : P }[keyof paths];
export type Answer<P extends Path> = Ok<paths[P]>;
export type Query = Record<string, string | string[] | number | boolean | null | undefined>;

function address(path: string, query: Query): string {
  const names = { ...query };
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(names[name]);
    delete names[name];
    return encodeURIComponent(value);
  });
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(names)) {
    if (value == null || value === "") continue;
    for (const each of Array.isArray(value) ? value : [value]) search.append(name, String(each));
  }
  return search.size ? `${filled}?${search}` : filled;
}

export function token(): string | null {
  return sessionStorage.getItem(TOKEN);
}

export function unlock(value: string): void {
  // Nothing else can be a token, and a browser sends no header with it.
  if (!/^[\x21-\x7e]+$/.test(value)) return void (locked.value = "wrong");
  sessionStorage.setItem(TOKEN, value);
  inside = false;
  locked.value = null;
}

/** Whether the worker has let this token in. */
let inside = false;
/** Until it has, one question goes ahead of all others: a wrong token counts against everybody at this address. */
let ahead: Promise<void> | null = null;
const LOCKED = { code: "unauthorized", message: "a token is needed here", hint: "give it above" };

function headers(more: Record<string, string> = {}): Record<string, string> {
  const value = token();
  return value ? { ...more, Authorization: `Bearer ${value}` } : more;
}

/** The parameters in braces are taken out of `query`, all others become filters. */
export async function ask<P extends Path>(path: P, query: Query = {}, signal?: AbortSignal): Promise<Answer<P>> {
  const response = await fetched(address(path, query), { signal });
  return (await response.json()) as Answer<P>;
}

export async function fetched(url: string, init: RequestInit = {}): Promise<Response> {
  while (token() && !inside && ahead) await ahead;
  if (locked.value) throw new Refused(401, LOCKED);
  const asking = answered(url, init);
  const done = () => void (ahead = null);
  if (token() && !inside) ahead = asking.then(done, done);
  return asking;
}

async function answered(url: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { ...init, headers: headers(init.headers as Record<string, string>), cache: "no-store" });
  } catch (error) {
    if ((error as Error).name !== "AbortError") lost.value = "the worker does not answer";
    throw error;
  }
  hear(response);
  inside = response.status !== 401 && (inside || response.status !== 429);
  if (response.ok) return response;
  if (response.status === 401) locked.value = token() ? "wrong" : "missing";
  throw new Refused(response.status, await problem(response));
}

function hear(response: Response): void {
  heard.value = Date.now();
  lost.value = null;
  const date = Date.parse(response.headers.get("date") ?? "");
  // The header has whole seconds: differences below two are noise.
  if (!Number.isNaN(date)) skew.value = Math.abs(date - Date.now()) < 2000 ? 0 : date - Date.now();
}

async function problem(response: Response): Promise<Problem> {
  try {
    return ((await response.json()) as { error: Problem }).error;
  } catch {
    return { code: "unreadable", message: `the answer ${response.status} is not of this worker`, hint: "is there a proxy in between?" };
  }
}
