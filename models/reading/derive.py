"""What follows from an event's leaves: its code, its rank, its time, the ids that only its Description names.

Knows: the catalogue's interface, the time rules of the contract, AWS's status words.
Must not know: wire forms, machines, rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from models.catalogue import BUT_CLUSTER, BUT_GROUP, BUT_INSTANCE, Names, Sentence, rank_of, recognise
from models.catalogue import shape as shape_of
from models.events import CLUSTER_STATUS, GROUP_STATUS, HEALTH_STATUS, NODE_STATUS, SOFTWARE_UPDATE_STATUS
from models.observation import Observation
from models.timestamps import DAY_MS
from models.unwrap import DESCRIBE_CLUSTER, HEARTBEAT, LIST_CLUSTER_NODES, NODE_HEALTH, STATE_CHANGE

CODES: Final = {
    STATE_CHANGE: "ClusterStateChange",
    NODE_HEALTH: "NodeHealth",
    DESCRIBE_CLUSTER: "ClusterSnapshot",
    LIST_CLUSTER_NODES: "NodeList",
    HEARTBEAT: "Heartbeat",
}
"""By detail type: the code of what has no Description to be known by."""

LEAVES: Final = (
    "event_id",
    "detail_type",
    "cluster_arn",
    "cluster_name",
    "node_logical_id",
    "resource_type",
    "level",
    "description",
    "event_time",
    "envelope_time",
    "observed_time",
    "time_unreadable",
)
"""The fields of an Observation that its record alone fills, besides its details and its own ids."""
_FILLED: Final = ("instance_id", "instance_group")
_LONGEST_WORD: Final = 64
_MOST_WORDS: Final = 8

_Meaning = tuple[Sentence, dict[str, str], str | None]
"""The sentence, what it alone names, and for an unknown one its shape."""


def derive(obs: Observation) -> Observation:
    """The same event with its derived fields found anew from its leaves; deriving twice changes nothing."""
    leaves: dict[str, Any] = {name: getattr(obs, name) for name in LEAVES} | own_ids(obs)
    return observe(details=obs.details, **leaves)


def own_ids(obs: Observation) -> dict[str, str | None]:
    """`instance_id` and `instance_group` as the record itself has them: None where its Description filled them in."""
    return {field: None if field in obs.text else getattr(obs, field) for field in _FILLED}


def observe(
    event_id: str,
    detail_type: str,
    cluster_arn: str,
    cluster_name: str | None = None,
    instance_group: str | None = None,
    instance_id: str | None = None,
    node_logical_id: str | None = None,
    resource_type: str | None = None,
    level: str | None = None,
    description: str | None = None,
    event_time: int | None = None,
    envelope_time: int | None = None,
    observed_time: int | None = None,
    time_unreadable: bool | None = None,
    *,
    details: dict[str, Any],
) -> Observation:
    """The event that has these leaves.

    Where the record has no `instance_id` or `instance_group` of its own, the one that its Description names is filled
    in.  `text` keeps these two keys exactly then, so that a later merge can tell a filled id from the record's own.
    """
    if detail_type in CODES:
        known, text, shape = _shown(detail_type, details)
    else:
        known, text, shape = _said(description, cluster_name, instance_group, instance_id)
    time, suspect = event_time, False
    if time is None:
        time = envelope_time if envelope_time is not None else observed_time or 0
        suspect = bool(time_unreadable)
    elif envelope_time is not None and abs(time - envelope_time) > DAY_MS:
        time, suspect = envelope_time, True
    # By position, in the order of the fields: by name it would take a microsecond more.
    return Observation(
        event_id, detail_type, cluster_arn, cluster_name,
        instance_group or text.get("instance_group"), instance_id or text.get("instance_id"),
        node_logical_id, resource_type, level, description,
        event_time, envelope_time, observed_time, time_unreadable, details,
        time, suspect, known.code, known.rank, known.operation, known.operation_word, known.status, shape, text,
    )  # fmt: skip


def _said(description: str | None, cluster: str | None, group: str | None, instance: str | None) -> _Meaning:
    sentence = description.strip() if description else ""
    if not sentence:
        return _NO_DESCRIPTION, {}, None
    # What the record says itself is not told twice.
    but = 0 if instance is None else BUT_INSTANCE
    but += (0 if group is None else BUT_GROUP) + (0 if cluster is None else BUT_CLUSTER)
    found = recognise(sentence, cluster, group, instance, but)
    if found is None:
        return _UNRECOGNIZED, {}, shape_of(sentence, Names(cluster, group, instance))
    known, text = found
    return known, text, None


def _shown(detail_type: str, details: dict[str, Any]) -> _Meaning:
    code = CODES[detail_type]
    status = details.get("health_status" if detail_type == NODE_HEALTH else "cluster_status")
    return Sentence(code, rank_of(code, status), status=status), {}, _unknown_words(details)


_NO_DESCRIPTION: Final = Sentence("NoDescription", rank_of("NoDescription"))
_UNRECOGNIZED: Final = Sentence("Unrecognized", rank_of("Unrecognized"))


def _unknown_words(details: dict[str, Any]) -> str | None:
    """The status words that AWS's model does not have, as a shape; None where all are known."""
    unknown: set[str] = set()
    _unknown(unknown, "ClusterStatus", (details.get("cluster_status"),), CLUSTER_STATUS)
    _unknown(unknown, "HealthStatus", (details.get("health_status"),), HEALTH_STATUS)
    groups, nodes = details.get("groups", ()), details.get("nodes", ())
    _unknown(unknown, "InstanceGroup Status", (group.get("status") for group in groups), GROUP_STATUS)
    words = (group.get("software_update_status") for group in groups)
    _unknown(unknown, "SoftwareUpdateStatus", words, SOFTWARE_UPDATE_STATUS)
    _unknown(unknown, "InstanceStatus", (node.get("status") for node in nodes), NODE_STATUS)
    return "; ".join(sorted(unknown)[:_MOST_WORDS]) or None


def _unknown(unknown: set[str], field: str, words: Iterable[str | None], known: frozenset[str]) -> None:
    unknown |= {f"{field} {word:.{_LONGEST_WORD}}" for word in {*words} - known if word}
