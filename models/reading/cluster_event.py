"""Cluster events, by far the most frequent records: speed is decided here.

Knows: the wire model of these events and our names for its fields.
Must not know: envelopes, identity, what a leaf leads to.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final, NamedTuple

from models.events import ClusterEvent, EventMetadata
from models.exact import read_as
from models.observation import Observation
from models.reading.derive import observe
from models.reading.drafts import Unusable, in_order
from models.timestamps import parse_ms
from models.unwrap import CLUSTER_EVENT, Reason

_EVENT_KEYS: Final = ("EventId", "EventTime", "Description")


def in_detail(detail: dict[str, Any]) -> tuple[ClusterEvent, str | None]:
    """The event in an envelope's detail, and its cluster; input transformers may have flattened it."""
    nested = detail.get("EventDetails")
    flat = not (isinstance(nested, dict) and _is_event(nested)) and _is_event(detail)
    return in_answer({"EventDetails": detail} if flat else detail)


def in_answer(answer: dict[str, Any]) -> tuple[ClusterEvent, str | None]:
    """The event of DescribeClusterEvent's answer, and its cluster.  Raises Unusable and ValidationError."""
    record = answer.get("EventDetails")
    if record is None or record == "":
        record = {}
    if not isinstance(record, dict):
        raise Unusable(Reason.WRONG_TYPE)
    event = read_as(ClusterEvent, record)
    cluster = event.cluster_arn or answer.get("ClusterArn") or None
    if cluster is not None and not isinstance(cluster, str):
        raise Unusable(Reason.WRONG_TYPE)
    return event, cluster


def _is_event(record: dict[str, Any]) -> bool:
    return any(key in record for key in _EVENT_KEYS)


def observed(
    event: ClusterEvent,
    event_id: str,
    cluster_arn: str,
    sent: int | None,
    answered: int | None,
) -> Observation:
    """The event as an envelope or an answer shows it, at its own time, or at one of theirs.  Raises Unusable."""
    when = happened(event)
    if when is None and sent is None and answered is None:
        raise Unusable(Reason.NO_TIME)
    slot, details = _metadata(event)
    return observe(
        event_id,
        CLUSTER_EVENT,
        cluster_arn,
        event.cluster_name or None,
        event.instance_group_name or None,
        event.instance_id or None,
        slot,
        event.resource_type or None,
        event.event_level or None,
        event.description or None,
        when,
        sent,
        answered,
        True if when is None and event.event_time is not None and event.event_time != "" else None,
        details=details,
    )


def happened(event: ClusterEvent) -> int | None:
    """The event's own time; None where it has none that can be read."""
    told = event.event_time
    return None if told is None or told == "" else parse_ms(told)


def _metadata(event: ClusterEvent) -> tuple[str | None, dict[str, Any]]:
    """The slot that the metadata name, and all details; of its two places, the deeper one is AWS's own and wins."""
    details: dict[str, Any] = {}
    slot = None
    if event.event_metadata is not None:
        slot = _add(event.event_metadata, details)
    deeper = event.event_details
    if deeper is not None and deeper.event_metadata is not None:
        slot = _add(deeper.event_metadata, details) or slot
    return slot, in_order(details) if len(details) > 1 else details


class _Leaves(NamedTuple):
    """Which attributes of a part are leaves of an Observation, and our names for them; a name may be leaves again."""

    of: Callable[[Any], tuple[Any, ...]]
    names: tuple[Any, ...]


def _leaves(**names: Any) -> _Leaves:
    one = attrgetter(*names)
    of = one if len(names) > 1 else lambda part: (one(part),)
    return _Leaves(of, tuple(names.values()))


_MESSAGE: Final = {"failure_message": "failure_message"}
_PLACED: Final = {
    "capacity_reservation": _leaves(arn="capacity_reservation"),
}
_DATABASE: Final = _leaves(**_MESSAGE)
_CLUSTER: Final = _leaves(**_MESSAGE)
_GROUP: Final = _leaves(
    **_MESSAGE,
    **_PLACED,
    availability_zone_id="availability_zone",
    subnet_id="subnet",
    ami_override="ami",
)
_SCALING: Final = _leaves(
    **_MESSAGE, instance_count="instance_count", target_count="target_count", min_count="min_count"
)
_INSTANCE: Final = _leaves(**_MESSAGE, **_PLACED)
_of_instance: Final = _INSTANCE.of
_NOTHING: Final = (None,) * len(_INSTANCE.names)


def _add(metadata: EventMetadata, details: dict[str, Any]) -> str | None:
    """Adds the details of the metadata; the slot that they name, if any."""
    # AWS sets one member; should several be set, the more particular one comes later and wins.
    if metadata.database_configuration is not None:
        _take(metadata.database_configuration, _DATABASE, details)
    if metadata.cluster is not None:
        _take(metadata.cluster, _CLUSTER, details)
    if metadata.instance_group is not None:
        _take(metadata.instance_group, _GROUP, details)
    if metadata.instance_group_scaling is not None:
        _take(metadata.instance_group_scaling, _SCALING, details)
    instance = metadata.instance
    if instance is None:
        return None
    if _of_instance(instance) != _NOTHING:  # nearly always it names its slot and nothing else
        _take(instance, _INSTANCE, details)
    return instance.node_logical_id or None


def _take(part: Any, leaves: _Leaves, details: dict[str, Any]) -> None:
    for name, leaf in zip(leaves.names, leaves.of(part), strict=True):
        if isinstance(name, _Leaves):
            if leaf is not None:
                _take(leaf, name, details)
        elif leaf or leaf == 0:  # AWS writes an absent field as null, "" and [] too
            details[name] = leaf
