"""A feed that has sent heartbeats and sends none: `feed_silent`, and the waits that it explains.

Knows: the gaps of the feed that the cluster's events come by.  Must not know: how heartbeats are kept.

A gap counts for a cluster that was there, as far as was known, when it had become too long, also when it ended before
`now`.
"""

from __future__ import annotations

from collections.abc import Sequence

from models.deadlines import Thresholds
from models.feeds import Feed, feed_of_cluster, gaps
from models.judge.findings import Finding
from models.judge.scene import Scene
from models.public import AnomalyKind
from models.states import ClusterPhase

MINUTE_MS = 60_000


def find_silent(scene: Scene, feed: Feed | None, thresholds: Thresholds) -> list[Finding]:
    """Every gap that was or is too long, the newest last."""
    name = feed_of_cluster(scene.cluster_arn)
    if feed is None or name is None or (known := scene.oldest) is None:
        return []
    limit, gone, found = limit_of(thresholds), _deleted(scene), []
    for gap in gaps(feed):
        due = gap.last.time + limit
        until = min((at for at in (gap.until, gone) if at is not None), default=None)
        if (scene.clock.has_come(due) if until is None else due < until) and known <= due:
            found.append(_silence(gap.last.event_id, due, until, f"account {name.account} in {name.region}"))
    return found


def _silence(last: str, due: int, until: int | None, where: str) -> Finding:
    return Finding(
        kind=AnomalyKind.FEED_SILENT,
        episode=last,
        opened=due,
        updated=due if until is None else until,
        resolved=until,
        detail=where,
        evidence=[last],
    )


def _deleted(scene: Scene) -> int | None:
    """When the cluster was gone: nobody waits for its events any more."""
    state = scene.cluster.state if scene.cluster else None
    return state.since if state is not None and state.phase == ClusterPhase.DELETED else None


def limit_of(thresholds: Thresholds) -> int:
    """How long nothing may be heard of a feed, in ms."""
    return round(thresholds.feed_silent_minutes * MINUTE_MS)


def explaining(stuck: Finding, silent: Sequence[Finding], thresholds: Thresholds) -> Finding | None:
    """The gap in which a wait became too long, from its last heartbeat on; else the one that still hides its end."""
    limit = limit_of(thresholds)
    for gap in silent:
        if gap.opened - limit <= stuck.opened and (gap.resolved is None or stuck.opened <= gap.resolved):
            return gap
    return next((gap for gap in silent if gap.resolved is None and stuck.resolved is None), None)
