"""The answer found the naive way: take everything, sort it, fold it once.

Knows: steps and `judge`; its own simple account of where events belong.
Must not know: bounds, checkpoints, refolding, how `models.workspace` keeps and moves events.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import reduce

import msgspec

from models.judge import judge
from models.machines.signals import signal_of
from models.observation import Observation
from models.placement import RowKey
from models.public import Picture
from models.reading import merge, read
from models.rows import Key, Level, Observed, Row, State
from models.sayings import Told, Word, gone, listed, unlisted
from models.steps import cluster, instance, instance_group
from models.steps.common import SCOPES
from models.unwrap import Value, unwrap

Events = list[Observation]

SNAPSHOTS = ("ClusterStateChange", "ClusterSnapshot")
FIRST_STEPS = (
    *("InstanceOperationStarted", "ReplacementStarted", "CapacityReservationFound", "CapacityReservationNotFound"),
    *("PayloadSetupFailed", "EniCreated", "EniCreationFailed", "InstanceProvisionFailed"),
)
LAST_SIGNALS = ("delete started", "delete completed", "delete failed", "ENI deleted")


def observe(values: Iterable[bytes]) -> Events:
    """The events among raw values."""
    leaves = (value for data in values for value in unwrap(data))
    found = [read(value, latest=lambda _: None) for value in leaves if isinstance(value, Value)]
    return [obs for obs in found if isinstance(obs, Observation)]


def once(events: Iterable[Observation]) -> Events:
    """Every event once, all its copies in it, in judged order."""
    copies: dict[str, Events] = defaultdict(list)
    for obs in events:
        copies[obs.event_id].append(obs)
    return sorted((reduce(merge, same) for same in copies.values()), key=lambda obs: obs.key)


def picture(arn: str, events: Iterable[Observation], now: int) -> Picture:
    """One cluster after all of its events, at `now` (epoch ms)."""
    return judge(arn, rows(arn, once(obs for obs in events if obs.cluster_arn == arn)), now).picture


def rows(arn: str, events: Events) -> dict[RowKey, Row]:
    """The cluster's rows; `events` are merged and sorted."""
    told: dict[tuple[Level, str], Events] = defaultdict(list)
    tenants = _tenants(events)
    for obs in events:
        told[_whose(obs, tenants, events)].append(obs)
        for name, view in _views(obs):
            told["group", name].append(view)
    answer = {_key(arn, level, name): _row(level, heard) for (level, name), heard in told.items()}
    for obs in events:
        _see(arn, obs, answer)
    _list(arn, [obs for obs in events if obs.code == "NodeList"], answer)
    return answer


def _whose(obs: Observation, tenants: dict[str, list[Observation]], events: Events) -> tuple[Level, str]:
    """The entity that an event is about."""
    scope = SCOPES.get(obs.code)
    if obs.code in (*SNAPSHOTS, "NodeList") or scope == "Cluster":
        return "cluster", ""
    if scope != "InstanceGroup" and obs.instance_id:
        return "instance", obs.instance_id
    if scope != "InstanceGroup" and obs.node_logical_id:
        owner = _owner(obs, tenants.get(obs.node_logical_id, []), events)
        return ("instance", owner) if owner else ("slot", obs.node_logical_id)
    return ("group", obs.instance_group) if obs.instance_group else ("cluster", "")


def _tenants(events: Events) -> dict[str, list[Observation]]:
    """For each slot the first event of every instance that was ever named together with it."""
    own = [obs for obs in events if obs.instance_id and _whose(obs, {}, [])[0] == "instance"]
    firsts = {obs.instance_id: obs for obs in reversed(own)}
    pairs = {(obs.node_logical_id, obs.instance_id) for obs in own if obs.node_logical_id}
    answer: dict[str, list[Observation]] = defaultdict(list)
    for slot, name in sorted(pairs):
        answer[slot].append(firsts[name])
    return answer


def _owner(obs: Observation, firsts: list[Observation], events: Events) -> str | None:
    """Whom a slot's event is about: the next instance once a step towards it was taken, else the present one."""
    came = sorted((first for first in firsts if signal_of(first) not in LAST_SIGNALS), key=lambda first: first.key)
    oldest = min(firsts, key=lambda first: first.key, default=None)
    before = [first for first in came if first.key < obs.key]
    after = [first.instance_id for first in came if first.key > obs.key]
    from_the_start = oldest.instance_id if oldest and signal_of(oldest) in LAST_SIGNALS else None
    present = before[-1].instance_id if before else from_the_start
    asked = any(
        other.node_logical_id == obs.node_logical_id
        and not other.instance_id
        and _is_first_step(other)
        and other.key <= obs.key
        and (not before or other.key > before[-1].key)
        for other in events
    )
    if present is None or asked:
        return after[0] if after else None
    return present


def _is_first_step(obs: Observation) -> bool:
    return obs.code in FIRST_STEPS and obs.operation != "delete"


def _views(obs: Observation) -> list[tuple[str, Observation]]:
    """What a snapshot says of each group; a name that is listed twice counts as listed first."""
    entries = obs.details.get("groups", []) if obs.code in SNAPSHOTS else []
    firsts = {entry["name"]: entry for entry in reversed(entries) if entry.get("name")}
    return [(name, msgspec.structs.replace(obs, instance_group=name, details=firsts[name])) for name in firsts]


_LEVELS: dict[Level, tuple[Callable[[], State], Callable[[State, Observation], None]]] = {
    "cluster": (cluster.begin, cluster.step),
    "group": (instance_group.begin, instance_group.step),
    "instance": (instance.begin, instance.step),
    "slot": (lambda: instance.begin("slot"), instance.step),
}


def _row(level: Level, events: Events) -> Row:
    begin, step = _LEVELS[level]
    state = begin()
    for obs in events:
        step(state, obs)
    row = Row(checkpoint=begin(), state=state)
    if level in ("instance", "slot"):
        _note_firsts(row, events)
    return row


def _note_firsts(row: Row, events: Events) -> None:
    """What `judge` asks of a row beside its state: when the instance was first asked for, and first named."""
    own = next((obs for obs in events if obs.instance_id), None)
    asked = next((obs for obs in events if obs is own or _is_first_step(obs)), None)
    if own:
        row.own_first, row.own_leaving = Key(*own.key), signal_of(own) in LAST_SIGNALS
    if asked and asked is not own:
        row.attempt = Key(*asked.key)


def _key(arn: str, level: Level, name: str) -> RowKey:
    if level == "cluster":
        return RowKey("clusters", arn)
    if level == "group":
        return RowKey("instance_groups", f"{arn}|{name}")
    return RowKey("instances", f"{arn}|{name}" if level == "instance" else f"{arn}|slot:{name}")


def _see(arn: str, obs: Observation, answer: dict[RowKey, Row]) -> None:
    """What a node list says of each instance; the newest word stays."""
    for node in obs.details.get("nodes", []) if obs.code == "NodeList" else []:
        if node.get("instance_id"):
            names = ("status", "message", "instance_group", "node_logical_id")
            said = Observed(obs.time, *(node.get(name) for name in names))
            row = answer.setdefault(_key(arn, "instance", node["instance_id"]), _row("instance", []))
            words = [word for word in (row.observed, said) if word is not None]
            row.observed = max(words, key=lambda word: (word.time, *(str(getattr(word, name)) for name in names)))


def _list(arn: str, lists: Events, answer: dict[RowKey, Row]) -> None:
    """What all node lists said of each instance, one list after the other."""
    names = {node["instance_id"] for obs in lists for node in obs.details.get("nodes", []) if node.get("instance_id")}
    bases = _bases(lists)
    for name in names:
        words: list[Word] = []
        for obs in lists:
            statuses = {node.get("instance_id"): node.get("status") or "" for node in obs.details.get("nodes", [])}
            told = Told(obs.time, obs.event_id)
            since = bases[obs.event_id]
            if name in statuses:
                words = listed(words, statuses[name], told, since)
            elif name in obs.details.get("gone", []):
                words = gone(words, told, since)
            elif obs.details.get("complete"):
                words = unlisted(words, told)
        answer[_key(arn, "instance", name)].words = words


def _bases(lists: Events) -> dict[str, int | None]:
    """Which list each one goes on from: of several the newest that is whole, or goes on from one that is."""
    found: dict[str, int | None] = {}
    whole: set[int] = set()
    for obs in lists:
        bases = [base for base in (obs.details.get("since"), *obs.details.get("or_since", [])) if base is not None]
        good = [base for base in bases if base in whole]
        before = [base for base in good if base < obs.time]
        found[obs.event_id] = max(before) if before else min(bases, default=None)
        if good or obs.details.get("complete"):
            whole.add(obs.time)
    return found
