"""The routes for whoever looks at everything at once: every instance as a tile, and the fleet in a few numbers.

Knows: what a tile tells, what is counted.
Must not know: how it is drawn, how state is kept, how several workers answer together.

Lists of instances carry their histories, which are megabytes for a large fleet; a tile is what one glance needs.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated
from weakref import ref

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from models.explain.times import milliseconds
from models.public import (
    Anomaly,
    ClusterItem,
    GroupItem,
    History,
    HistoryItem,
    InstanceItem,
    Picture,
    PublicModel,
    Severity,
    Time,
    iso,
)
from models.public_history import Changes
from models.states import ClusterPhase
from streams.web.answers import One, Page, one, page, raw
from streams.web.lookup import OneQuery, View
from streams.web.routing import Router, Whole
from streams.web.share import Part

DAY_MS = 86_400_000
SUMMARY = "/summary"
DELETED = ClusterPhase.DELETED
"""Of clusters and of groups."""
Entity = tuple[str, str | None, str | None]


class Tile(PublicModel):
    """One instance, or a slot that waits for one; terminated ones have no tile."""

    instance_id: str | None
    node_logical_id: str | None
    phase: str
    since: Time | None
    health: str | None
    severity: Severity | None = Field(description="The worst of its open anomalies that no silence holds over.")


class FleetGroup(PublicModel):
    """The tiles of one group; those of no group have null."""

    instance_group: str | None
    phase: str | None
    current_count: int | None
    target_count: int | None
    tiles: tuple[Tile, ...]


class FleetCluster(PublicModel):
    """One cluster with all its tiles."""

    cluster_arn: str
    cluster_name: str | None
    phase: str
    since: Time | None
    open: dict[str, int] = Field(description="Open anomalies by severity, silenced ones left out.")
    groups: tuple[FleetGroup, ...]


class FleetSummary(PublicModel):
    """The fleet in numbers."""

    clusters: int = Field(description="Deleted ones left out.")
    instances: dict[str, int] = Field(description="Instances and slots by phase, terminated ones left out.")
    in_service: int
    target: int = Field(
        description="Wanted instances, of deleted groups none; where a target is not known, those that there are."
    )
    open: dict[str, int] = Field(description="Open anomalies by severity, silenced ones left out.")
    silenced: int = Field(description="Open anomalies that a silence holds over.")
    replacements: int = Field(description="Replacements begun in the 24 h before as_of.")
    last_event_time: Time | None
    digest: str = Field(description="Changes whenever anything that a page shows may have changed.")


def fleet_routes(routes: APIRouter, router: Router) -> Summaries:
    """Adds `/fleet` and `/summary`; what it returns asks for the latter."""
    tiles = Clusters()

    @routes.get("/fleet", responses={200: {"model": Page[FleetCluster]}})
    async def fleet(query: Annotated[OneQuery, Query()], request: Request) -> Response:
        """Every cluster with its groups and their instances as tiles: all of it, always one page."""

        async def find(seen: View) -> Part:
            kept = tiles if seen.picture is seen.named else Clusters()  # an earlier moment pushes out nothing
            found = kept.of(seen.picture, seen.arns(query.cluster))
            return Part([item for _, item in found], [(arn,) for arn, _ in found])

        async def merge(whole: Whole) -> Response:
            pairs = [pair for part in whole.parts for pair in zip(part.keys, part.items, strict=True)]
            return page([item for _, item in sorted(pairs, key=lambda pair: pair[0])], whole.fresh)

        return await router.answer(request, query, find, merge)

    summaries = Summaries(router)

    @routes.get(SUMMARY, responses={200: {"model": One[FleetSummary]}})
    async def summary(query: Annotated[OneQuery, Query()], request: Request) -> Response:
        """The fleet in a few numbers; `digest` tells whether asking for more is worth it."""
        return await summaries.answer(request, query)

    return summaries


class Clusters:
    """Clusters with their tiles are made once for each picture, however many tabs ask for them after a change."""

    def __init__(self) -> None:
        self._picture: ref[Picture] | None = None
        self._made: dict[str, msgspec.Raw] = {}

    def of(self, picture: Picture, wanted: set[str] | None) -> list[tuple[str, msgspec.Raw]]:
        """Those that are wanted, all where None, as JSON with their ARNs."""
        if self._picture is None or self._picture() is not picture:
            self._picture, self._made = ref(picture), {}
        chosen = [each for each in picture.clusters if wanted is None or each.cluster_arn in wanted]
        lacking = [each for each in chosen if each.cluster_arn not in self._made]
        if lacking:
            self._made |= {each.cluster_arn: raw(each) for each in _clusters(picture, lacking)}
        return [(each.cluster_arn, self._made[each.cluster_arn]) for each in chosen]


class Summaries:
    """Summaries of this worker's own picture are made once, however often they are asked for."""

    def __init__(self, router: Router) -> None:
        self._router = router
        self._made: tuple[ref[Picture], Time | None, FleetSummary] | None = None

    async def answer(self, request: Request, query: OneQuery) -> Response:
        """Of the whole fleet."""

        async def find(seen: View) -> Part:
            return Part([raw(self._of(seen, query.cluster))])

        async def merge(whole: Whole) -> Response:
            parts = [FleetSummary.model_validate_json(bytes(item)) for part in whole.parts for item in part.items]
            return one(raw(_sum(parts)), whole.fresh)

        return await self._router.answer(request, query, find, merge)

    def _of(self, seen: View, clusters: list[str]) -> FleetSummary:
        if clusters:
            return _summary(seen.picture, seen.as_of, seen.arns(clusters))
        if self._made is None or self._made[0]() is not seen.picture or self._made[1] != seen.as_of:
            self._made = ref(seen.picture), seen.as_of, _summary(seen.picture, seen.as_of, None)
        return self._made[2]


def _clusters(picture: Picture, chosen: list[ClusterItem]) -> Iterator[FleetCluster]:
    groups: dict[str, list[GroupItem]] = {}
    for group in picture.instance_groups:
        groups.setdefault(group.cluster_arn, []).append(group)
    members: dict[str, dict[str | None, list[InstanceItem]]] = {}
    for each in picture.instances:
        if each.phase != "Terminated":
            members.setdefault(each.cluster_arn, {}).setdefault(each.instance_group, []).append(each)
    worst, counts = _worst(picture), _open_by_cluster(picture)
    for item in chosen:
        arn, tiles = item.cluster_arn, members.get(item.cluster_arn, {})
        known = {each.instance_group: each for each in groups.get(arn, [])}
        names = sorted({*known, *tiles}, key=lambda name: (name is not None, name or ""))
        yield FleetCluster(
            cluster_arn=arn,
            cluster_name=item.cluster_name,
            phase=item.phase,
            since=item.since,
            open=dict(counts.get(arn, {})),
            groups=tuple(_group(name, known.get(name or ""), tiles.get(name, []), worst) for name in names),
        )


def _group(
    name: str | None, item: GroupItem | None, members: list[InstanceItem], worst: dict[Entity, Severity]
) -> FleetGroup:
    return FleetGroup(
        instance_group=name,
        phase=None if item is None else item.phase,
        current_count=None if item is None else item.current_count,
        target_count=None if item is None else item.target_count,
        tiles=tuple(_tile(each, worst) for each in members),
    )


def _tile(item: InstanceItem, worst: dict[Entity, Severity]) -> Tile:
    return Tile(
        instance_id=item.instance_id,
        node_logical_id=item.node_logical_id,
        phase=item.phase,
        since=item.since,
        health=item.machines.get("health"),
        severity=worst.get(_entity(item)),
    )


def _entity(item: InstanceItem | Anomaly) -> Entity:
    return item.cluster_arn, item.instance_id, None if item.instance_id else item.node_logical_id


def _open(picture: Picture) -> Iterator[Anomaly]:
    return (each for each in picture.anomalies if each.status == "open" and each.silenced_by is None)


def _worst(picture: Picture) -> dict[Entity, Severity]:
    found: dict[Entity, Severity] = {}
    for each in _open(picture):
        key = _entity(each)
        if each.resource_type == "Instance" and (key not in found or each.severity.rank > found[key].rank):
            found[key] = each.severity
    return found


def _open_by_cluster(picture: Picture) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for each in _open(picture):
        found.setdefault(each.cluster_arn, Counter())[str(each.severity)] += 1
    return found


def _summary(picture: Picture, now: Time | None, wanted: set[str] | None) -> FleetSummary:
    clusters = [each for each in picture.clusters if wanted is None or each.cluster_arn in wanted]
    arns = {each.cluster_arn for each in clusters}
    instances = [each for each in picture.instances if each.cluster_arn in arns]
    phases = Counter(each.phase for each in instances if each.phase != "Terminated")
    anomalies = [each for each in picture.anomalies if each.cluster_arn in arns]
    opened = [each for each in anomalies if each.status == "open"]
    groups = [each for each in picture.instance_groups if each.cluster_arn in arns]
    items: list[ClusterItem | GroupItem | InstanceItem] = [*clusters, *groups, *instances]
    times = [each.last_event_time for each in items if each.last_event_time is not None]
    return FleetSummary(
        clusters=sum(each.phase != DELETED for each in clusters),
        instances=dict(phases),
        in_service=phases["InService"],
        target=_target(clusters, groups, instances),
        open=dict(Counter(str(each.severity) for each in opened if each.silenced_by is None)),
        silenced=sum(each.silenced_by is not None for each in opened),
        replacements=_replacements(instances, now),
        last_event_time=max(times, default=None),
        digest=_digest(items, [each for each in picture.histories if each.cluster_arn in arns], anomalies),
    )


def _target(clusters: list[ClusterItem], groups: list[GroupItem], instances: list[InstanceItem]) -> int:
    gone = {each.cluster_arn for each in clusters if each.phase == DELETED}
    groups = [each for each in groups if each.phase != DELETED and each.cluster_arn not in gone]
    there = Counter((each.cluster_arn, each.instance_group) for each in instances if each.phase != "Terminated")
    told: dict[tuple[str, str | None], int] = {
        (item.cluster_arn, item.instance_group): item.target_count for item in groups if item.target_count is not None
    }
    return sum(told.get(key, there[key]) for key in {*told, *there})


def _replacements(instances: list[InstanceItem], now: Time | None) -> int:
    if now is None:
        return 0
    begin, found = iso(milliseconds(now) - DAY_MS), 0
    for item in instances:
        lately = (item.last_event_time or "") >= begin
        for change in reversed(item.history) if lately else ():  # the newest is last
            if change.time < begin:
                break
            found += change.machine == "replace" and change.to == "Replacing"
    return found


def _digest(
    items: list[ClusterItem | GroupItem | InstanceItem], histories: list[History], anomalies: list[Anomaly]
) -> str:
    """Of everything that moves: what only gets older with the clock is not part of it.

    A late event moves neither a phase nor the time of the last one, but a machine, or the history.
    """
    told = hashlib.blake2b(digest_size=12)
    for each in items:
        machines = "\x1f".join(each.machines.values())
        told.update(f"{each.phase}\x1f{each.since}\x1f{each.last_event_time}\x1f{machines}\x1e".encode())
        if isinstance(each, InstanceItem):
            told.update(f"{each.schedulable}\x1f{each.observed and each.observed.time}".encode())
            told.update(_ends(each.history))
        elif isinstance(each, GroupItem):
            told.update(f"{each.current_count}\x1f{each.target_count}\x1f{each.min_count}\x1e".encode())
    for history in histories:
        told.update(_ends(history.items))
    for record in anomalies:
        told.update(f"{record.anomaly_id}{record.status}{record.severity}{record.updated_at}".encode())
        told.update(f"{record.silenced_by}{record.parent_id}{record.count}\x1e".encode())
    return told.hexdigest()


def _ends(changes: Sequence[HistoryItem]) -> bytes:
    """What differs where a history does: where one is put in between in a full one, the first goes."""
    if isinstance(changes, Changes):
        return changes.packed
    ends = f"{len(changes)}\x1f{changes[0].event_id}\x1f{changes[-1].event_id}\x1e" if changes else "\x1e"
    return ends.encode()


def _sum(parts: list[FleetSummary]) -> FleetSummary:
    """Of all workers."""
    times = [each.last_event_time for each in parts if each.last_event_time is not None]
    digests = sorted(each.digest for each in parts)
    return FleetSummary(
        clusters=sum(each.clusters for each in parts),
        instances=_added([each.instances for each in parts]),
        in_service=sum(each.in_service for each in parts),
        target=sum(each.target for each in parts),
        open=_added([each.open for each in parts]),
        silenced=sum(each.silenced for each in parts),
        replacements=sum(each.replacements for each in parts),
        last_event_time=max(times, default=None),
        digest=_joined(digests),
    )


def _joined(digests: list[str]) -> str:
    return digests[0] if len(digests) == 1 else hashlib.blake2b("".join(digests).encode(), digest_size=12).hexdigest()


def _added(counts: list[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(sorted(total.items()))
