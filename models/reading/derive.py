"""What follows from an event's leaves: its code, its rank, its time, the ids that only its Description names.

Knows: the catalogue's interface, the time rules of the contract, AWS's status words.
Must not know: wire forms, machines, rows.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import msgspec

from models.catalogue import Names, classify, rank_of
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

_FILLED: Final = ("instance_id", "instance_group")
_LONGEST_WORD: Final = 64
_MOST_WORDS: Final = 8


class _Verdict(NamedTuple):
    """What an event is."""

    code: str
    status: str | None = None
    shape: str | None = None
    operation: str | None = None
    operation_word: str | None = None
    text: dict[str, str] = {}  # noqa: RUF012 - never written to


def derive(obs: Observation) -> Observation:
    """The same event with its derived fields found anew from its leaves; deriving twice changes nothing.

    Where the record has no `instance_id` or `instance_group` of its own, the one that its Description names is filled
    in.  `text` keeps these two keys exactly then, so that a later merge can tell a filled id from the record's own.
    """
    own = own_ids(obs)
    verdict = _verdict(obs, Names(obs.cluster_name, own["instance_group"], own["instance_id"]))
    text = {key: word for key, word in verdict.text.items() if own.get(key) is None}
    time, clock_suspect = _when(obs)
    return msgspec.structs.replace(
        obs,
        instance_id=own["instance_id"] or text.get("instance_id"),
        instance_group=own["instance_group"] or text.get("instance_group"),
        time=time,
        clock_suspect=clock_suspect,
        code=verdict.code,
        rank=rank_of(verdict.code, verdict.status, verdict.operation),
        operation=verdict.operation,
        operation_word=verdict.operation_word,
        status=verdict.status,
        shape=verdict.shape,
        text=text,
    )


def own_ids(obs: Observation) -> dict[str, str | None]:
    """`instance_id` and `instance_group` as the record itself has them: None where its Description filled them in."""
    return {field: None if field in obs.text else getattr(obs, field) for field in _FILLED}


def _when(obs: Observation) -> tuple[int, bool]:
    """The time that an event is judged by (epoch ms), and whether its clock is suspect."""
    event, envelope = obs.event_time, obs.envelope_time
    if event is not None:
        suspect = envelope is not None and abs(event - envelope) > DAY_MS
        return (envelope if suspect and envelope is not None else event), suspect
    answered = envelope if envelope is not None else obs.observed_time
    return answered or 0, bool(obs.time_unreadable)


def _verdict(obs: Observation, names: Names) -> _Verdict:
    if code := CODES.get(obs.detail_type):
        status = obs.details.get("health_status" if obs.detail_type == NODE_HEALTH else "cluster_status")
        return _Verdict(code, status, _unknown_words(obs.details))
    description = (obs.description or "").strip()
    if not description:
        return _Verdict("NoDescription")
    reading = classify(description, names)
    if reading is None:
        return _Verdict("Unrecognized", shape=shape_of(description, names))
    return _Verdict(reading.code, reading.status, None, reading.operation, reading.operation_word, reading.text)


def _unknown_words(details: dict[str, Any]) -> str | None:
    """The status words that AWS's model does not have, as a shape; None where all are known."""
    words = [("ClusterStatus", details.get("cluster_status"), CLUSTER_STATUS)]
    words.append(("HealthStatus", details.get("health_status"), HEALTH_STATUS))
    for group in details.get("groups", ()):
        words.append(("InstanceGroup Status", group.get("status"), GROUP_STATUS))
        words.append(("SoftwareUpdateStatus", group.get("software_update_status"), SOFTWARE_UPDATE_STATUS))
    words += [("InstanceStatus", node.get("status"), NODE_STATUS) for node in details.get("nodes", ())]
    unknown = {f"{field} {word:.{_LONGEST_WORD}}" for field, word, known in words if word and word not in known}
    return "; ".join(sorted(unknown)[:_MOST_WORDS]) or None
