"""Who answers for which partition.

Knows: what every worker says that it holds, when that is the whole fleet.
Must not know: questions and answers, HTTP.

A plan is made of what workers say at this moment, not of what the assignment promised: it is whole where every
partition is held by exactly one of them, all of one assignment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from models.public import Time
from streams.web.answers import ApiError, StalePartition
from streams.web.peers import Members
from streams.web.provider import Holding, Holdings
from streams.web.share import Share, earliest

OWN = ""
"""The address that stands for this worker itself."""


class Incomplete(ApiError):
    """503: the answer would not be of the whole fleet."""

    def __init__(self, message: str) -> None:
        hint = "ask again later; with stale=ok (--stale-ok) you get what was last known"
        super().__init__(503, "incomplete", message, hint)


@dataclass(frozen=True)
class Plan:
    """Which worker is asked for what; addresses, `OWN` for oneself."""

    shares: Mapping[str, Share]
    as_of: Time | None
    lag: int
    missing: tuple[int, ...] = ()
    stale: tuple[StalePartition, ...] = ()
    lost: bool = False
    """Workers lack that were to be asked whatever they hold."""


@dataclass
class Heard:
    """What the workers said; `failed` has the reasons of those who did not answer."""

    members: Members
    said: dict[str, Holdings]
    failed: dict[str, str] = field(default_factory=dict)


def whole(heard: Heard, every: bool = False) -> Plan:
    """All of the fleet, present and each partition once.  Incomplete where that cannot be had.

    With `every` also workers are asked that hold none: they read raw values, and count them.
    """
    own, owners = heard.said[OWN], dict[int, str]()
    for address, why in heard.failed.items():
        raise Incomplete(f"{_named(heard.members.others.get(address, ()))} is not answered for: {why}")
    for address, holdings in heard.said.items():
        if not holdings.ready:
            raise Incomplete(f"{_named(heard.members.others.get(address, ()))} at {address}: {holdings.message}")
        if (holdings.fleet, holdings.generation) != (own.fleet, own.generation):
            raise Incomplete(f"{address} works by another assignment of partitions: they are being shared out")
        for each in holdings.partitions:
            if each.fresh and each.partition in owners:
                raise Incomplete(f"partition {each.partition} is held twice: partitions are being shared out")
            if each.fresh:
                owners[each.partition] = address
    if heard.members.count is not None and (absent := sorted(set(range(heard.members.count)) - owners.keys())):
        raise Incomplete(f"{_named(absent)} has no owner that is known here; {NO_OWNER}")
    return _plan(heard, owners, stale=False, every=every)


NO_OWNER = "if that lasts, two workers advertise one address: see HYPERPOD_STATE_HTTP_ADVERTISE"


def whatever(heard: Heard, past: bool, every: bool = False) -> Plan:
    """The best that is held of each partition: what is present before what was last known, of that the newest.

    Of an earlier moment (`past`) only who owns a partition can tell.  Incomplete where there is nothing at all.
    """
    best: dict[int, tuple[tuple[bool, int, str], str, Holding]] = {}
    for address, holdings in heard.said.items():
        if holdings.fleet != heard.said[OWN].fleet:
            continue
        for each in holdings.partitions:
            rank = each.fresh, holdings.generation if each.fresh else 0, each.as_of or ""
            if (each.fresh or not past) and (each.partition not in best or rank > best[each.partition][0]):
                best[each.partition] = rank, address, each
    if not best:
        raise Incomplete("nothing is known of any partition yet")
    plan = _plan(heard, {number: found[1] for number, found in best.items()}, stale=True, every=every)
    count = heard.members.count if heard.members.count is not None else max(best) + 1
    return Plan(
        plan.shares,
        plan.as_of,
        plan.lag,
        missing=tuple(sorted(set(range(count)) - best.keys())),
        stale=tuple(
            StalePartition(partition=number, as_of=found[2].as_of)
            for number, found in sorted(best.items())
            if not found[2].fresh
        ),
        lost=every and bool(heard.failed),
    )


def _plan(heard: Heard, owners: Mapping[int, str], *, stale: bool, every: bool) -> Plan:
    """Each worker is asked for what it is to answer for."""
    fleet = heard.said[OWN].fleet
    times = {(address, each.partition): each.as_of for address, said in heard.said.items() for each in said.partitions}
    as_of = earliest([times[address, number] for number, address in owners.items()])
    shares = {
        address: Share(
            fleet=said.fleet,
            generation=said.generation,
            partitions=tuple(sorted(number for number, owner in owners.items() if owner == address)),
            as_of=as_of,
            stale=stale,
        )
        for address, said in heard.said.items()
        if address in owners.values() or (every and said.fleet == fleet)
    }
    return Plan(shares, as_of, sum(said.lag for said in heard.said.values()))


def _named(partitions: Iterable[int]) -> str:
    numbers = ", ".join(str(number) for number in sorted(partitions))
    return f"partition {numbers}" if numbers else "a part of the input"
