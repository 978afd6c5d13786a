// Times in words. Knows: the server's clock. The moment looked at, not the present, is what ages are counted to.
import { signal } from "@preact/signals";
import { skew } from "./api";
import { beat } from "./live";
import { at, since } from "./url";

const tick = signal(Date.now());
setInterval(() => document.hidden || (tick.value = Date.now()), 1000);

/** The server's present, in ms. */
export const now = (): number => tick.value + skew.value;

/** What ages are counted to: the moment in the address, else the present. */
export function moment(): number {
  if (!at.value) return now();
  const told = Date.parse(at.value);
  return Number.isNaN(told) ? now() : told;
}

const UNITS = { s: 1, m: 60, min: 60, h: 3600, d: 86400, w: 604800 } as const;

/** When the range that is looked at begins, in ms; null where it is all that is kept. */
export function begins(): number | null {
  const found = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(since.value ?? "");
  if (found) return moment() - Number(found[1]) * UNITS[found[2] as keyof typeof UNITS] * 1000;
  const told = Date.parse(since.value ?? "");
  return Number.isNaN(told) ? null : told;
}

export function span(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  const min = Math.floor(s / 60);
  if (min < 60) return `${min} min`;
  const h = Math.floor(min / 60);
  if (h < 48) return min % 60 && h < 10 ? `${h} h ${min % 60} min` : `${h} h`;
  return `${Math.floor(h / 24)} d`;
}

/** A length of time in seconds, where there is one. */
export const length = (seconds: number | null | undefined): string => (seconds == null ? "-" : span(seconds * 1000));

export const ago = (time: string | null | undefined): string => (time ? span(moment() - Date.parse(time)) : "-");

/** `2026-10-05 09:43:00`, in UTC as everywhere else. */
export const stamp = (time: string | null | undefined): string => (time ? time.slice(0, 19).replace("T", " ") : "-");
export const clock = (ms: number): string => new Date(ms).toISOString().slice(11, 16);

/** What a person typed as a moment, as an absolute time where it was relative, so that the link means the same later. */
export function absolute(text: string): string | null {
  const typed = text.trim();
  if (!typed || typed === "now" || typed === "live") return null;
  const found = /^-\s*(\d+(?:\.\d+)?)\s*(s|m|min|h|d|w)$/.exec(typed);
  if (!found) return typed.replace(/^(\d{4}-\d\d-\d\d) (\d)/, "$1T$2").replace(/^(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)$/, "$1Z");
  const unit = UNITS[found[2] as keyof typeof UNITS];
  const newest = Date.parse(beat.value?.as_of ?? "") || now();
  return capped(newest - Number(found[1]) * unit * 1000, newest);
}

/** A moment of an answer as it stands in an address. */
export const exact = (time: string): string => time.replace(/\.0+Z$/, "Z");

/** That many seconds from the moment that is looked at. */
export function shifted(seconds: number): string | null {
  const newest = Date.parse(beat.value?.as_of ?? "") || now();
  const from = at.value ? Date.parse(at.value) : newest;
  return capped((Number.isNaN(from) ? newest : from) + seconds * 1000, newest);
}

function capped(to: number, newest: number): string | null {
  return to >= newest ? null : new Date(to).toISOString().replace(/\.\d+Z$/, "Z");
}
