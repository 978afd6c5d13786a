"""What needs several rows: the picture of a cluster at one cut.

Knows: every settled row of one cluster, and `now`.  Must not know: how rows move, Kafka, the clock.

`judge` stores nothing.  Rows keep the facts that it needs, so its answer too is a function of the event set and `now`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from models.deadlines import Thresholds
from models.feeds import Feed
from models.judge.anomalies import find_anomalies
from models.judge.clock import Clock
from models.judge.groups import view_groups
from models.judge.items import cluster_item, group_item, histories, instance_items
from models.judge.lineage import find_lineage
from models.judge.rollouts import find_rollouts
from models.judge.scene import gather
from models.placement import RowKey
from models.public import GroupType, Picture, sort_anomalies, sort_groups, sort_instances, sort_rollouts
from models.public_silence import Silence, silenced
from models.rows import Row
from models.timestamps import iso, parse_ms


class Judgement(NamedTuple):
    """A picture, and from which moment on the same rows may give another; None: never."""

    picture: Picture
    until: int | None


def judge(
    cluster_arn: str,
    rows: Mapping[RowKey, Row],
    now: int,
    thresholds: Thresholds | None = None,
    feed: Feed | None = None,
    silences: Sequence[Silence] = (),
    patience: int | None = None,
) -> Judgement:
    """The picture of one cluster.  `rows` are settled; `now` is in epoch ms; `feed` is what its events come by.

    `patience`: `now` is the present, and for so many ms after an event that was read late its silence is not taken for
    one, as the rest of its history may be on its way.
    """
    scene = gather(cluster_arn, rows, clock := Clock(now), patience)
    if scene.is_empty:
        return Judgement(Picture(), None)
    thresholds = thresholds or Thresholds()
    lineage = find_lineage(scene)
    views = view_groups(scene, lineage)
    anomalies = find_anomalies(scene, views, lineage, thresholds, feed)
    if silences:
        at = iso(now)
        anomalies = [silenced(each, silences, at) for each in anomalies]
        _heed(silences, clock)
    picture = Picture(
        clusters=(cluster_item(scene),),
        instance_groups=tuple(sort_groups(group_item(scene, view) for view in views.values())),
        instances=tuple(sort_instances(instance_items(scene, lineage))),
        anomalies=tuple(sort_anomalies(anomalies)),
        rollouts=sort_rollouts(find_rollouts(scene, views, lineage)),
        group_types=tuple(
            GroupType(cluster_arn=cluster_arn, instance_group=name, instance_type=view.state.instance_type)
            for name, view in sorted(views.items())
        ),
        histories=tuple(histories(scene)),
    )
    return Judgement(picture, clock.until)


def _heed(silences: Sequence[Silence], clock: Clock) -> None:
    """They begin and end by the clock alone."""
    for text in (text for each in silences for text in (each.starts_at, each.until)):
        moment = parse_ms(text)
        clock.has_come(clock.now + 1 if moment is None else moment)  # a day that no calendar has is compared as text


__all__ = ["Judgement", "judge"]
