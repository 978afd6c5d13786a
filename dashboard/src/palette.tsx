// Anything by its name, from every page. Knows: /api/v1/search, the pages. What is found is of the present; links keep the moment.
import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { ask, Refused } from "./api";
import { Word } from "./bits";
import type { Found } from "./schema";
import { ALONE, go, link, ofCluster, ofGroup, ofInstance } from "./url";
import { spoken } from "./words";

interface Choice {
  key: string;
  what: string;
  name: string;
  word?: string;
  where: string;
  href: string;
}

const TYPING_MS = 120;
const PAGES: Choice[] = ["fleet", ...ALONE].map((name) => ({ key: name, what: "page", name: name[0]!.toUpperCase() + name.slice(1), where: "", href: name === "fleet" ? "/" : `/${name}` }));

function choice(of: Found, _: number, all: Found[]): Choice {
  const alike = all.some((each) => each.cluster_name === of.cluster_name && each.cluster_arn !== of.cluster_arn);
  const cluster = alike ? of.cluster_arn : (of.cluster_name ?? of.cluster_arn);
  const where = [of.type === "cluster" ? null : cluster, of.type === "instance_group" ? null : of.instance_group, of.type === "anomaly" ? (of.instance_id ?? of.node_logical_id) : null];
  const href = {
    cluster: () => ofCluster(cluster),
    instance_group: () => ofGroup(cluster, of.instance_group!),
    instance: () => ofInstance(of.name, of.instance_id ? undefined : of.cluster_arn),
    anomaly: () => link("/anomalies", { id: of.anomaly_id, status: "all" }),
  }[of.type]();
  return { key: `${of.type} ${of.cluster_arn} ${of.instance_group} ${of.name} ${of.anomaly_id}`, what: of.type === "instance_group" ? "group" : spoken(of.type), name: of.name, word: of.word, where: where.filter(Boolean).join(" / "), href };
}

function pages(typed: string): Choice[] {
  const wanted = typed.trim().toLowerCase();
  return PAGES.filter((each) => each.name.toLowerCase().startsWith(wanted)).map((each) => ({ ...each, href: link(each.href) }));
}

export function Palette({ open, close }: { open: boolean; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  return (
    <dialog ref={dialog} class="palette" onClose={close} aria-label="Search">
      {open && <Search close={close} />}
    </dialog>
  );
}

function Search({ close }: { close: () => void }) {
  const typed = useSignal("");
  const found = useSignal<Choice[]>([]);
  const said = useSignal("");
  const at = useSignal(0);
  useEffect(() => {
    const words = typed.value.trim();
    if (!words) return void ((found.value = []), (said.value = ""));
    const stop = new AbortController();
    const soon = setTimeout(async () => {
      try {
        const told = await ask("/api/v1/search", { q: words, stale: "ok" }, stop.signal);
        found.value = told.items.map(choice);
        said.value = told.partial ? "Only what is known was looked at." : "";
      } catch (error) {
        if (!stop.signal.aborted) said.value = error instanceof Refused ? error.message : "The worker does not answer.";
      }
    }, TYPING_MS);
    return () => (clearTimeout(soon), stop.abort());
  }, [typed.value]);
  const choices = [...pages(typed.value), ...found.value];
  const chosen = Math.min(at.value, choices.length - 1);
  const enter = (of: Choice | undefined) => {
    if (!of) return;
    close();
    go(of.href);
  };
  const pressed = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) at.value = Math.max(0, Math.min(choices.length - 1, chosen + step));
    else if (event.key === "Enter") enter(choices[chosen]);
    else return;
    event.preventDefault();
  };
  useEffect(() => document.getElementById(`choice-${chosen}`)?.scrollIntoView({ block: "nearest" }), [chosen]);
  return (
    <>
      <input
        type="text"
        role="combobox"
        aria-label="Search: instances, groups, clusters, anomalies, pages"
        aria-expanded={choices.length > 0}
        aria-controls="choices"
        aria-activedescendant={choices.length ? `choice-${chosen}` : undefined}
        aria-autocomplete="list"
        autocomplete="off"
        spellcheck={false}
        maxLength={200}
        placeholder="instance, group, cluster, anomaly, page"
        ref={(input) => input?.focus()}
        value={typed.value}
        onInput={(event) => ((typed.value = event.currentTarget.value), (at.value = 0))}
        onKeyDown={pressed}
      />
      {choices.length > 0 && (
        <ul id="choices" role="listbox" aria-label="What was found">
          {choices.map((each, i) => (
            <li key={each.key} id={`choice-${i}`} role="option" aria-selected={i === chosen} onClick={() => enter(each)} onPointerMove={() => (at.value = i)}>
              <span class="what">{each.what}</span> <span class="grow">{each.name}</span> {each.word && <Word of={each.word} />} <span class="small">{each.where}</span>
            </li>
          ))}
        </ul>
      )}
      <p class="muted small" role="status">
        {said.value || (choices.length ? "↑ ↓ choose, Enter opens, Esc closes" : "Nothing is called so.")}
      </p>
    </>
  );
}
