"""Cluster events, by far the most frequent records: read by hand, because speed is decided here.

Knows: what `models.events.ClusterEvent` says, field by field (the tests hold the two together).
Must not know: envelopes, identity, what a leaf leads to.
"""

from __future__ import annotations

from typing import Any, Final

from models.reading.drafts import Draft, Unusable
from models.timestamps import parse_ms
from models.unwrap import CLUSTER_EVENT, Reason

_EVENT_KEYS: Final = ("EventId", "EventTime", "Description")
_COUNT_LIMIT: Final = 2**53

_Leaves = dict[str, Any]


def in_detail(detail: dict[str, Any]) -> Draft:
    """The event in an envelope's detail; input transformers may have flattened it.  Raises Unusable."""
    nested = detail.get("EventDetails")
    flat = not (isinstance(nested, dict) and _is_event(nested)) and _is_event(detail)
    return in_answer({"EventDetails": detail} if flat else detail)


def in_answer(answer: dict[str, Any]) -> Draft:
    """The event of DescribeClusterEvent's answer.  Raises Unusable for core fields of another type than AWS's."""
    event = answer.get("EventDetails")
    if event is None or event == "":
        event = {}
    if not isinstance(event, dict):
        raise Unusable(Reason.WRONG_TYPE)
    cluster = _core(event, "ClusterArn") or _core(answer, "ClusterArn")
    leaves, details = _metadata(event)
    leaves |= {
        "cluster_name": _core(event, "ClusterName"),
        "instance_group": _core(event, "InstanceGroupName"),
        "instance_id": _core(event, "InstanceId"),
        "resource_type": _core(event, "ResourceType"),
        "level": _core(event, "EventLevel"),
        "description": _core(event, "Description"),
    }
    told = event.get("EventTime")
    if told is not None and told != "":
        leaves["event_time"] = when = parse_ms(told)
        if when is None:
            leaves["time_unreadable"] = True
    return Draft(CLUSTER_EVENT, cluster, _text(event.get("EventId")), leaves, details)


def _is_event(record: dict[str, Any]) -> bool:
    return any(key in record for key in _EVENT_KEYS)


def _core(record: dict[str, Any], key: str) -> str | None:
    value = record.get(key)
    if value is None or isinstance(value, str):
        return value or None
    raise Unusable(Reason.WRONG_TYPE)


def _metadata(event: dict[str, Any]) -> tuple[_Leaves, _Leaves]:
    """Leaves and details of the metadata, from either of its places; the deeper one is AWS's own and wins."""
    leaves: _Leaves = {}
    details: _Leaves = {}
    for holder in (event, event.get("EventDetails")):
        metadata = holder.get("EventMetadata") if isinstance(holder, dict) else None
        if isinstance(metadata, dict):
            _add_metadata(metadata, leaves, details)
    return leaves, details


def _add_metadata(metadata: dict[str, Any], leaves: _Leaves, details: _Leaves) -> None:
    # AWS sets one member; should several be set, the more particular one comes later and wins.
    for member, names in _MEMBERS.items():
        part = metadata.get(member)
        if isinstance(part, dict):
            for name, wire, read in names:
                if (leaf := read(part.get(wire))) is not None:
                    details[name] = leaf
            _add_nested(part, details)
            if member == "Instance" and (slot := _text(part.get("NodeLogicalId"))):
                leaves["node_logical_id"] = slot


def _add_nested(part: dict[str, Any], details: _Leaves) -> None:
    reservation = part.get("CapacityReservation")
    if isinstance(reservation, dict):
        for name, wire in (("capacity_reservation", "Arn"), ("capacity_reservation_type", "Type")):
            if leaf := _text(reservation.get(wire)):
                details[name] = leaf
    additional = part.get("AdditionalEnis")
    if isinstance(additional, dict) and (enis := _texts(additional.get("EfaEnis"))):
        details["efa_enis"] = enis


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _texts(value: Any) -> list[str] | None:
    return value if isinstance(value, list) and value and all(isinstance(text, str) for text in value) else None


def _count(value: Any) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and abs(value) <= _COUNT_LIMIT else None


_MEMBERS: Final = {
    "DatabaseConfiguration": (("failure_message", "FailureMessage", _text),),
    "Cluster": (
        ("failure_message", "FailureMessage", _text),
        ("eks_role_access_entries", "EksRoleAccessEntries", _texts),
        ("slr_access_entry", "SlrAccessEntry", _text),
    ),
    "InstanceGroup": (
        ("failure_message", "FailureMessage", _text),
        ("availability_zone", "AvailabilityZoneId", _text),
        ("subnet", "SubnetId", _text),
        ("security_groups", "SecurityGroupIds", _texts),
        ("ami", "AmiOverride", _text),
    ),
    "InstanceGroupScaling": (
        ("failure_message", "FailureMessage", _text),
        ("instance_count", "InstanceCount", _count),
        ("target_count", "TargetCount", _count),
        ("min_count", "MinCount", _count),
    ),
    "Instance": (
        ("failure_message", "FailureMessage", _text),
        ("customer_eni", "CustomerEni", _text),
        ("lcs_execution_state", "LcsExecutionState", _text),
    ),
}
"""By member of AWS's tagged union: our name of a leaf, AWS's, and how it is read."""
