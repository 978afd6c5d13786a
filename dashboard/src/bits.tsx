// The small parts that every page is made of.
import { createContext, type ComponentChildren } from "preact";
import { useContext } from "preact/hooks";
import { lost } from "./api";
import { ago, stamp } from "./clock";
import type { Result } from "./query";
import type { Anomaly } from "./schema";
import { link, ofInstance, ofRunbook, set } from "./url";
import { glyph, lacking, plural, rank, spoken, tone } from "./words";

type Fresh = Parameters<typeof lacking>[0];

export function Word({ of, plain }: { of: string; plain?: boolean }) {
  return (
    <span class={plain ? "word" : `word pill ${tone(of)}`}>
      <span class="glyph" aria-hidden="true">
        {glyph(of)}
      </span>{" "}
      {of}
    </span>
  );
}

export function Ago({ time }: { time: string | null | undefined }) {
  return time ? (
    <time dateTime={time} title={stamp(time)}>
      {ago(time)}
    </time>
  ) : (
    <>-</>
  );
}

export function Loading({ what }: { what: string }) {
  return (
    <p class="note" role="status">
      <span class="spinner" aria-hidden="true" /> Loading {what} …
    </p>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children && <div>{children}</div>}
    </div>
  );
}

/** What could not be had, in the worker's words, and the way out. */
export function Problem({ of, keep }: { of: NonNullable<Result<unknown>["problem"]>; keep?: boolean }) {
  return (
    <div class="problem" role="alert">
      <p>
        <strong>
          <span aria-hidden="true">✖</span> {of.message}
        </strong>
      </p>
      <p>
        {of.status === 404 ? (
          <>
            It may be misspelt, or not known at this moment. <a href={link("/")}>The fleet</a> shows who is.
          </>
        ) : (
          of.hint
        )}
        {keep && " What is shown below is from before."}
      </p>
      {of.status === 410 && (
        <p class="actions">
          {of.oldest_at && (
            <button type="button" onClick={() => set({ at: of.oldest_at! })}>
              Go to the oldest moment, {stamp(of.oldest_at)}
            </button>
          )}
          <button type="button" onClick={() => set({ at: null })}>
            Back to live
          </button>
        </p>
      )}
    </div>
  );
}

interface Told<T> {
  result: Result<T>;
  what: string;
  children: (data: T, whole: boolean) => ComponentChildren;
}
const Said = createContext(false);

/** Loading, failed, or there; a failure keeps the last answer. What is only a part says so, and is not `whole`. */
export function Shown<T extends object>({ result, what, children }: Told<T>) {
  const { data, problem } = result;
  const said = useContext(Said);
  const part = data !== null && "partial" in data && data.partial ? (data as unknown as Fresh) : null;
  return (
    <Said.Provider value={said || part !== null}>
      {problem && <Problem of={problem} keep={data !== null} />}
      {part && !said && (
        <p class="note">
          <span aria-hidden="true">▲</span> Only what is known: {lacking(part)}.
        </p>
      )}
      {data === null ? !problem && <Loading what={what} /> : children(data, !problem && !part && lost.value === null)}
    </Said.Provider>
  );
}

export const nameOf = (item: { instance_id: string | null; node_logical_id: string | null }): string =>
  item.instance_id ?? item.node_logical_id ?? "?";

export function Instance({ id, cluster }: { id: string; cluster?: string }) {
  return (
    <a class="id" href={ofInstance(id, cluster)}>
      {id}
    </a>
  );
}

/** What an anomaly is of, shortest first. */
export const whose = (item: Anomaly): string =>
  item.instance_id ?? item.node_logical_id ?? item.instance_group ?? item.cluster_name ?? item.cluster_arn;

/** What to act on first: the worst, of these the oldest. */
export const worstFirst = (a: Anomaly, b: Anomaly): number =>
  rank(a.severity) - rank(b.severity) || a.opened_at.localeCompare(b.opened_at) || a.anomaly_id.localeCompare(b.anomaly_id);

export const ofAnomaly = (item: Anomaly): string => link("/anomalies", { id: item.anomaly_id, status: item.status === "open" ? null : "all" });

export function AnomalyLink({ item }: { item: Anomaly }) {
  return <a href={ofAnomaly(item)}>{item.title}</a>;
}

/** What to do about it: one click from wherever an anomaly is shown. */
export function Runbook({ item }: { item: Anomaly }) {
  return (
    <a class="runbook" href={ofRunbook(item)} title={`What to check and to do: ${spoken(item.kind)}`} aria-label={`Runbook: ${spoken(item.kind)}`}>
      runbook
    </a>
  );
}

/** Those that no other of them explains, and how many each stands for: an incident is one line, as it is one page. */
export function folded(items: Anomaly[]): { top: Anomaly[]; members: Map<string, number> } {
  const byId = new Map(items.map((each) => [each.anomaly_id, each]));
  const members = new Map<string, number>();
  const top = items.filter((each) => {
    let above = each.parent_id ? byId.get(each.parent_id) : undefined;
    if (!above) return true;
    for (let steps = 0; above && steps < items.length; steps++) {
      members.set(above.anomaly_id, (members.get(above.anomaly_id) ?? 0) + 1);
      above = above.parent_id ? byId.get(above.parent_id) : undefined;
    }
    return false;
  });
  return { top, members };
}

export function AnomalyRows({ items, members }: { items: Anomaly[]; members?: Map<string, number> }) {
  return (
    <ul class="rows">
      {items.map((item) => (
        <li key={item.anomaly_id} class="with-runbook">
          <a data-row class="row" href={ofAnomaly(item)}>
            <Word of={item.severity} />
            <span class="grow">
              {item.title}
              {members?.get(item.anomaly_id) && <span class="chip">{plural(members.get(item.anomaly_id)!, "member")}</span>}
            </span>
            <span class="muted">{whose(item)}</span>
            <span class="muted nowrap">
              <Ago time={item.opened_at} />
            </span>
          </a>
          <Runbook item={item} />
        </li>
      ))}
    </ul>
  );
}

const WORST = 10;

/** What to act on first of these, with a way to all of them. */
export function WorstAnomalies({ items, all }: { items: Anomaly[]; all: Record<string, string> }) {
  const { top, members } = folded(items);
  return (
    <>
      <AnomalyRows items={top.sort(worstFirst).slice(0, WORST)} members={members} />
      {top.length > WORST && <a href={link("/anomalies", all)}>All of them</a>}
    </>
  );
}

export function Machines({ of }: { of: Record<string, string> }) {
  return (
    <dl class="machines">
      {Object.entries(of).map(([name, state]) => (
        <div key={name}>
          <dt>{spoken(name)}</dt>
          <dd>
            <Word of={state} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** A wide thing that scrolls by itself, by keyboard too. */
export function Wide({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <div class="wide" role="region" aria-label={label} tabIndex={0}>
      {children}
    </div>
  );
}
