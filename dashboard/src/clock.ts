// Times in words. Knows: the server's clock. The moment looked at, not the present, is what ages are counted to.
import { computed, signal } from "@preact/signals";
import { skew } from "./api";
import { beat } from "./live";
import { at, since, until } from "./url";

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

const LENGTH = /^(\d+(?:\.\d+)?)([smhdw])$/;
const UNITS = { s: 1, m: 60, min: 60, h: 3600, d: 86400, w: 604800 } as const;

/** When the range that is looked at ends, in ms. */
export function ends(): number {
  const told = Date.parse(until.value ?? "");
  return Number.isNaN(told) ? moment() : Math.min(told, moment());
}

/** A length of time begins where it did until ten seconds are over: not everything is drawn again every second. */
const first = computed<number | null>(() => {
  const length = LENGTH.exec(since.value ?? "");
  if (length) return 10_000 * Math.floor((ends() - Number(length[1]) * UNITS[length[2] as keyof typeof UNITS] * 1000) / 10_000);
  const told = Date.parse(since.value ?? "");
  return Number.isNaN(told) ? null : told;
});

/** When it begins; null where it is all that is kept. */
export const begins = (): number | null => first.value;
/** The newest is of it, also where our clock is behind. */
const last = (): number => (until.value ? ends() : Infinity);

export const ranged = (): boolean => begins() !== null || until.value !== null;

/** Whether something that went on from then to then did so at any time of the range; what has no end goes on. */
export const overlaps = (from: string, to: string | null): boolean => Date.parse(from) <= last() && (to === null || Date.parse(to) >= (begins() ?? -Infinity));

/** Whether it happened in the range. */
export const within = (time: string): boolean => overlaps(time, time);

/** The range's beginning as a question of a figure has it, which ends at the moment that is looked at. */
export function asked(): string | null {
  const from = begins();
  return until.value && from !== null ? new Date(from).toISOString() : from === null ? null : since.value;
}

/** What a person typed as the beginning of a range: a length of time, or a moment; undefined where it is neither. */
export function beginning(text: string): string | null | undefined {
  const typed = text.trim();
  if (!typed) return null;
  const length = /^-?\s*(\d+(?:\.\d+)?)\s*(s|m|min|h|d|w)$/.exec(typed);
  if (length) return `${length[1]}${length[2] === "min" ? "m" : length[2]}`;
  const told = absolute(typed) ?? "";
  return Number.isNaN(Date.parse(told)) ? undefined : told;
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

/** `2026-10-05 09:43:00Z`: every moment that is shown is UTC, and says so; times of the worker are as it writes them. */
export const stamp = (time: string | null | undefined): string => (time ? `${time.slice(0, 19).replace("T", " ").replace("Z", "")}Z` : "-");
/** The same where there is little room: `10-05 09:43Z`. */
export const brief = (time: string): string => `${stamp(time).slice(5, 16)}Z`;

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
