"""What of a row's history is new, and what a refold has taken back.

Knows: changes of rows.  Must not know: topics, revisions (whoever publishes gives them).
"""

from __future__ import annotations

from models.canonical import digest
from models.placement import RowKey, level_of
from models.public import ResourceType, Transition, iso
from models.rows import HISTORY, Change, Level, Row

_RESOURCE: dict[Level, ResourceType] = {
    "cluster": "Cluster",
    "group": "InstanceGroup",
    "instance": "Instance",
    "slot": "Instance",
}


class Published:
    """The changes of a row as they were last published."""

    def __init__(self, row: Row) -> None:
        self.changes = {change: None for change in row.state.history if change.machine is not None}


def transitions(cluster_arn: str, key: RowKey, before: Published | None, row: Row) -> list[Transition]:
    """The changes that came (accepted) and those that are no more (withdrawn); revision 0.

    What only left the bounded history is not withdrawn.
    """
    present = Published(row).changes
    known = before.changes if before else {}
    oldest = row.state.history[0].time if len(row.state.history) >= HISTORY else None
    gone = [c for c in known if c not in present and (oldest is None or c.time > oldest)]
    come = [c for c in present if c not in known]
    return [_record(cluster_arn, key, row, c, "withdrawn") for c in gone] + [
        _record(cluster_arn, key, row, c, "accepted") for c in come
    ]


def _record(cluster_arn: str, key: RowKey, row: Row, change: Change, status: str) -> Transition:
    level, name = level_of(key), key.key.removeprefix(f"{cluster_arn}|")
    parts = [key.table, key.key, change.event_id, str(change.machine), str(change.origin), str(change.target)]
    # Not validated: every value has its type already, and nearly every event has such a record.
    return Transition.model_construct(
        transition_id=digest([*parts, change.time]),
        status="accepted" if status == "accepted" else "withdrawn",
        revision=0,
        cluster_arn=cluster_arn,
        cluster_name=row.state.cluster_name,
        instance_group=name if level == "group" else row.state.instance_group,
        instance_id=name if level == "instance" else None,
        node_logical_id=row.state.node_logical_id,
        resource_type=_RESOURCE[level],
        machine=str(change.machine),
        from_=change.origin,
        to=str(change.target),
        time=iso(change.time),
        event_id=change.event_id,
        code=change.code,
        legal=change.legal,
    )
