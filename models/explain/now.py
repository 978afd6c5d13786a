"""The story of one entity: a sentence of what it is doing, since when, why, and what comes next by when.

Knows: public items.  Must not know: where they come from, how they are printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from pydantic import Field

from models.catalogue import BY_CODE, EVENT_CODES
from models.explain import expect
from models.explain.chain import ChainItem
from models.explain.expect import Expectation
from models.explain.phases import machine_of
from models.explain.times import milliseconds, span
from models.public import Anomaly, AnomalyStatus, ClusterItem, GroupItem, HistoryItem, InstanceItem, PublicModel, Time
from models.states import GroupPhase

CHANGES = 10
"""How many of the last changes a story has."""
NAMED = 3
"""How many members a sentence names."""


class Because(PublicModel):
    """The event that led to the present phase."""

    code: str
    event: str | None = Field(description="AWS's own name of the event.")
    text: str | None = Field(description="AWS's template of its text.")
    event_id: str
    time: Time


class Changed(HistoryItem):
    """A change, and of which instance."""

    instance: str | None = Field(description="Null where the group or cluster itself changed.")
    event: str | None = Field(description="AWS's own name of the event.")


class Story(PublicModel):
    """Everything to say of one entity."""

    kind: str
    name: str
    cluster_arn: str
    sentence: str
    phase: str
    since: Time | None
    because: Because | None = Field(description="Null where members give the phase, or it is not kept.")
    expects: tuple[Expectation, ...]
    machines: dict[str, str]
    lineage: tuple[ChainItem, ...] = ()
    members: dict[str, int] = Field(default_factory=dict)
    anomalies: tuple[Anomaly, ...] = ()
    changes: tuple[Changed, ...] = Field(
        default=(), description="The last ones, newest last; its own and those of its instances."
    )


def story_of_instance(
    item: InstanceItem, anomalies: Sequence[Anomaly], chain: Sequence[ChainItem], now: Time | None
) -> Story:
    """`anomalies` may be any; those of this instance that are open are taken."""
    own = [each for each in anomalies if _is_of_instance(each, item)]
    because, awaited = _because(item), expect.of_instance(item)
    name = item.instance_id or item.node_logical_id or "?"
    what = f"{name}{_place(item)}"
    sentence = _sentence(what, item.phase, item.since, _reason(because), awaited, own, now)
    return _story("instance", name, item, sentence, awaited, own, [item], because=because, lineage=tuple(chain))


def story_of_group(
    item: GroupItem,
    anomalies: Sequence[Anomaly],
    instances: Sequence[InstanceItem],
    now: Time | None,
    history: Sequence[HistoryItem] = (),
) -> Story:
    """`instances` and `anomalies` may be any; those of this group are taken.  `history` is the group's own."""
    members = [each for each in instances if _same_group(each, item)]
    own = [each for each in anomalies if _same_group(each, item)]
    heard = _newest(item.since, item.last_event_time, *(each.last_event_time for each in members))
    awaited = expect.of_others("group", item.phase, item.machines, heard)
    because = _because_of_group(item, history)
    wanted = "" if item.target_count is None else f" of {item.target_count} wanted"
    what = f"{item.instance_group} ({item.members.get('InService', 0)}{wanted} in service)"
    others = [(each.instance_id or each.node_logical_id or "?", each.phase) for each in members]
    reason = _reason(because) + _not_in_service(others)
    sentence = _sentence(what, item.phase, item.since, reason, awaited, own, now)
    return _story(
        "group",
        item.instance_group,
        item,
        sentence,
        awaited,
        own,
        members,
        because=because,
        members=item.members,
        history=history,
    )


def story_of_cluster(
    item: ClusterItem,
    anomalies: Sequence[Anomaly],
    groups: Sequence[GroupItem],
    instances: Sequence[InstanceItem],
    now: Time | None,
    history: Sequence[HistoryItem] = (),
) -> Story:
    """`anomalies`, `groups` and `instances` may be any; those of this cluster are taken.  `history` is its own."""
    members = [each for each in instances if each.cluster_arn == item.cluster_arn]
    own = [each for each in anomalies if each.cluster_arn == item.cluster_arn]
    heard = _newest(item.since, item.last_event_time)
    awaited = expect.of_others("cluster", item.phase, item.machines, heard)
    name = item.cluster_name or item.cluster_arn
    others = [(each.instance_group, each.phase) for each in groups if each.cluster_arn == item.cluster_arn]
    phases = [each.phase for each in members if each.instance_id and each.phase != "Terminated"]
    counts = {phase: phases.count(phase) for phase in sorted(set(phases))}
    because = _because_of([change for change in history if change.time == item.since])
    reason = _reason(because) + _not_in_service(others)
    sentence = _sentence(name, item.phase, item.since, reason, awaited, own, now)
    return _story(
        "cluster", name, item, sentence, awaited, own, members, because=because, members=counts, history=history
    )


def _story(
    kind: str,
    name: str,
    item: InstanceItem | GroupItem | ClusterItem,
    sentence: str,
    awaited: tuple[Expectation, ...],
    anomalies: Sequence[Anomaly],
    instances: Sequence[InstanceItem],
    *,
    because: Because | None = None,
    lineage: tuple[ChainItem, ...] = (),
    members: dict[str, int] | None = None,
    history: Sequence[HistoryItem] = (),
) -> Story:
    return Story(
        kind=kind,
        name=name,
        cluster_arn=item.cluster_arn,
        sentence=sentence,
        phase=item.phase,
        since=item.since,
        because=because,
        expects=awaited,
        machines=item.machines,
        lineage=lineage,
        members=members or {},
        anomalies=_open(anomalies),
        changes=_changes(instances, history),
    )


def event_of(code: str) -> str | None:
    """AWS's own name of an event; what we call one that has none."""
    if code in BY_CODE:
        return BY_CODE[code].event
    return EVENT_CODES[code].meaning.rstrip(".") if code in EVENT_CODES else None


def _sentence(
    what: str,
    phase: str,
    since: Time | None,
    reason: str,
    awaited: Sequence[Expectation],
    anomalies: Sequence[Anomaly],
    now: Time | None,
) -> str:
    parts = [f"{what} is {phase}{_since(since, now)}{reason}"]
    parts.append(_next(awaited, now) if awaited else "nothing is awaited")
    opened = _open(anomalies)
    if opened:
        worst = max(opened, key=lambda each: (each.severity.rank, each.opened_at))
        more = f", and {len(opened) - 1} more" if len(opened) > 1 else ""
        parts.append(f"{worst.severity} {worst.kind} is open since {_short(worst.opened_at)}: {worst.title}{more}")
    return "; ".join(parts) + "."


def _reason(because: Because | None) -> str:
    if because is None:
        return ""
    return f" because of {because.code}" + (f" ({because.event})" if because.event else "")


def _not_in_service(parts: Sequence[tuple[str, str]]) -> str:
    """What of a group or cluster does not serve, by name."""
    found = [f"{name} is {phase}" for name, phase in parts if phase not in expect.RESTING]
    if not found:
        return ""
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return f", where {', '.join(found[:NAMED])}{more}"


def _since(since: Time | None, now: Time | None) -> str:
    if since is None:
        return ""
    if now is None:
        return f" since {_short(since)}"
    return f" for {span(max(0, milliseconds(now) - milliseconds(since)))} (since {_short(since)})"


def _next(awaited: Sequence[Expectation], now: Time | None) -> str:
    """The steps of the innermost wait, then those of the wait that gives the phase, with its deadlines."""
    steps = [step for each in awaited for step in each.steps]
    main = awaited[-1]
    words = f"expected next: {', then '.join(dict.fromkeys(steps))}" if steps else "what comes next is not known"
    limits = [_limit(word, at, now) for word, at in (("slow", main.slow_at), ("stuck", main.stuck_at)) if at]
    return f"{words} ({', '.join(limits)})" if limits else f"{words} (no deadline)"


def _limit(word: str, at: Time, now: Time | None) -> str:
    if now is None:
        return f"{word} at {_short(at)}"
    left = milliseconds(at) - milliseconds(now)
    return f"{word} at {_short(at)}, in {span(left)}" if left >= 0 else f"{word} since {_short(at)}"


def _short(time: Time) -> str:
    """To the second: a sentence needs no more."""
    return f"{time[:19]}Z"


def _place(item: InstanceItem) -> str:
    """Whose place it has, or who has its place."""
    if item.replaced_by:
        return f" (replaced by {item.replaced_by})"
    return f" (in place of {item.replaces})" if item.replaces else ""


def _because(item: InstanceItem) -> Because | None:
    """The change of the machine that gives the phase, else the last change at that moment, else the last of all."""
    main = machine_of("instance", item.phase, item.machines)
    moved = [change for change in item.history if change.machine is not None]
    at = [change for change in moved if change.time == item.since] or moved or list(item.history)
    return _because_of([change for change in at if change.machine == main] or at)


def _because_of_group(item: GroupItem, history: Sequence[HistoryItem]) -> Because | None:
    """The change of the machine that gives the phase, else the last one at that moment; none where members give it."""
    if item.phase == GroupPhase.DEGRADED:
        return None
    main = machine_of("group", item.phase, item.machines)
    state = item.machines.get(main or "")
    at = [change for change in history if change.time == item.since and change.machine is not None]
    return _because_of([change for change in history if (change.machine, change.to) == (main, state)] if main else at)


def _because_of(changes: Sequence[HistoryItem]) -> Because | None:
    """The last of them."""
    if not changes:
        return None
    last = changes[-1]
    text = BY_CODE[last.code].text if last.code in BY_CODE else None
    return Because(code=last.code, event=event_of(last.code), text=text, event_id=last.event_id, time=last.time)


def _changes(items: Sequence[InstanceItem], history: Sequence[HistoryItem]) -> tuple[Changed, ...]:
    """The last changes of all these instances, and of what they are in, in the order of their times."""
    stories = [(None, history), *((item.instance_id or item.node_logical_id, item.history) for item in items)]
    # A large cluster has hundreds of thousands: what cannot be among the last is not even looked at.
    found = [(name, change) for name, changes in stories for change in _last(changes)]
    found.sort(key=lambda told: told[1].time)
    return tuple(
        Changed(**dict(change), instance=name, event=event_of(change.code)) for name, change in found[-CHANGES:]
    )


def _last(history: Sequence[HistoryItem]) -> list[HistoryItem]:
    """The last changes of a machine, oldest first."""
    moved = (change for change in reversed(history) if change.machine is not None)
    return list(islice(moved, CHANGES))[::-1]


def _open(anomalies: Sequence[Anomaly]) -> tuple[Anomaly, ...]:
    return tuple(each for each in anomalies if each.status is AnomalyStatus.OPEN)


def _is_of_instance(anomaly: Anomaly, item: InstanceItem) -> bool:
    by_id = item.instance_id is not None and anomaly.instance_id == item.instance_id
    by_slot = anomaly.instance_id is None and item.node_logical_id and anomaly.node_logical_id == item.node_logical_id
    return anomaly.cluster_arn == item.cluster_arn and (by_id or bool(by_slot))


def _same_group(each: Anomaly | InstanceItem, item: GroupItem) -> bool:
    return (each.cluster_arn, each.instance_group) == (item.cluster_arn, item.instance_group)


def _newest(*times: Time | None) -> Time | None:
    return max((time for time in times if time is not None), default=None)
