// One stream for all tabs of a browser: one tab leads and tells the others. Knows: the stream, polling in its place.
import { effect, signal } from "@preact/signals";
import { ask, fetched, heard, locked, lost, Refused, token, type Answer } from "./api";
import type { FleetSummary, Problem } from "./schema";

type Beat = Answer<"/api/v1/summary">;

/** The newest of the present, whatever moment is looked at. */
export const beat = signal<Beat | null>(null);
/** Grows whenever pages should ask again. */
export const changed = signal(0);
/** Why there is no summary, if there is none. */
export const trouble = signal<Problem | null>(null);
/** How this tab learns what is new: for the help and for tests. */
export const way = signal<"stream" | "other tab" | "polling" | "none">("none");

const NAME = "hyperpod-state-stream";
const POLL_MS = 5000;
const QUIET_MS = 25_000;
const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel(NAME) : null;
let digest: string | null = null;

type Told = { beat: Beat } | { trouble: Problem } | { alive: true } | { hello: true };

function take(told: Told): void {
  heard.value = Date.now();
  lost.value = null;
  if ("trouble" in told) trouble.value = told.trouble;
  if (!("beat" in told)) return;
  trouble.value = null;
  beat.value = told.beat;
  // Also with the first: pages that asked before it may have got what was before a change.
  if (told.beat.item.digest !== digest) changed.value++;
  digest = told.beat.item.digest;
}

function tell(told: Told): void {
  take(told);
  channel?.postMessage(told);
}

const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

/** Waits until a token is given, where one is wanted. */
function unlocked(): Promise<void> {
  return new Promise((done) => {
    const stop = effect(() => {
      if (locked.value === null) {
        queueMicrotask(() => stop());
        done();
      }
    });
  });
}

export function start(): void {
  if (channel) {
    channel.onmessage = (message: MessageEvent<Told>) => {
      if ("hello" in message.data) {
        if (way.value === "stream" && beat.value) channel.postMessage({ beat: beat.value });
      } else if (locked.value === null) {
        if (way.value !== "stream") way.value = "other tab";
        take(message.data);
      }
    };
    channel.postMessage({ hello: true });
  }
  void poll();
  void (navigator.locks ? lead() : undefined);
}

/** Leads as soon as no other tab does; gives the lead away while this tab has no token. */
async function lead(): Promise<void> {
  for (;;) {
    await unlocked();
    await navigator.locks.request(NAME, async () => {
      for (let tries = 0; locked.value === null; tries++) {
        const began = Date.now();
        try {
          await stream();
          tries = 0;
        } catch (error) {
          if (way.value === "stream") way.value = "polling";
          if (!(error instanceof Refused)) lost.value = "the worker does not answer";
        }
        if (Date.now() - began > 10_000) tries = 0;
        await pause(Math.min(15_000, 500 * 2 ** tries));
      }
    });
  }
}

async function stream(): Promise<void> {
  const known: Record<string, string> = digest ? { "Last-Event-ID": digest } : {};
  const stop = new AbortController();
  const response = await fetched("/api/v1/stream", { headers: known, signal: stop.signal });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  way.value = "stream";
  let rest = "";
  for (;;) {
    // The server sends something every 10 s: a connection that is silent for longer is none.
    const late = setTimeout(() => stop.abort(), QUIET_MS);
    const { done, value } = await reader.read().finally(() => clearTimeout(late));
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop()!;
    for (const part of parts) understood(part);
  }
}

function understood(part: string): void {
  const fields = new Map(part.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]));
  const data = fields.get("data");
  if (!data) return tell({ alive: true });
  const body = JSON.parse(data) as Beat | { error: Problem };
  tell("error" in body ? { trouble: body.error } : { beat: body });
}

/** The first summary, and every one while nobody streams. */
async function poll(): Promise<void> {
  for (let first = true; ; first = false) {
    const silent = Date.now() - heard.value > QUIET_MS;
    const needed = first || silent || way.value === "polling" || way.value === "none";
    if (needed && locked.value === null && !(document.hidden && !first)) await once();
    await pause(POLL_MS);
  }
}

async function once(): Promise<void> {
  try {
    const told = await ask("/api/v1/summary", { stale: "ok" });
    if (way.value === "none" || way.value === "other tab") way.value = "polling";
    take({ beat: told });
  } catch (error) {
    if (error instanceof Refused && error.status !== 401) trouble.value = error.problem;
  }
}

export const summary = (): FleetSummary | null => (token() === null && locked.value ? null : (beat.value?.item ?? null));
