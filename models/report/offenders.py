"""Places that fail again and again.

Knows: places with their failures.  Must not know: scopes, figures of anything else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from models.public import iso
from models.report.definitions import LEAST_FAILURES
from models.report.places import PLANNED, Place
from models.report.records import Offender
from models.report.tally import hours


def find_offenders(places: Iterable[Place], names: Mapping[str, str | None], since: int, until: int) -> list[Offender]:
    """The worst first."""
    return worst_first(one for place in places if (one := _offender(place, names, since, until)) is not None)


def worst_first(found: Iterable[Offender]) -> list[Offender]:
    """By failures, then by lost hours, then by name."""
    return sorted(
        found,
        key=lambda one: (
            -one.failures,
            -one.lost_hours_unplanned,
            one.cluster_arn,
            one.node_logical_id or "",
            one.instances,
        ),
    )


def _offender(place: Place, names: Mapping[str, str | None], since: int, until: int) -> Offender | None:
    counted = [each for each in place.failures if not each.planned and since <= each.opened <= until]
    if len(counted) < LEAST_FAILURES:
        return None
    item = place.newest
    _, lost = place.hours(since, until)
    return Offender(
        cluster_arn=item.cluster_arn,
        cluster_name=names.get(item.cluster_arn),
        instance_group=item.instance_group,
        node_logical_id=item.node_logical_id,
        instances=tuple(life.item.instance_id for life in place.lives if life.item.instance_id),
        failures=len(counted),
        replacements=sum(since <= life.begun <= until for life in place.lives[1:] if life.item.instance_id is not None),
        causes=dict(sorted(Counter(each.cause for each in counted).items())),
        last_failure=iso(max(each.opened for each in counted)),
        lost_hours_unplanned=hours(sum(ms for cause, ms in lost.items() if cause != PLANNED)),
    )
