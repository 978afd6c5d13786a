"""What a report stands on: the lives, places and failures that were asked for.

Knows: the picture's lists, what ends a life from outside.  Must not know: windows, scopes, figures.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from models.explain.times import milliseconds
from models.public import InstanceItem, Picture, Time
from models.report.failures import Failure, failures_of
from models.report.lives import Life, life_of
from models.report.places import Place, places_of
from models.states import ClusterPhase, GroupPhase, InstancePhase

_LEAVES = (InstancePhase.TERMINATING, InstancePhase.TERMINATED)


@dataclass
class Ground:
    """At one moment."""

    now: int
    lives: list[Life]
    places: list[Place]
    failures: list[Failure]

    @property
    def begun(self) -> int | None:
        """The first thing known of."""
        times = [*(life.begun for life in self.lives), *(failure.opened for failure in self.failures)]
        return min(times, default=None)


def stand(picture: Picture, now: Time | None, clusters: Collection[str] | None, groups: Collection[str]) -> Ground:
    """Everything of these clusters (ARNs; None: all) and groups (empty: all)."""

    def asked(arn: str, group: str | None) -> bool:
        return (clusters is None or arn in clusters) and (not groups or group in groups)

    items = [item for item in picture.instances if asked(item.cluster_arn, item.instance_group)]
    failures = [each for each in failures_of(picture.anomalies) if asked(each.cluster_arn, each.group)]
    newest = (milliseconds(item.last_event_time) for item in items if item.last_event_time)
    moment = milliseconds(now) if now is not None else max(newest, default=0)
    found = (life_of(item, end, moment) for item, end in zip(items, ends(picture, items), strict=True))
    lives = [life for life in found if life is not None]
    places, others = places_of(lives, failures)
    return Ground(moment, lives, places, [*others, *(each for place in places for each in place.failures)])


def ends(picture: Picture, items: Iterable[InstanceItem]) -> Iterator[int | None]:
    """What ends each instance from outside: its cluster or group is deleted, or a successor has its place."""
    gone: dict[tuple[str, str | None], Time | None] = {}
    for cluster in picture.clusters:
        if cluster.phase == ClusterPhase.DELETED:
            gone[cluster.cluster_arn, None] = cluster.since
    for group in picture.instance_groups:
        if group.phase == GroupPhase.DELETED:
            gone[group.cluster_arn, group.instance_group] = group.since
    firsts = {(item.cluster_arn, item.instance_id): item.history[0].time for item in picture.instances if item.history}
    for item in items:
        heir = None if item.phase in _LEAVES else firsts.get((item.cluster_arn, item.replaced_by or ""))
        times = [heir, gone.get((item.cluster_arn, None)), gone.get((item.cluster_arn, item.instance_group))]
        yield min((milliseconds(time) for time in times if time is not None), default=None)
