"""An unwrapped value to an Observation: who, when, which event, and its leaves.

Knows: where each form keeps its cluster, its identity and its time (contract section 1).
Must not know: wrappers, the catalogue, rows.  Never raises on data: what cannot be read is returned as Unreadable.

The same cluster event read from an envelope and from the API has one detail type, so that the copies can be merged;
snapshots have the name of their API call.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from pydantic import ValidationError

from models.canonical import digest
from models.observation import Observation
from models.reading import cluster_event, snapshots
from models.reading.derive import derive
from models.reading.drafts import Draft, Unusable
from models.timestamps import parse_http_ms, parse_ms
from models.unwrap import (
    CLUSTER_EVENT,
    DESCRIBE_CLUSTER,
    DESCRIBE_CLUSTER_EVENT,
    ENVELOPE,
    HEARTBEAT,
    LIST_CLUSTER_NODES,
    NODE_HEALTH,
    STATE_CHANGE,
    Ignored,
    Reason,
    Unreadable,
    Value,
)

Latest = Callable[[str], int | None]


def read(value: Value, *, latest: Latest) -> Observation | Ignored | Unreadable:
    """The event that a value is.

    `latest(cluster_arn)` is the newest event time seen of that cluster (epoch ms), the last resort of an API answer
    that tells no time; such an answer's own hash leaves it out, so that its copies stay copies.
    """
    try:
        return _from_envelope(value) if value.form == ENVELOPE else _from_answer(value, latest)
    except ValidationError:
        return Unreadable(Reason.WRONG_TYPE, value.data)
    except Unusable as unusable:
        return Unreadable(unusable.reason, value.data)


def _from_envelope(value: Value) -> Observation | Ignored:
    envelope = value.body
    kind, detail = envelope["detail-type"], envelope["detail"]
    drafted = _DETAILS.get(kind)
    if drafted is None:
        return Ignored(kind)
    if not isinstance(detail, dict):
        raise Unusable(Reason.WRONG_TYPE)
    draft = drafted(detail)
    for name in ("account", "region"):
        if isinstance(word := envelope.get(name), str) and word:
            draft.details[name] = word
    arn = _feed(draft) if kind == HEARTBEAT else draft.cluster_arn or _resource(envelope)
    sent = draft.leaves["envelope_time"] = parse_ms(envelope.get("time"))
    if sent is None and draft.leaves.get("event_time") is None:
        raise Unusable(Reason.NO_TIME)
    moment = envelope.get("time") if sent is None else sent
    # One heartbeat is like the other but for the feed that it comes from.
    return _observation(draft, arn, kind, moment, [detail, draft.details] if kind == HEARTBEAT else detail)


def _feed(draft: Draft) -> str:
    """A heartbeat is of an account and region and has no cluster: its ARN is ""."""
    if "account" not in draft.details or "region" not in draft.details:
        raise Unusable(Reason.WRONG_TYPE)
    return ""


def _resource(envelope: dict[str, Any]) -> str:
    resources = envelope.get("resources")
    first = resources[0] if isinstance(resources, list) and resources else None
    if not isinstance(first, str) or not first:
        raise Unusable(Reason.NO_CLUSTER)
    return first


def _from_answer(value: Value, latest: Latest) -> Observation:
    draft = _ANSWERS[value.form](value.body)
    if not draft.cluster_arn:
        raise Unusable(Reason.NO_CLUSTER)
    told = None
    if draft.leaves.get("event_time") is None:
        told = _told(value)
        draft.leaves["observed_time"] = observed = latest(draft.cluster_arn) if told is None else told
        if observed is None:
            raise Unusable(Reason.NO_TIME)
    content = value.body["EventDetails"] if value.form == DESCRIBE_CLUSTER_EVENT else value.body
    return _observation(draft, draft.cluster_arn, draft.detail_type, told, content)


def _told(value: Value) -> int | None:
    """When the answer was given: by itself, by who wrote it down, or by what carried it."""
    response = value.body.get("ResponseMetadata")
    headers = response.get("HTTPHeaders") if isinstance(response, dict) else None
    date = headers.get("date", headers.get("Date")) if isinstance(headers, dict) else None
    for ms in (parse_http_ms(date), parse_ms(value.body.get("ObservedAt"))):
        if ms is not None:
            return ms
    return value.observed_ms


def _observation(draft: Draft, cluster_arn: str, *hashed: Any) -> Observation:
    return derive(
        Observation(
            event_id=draft.event_id or digest(*hashed),
            detail_type=draft.detail_type,
            cluster_arn=cluster_arn,
            details=dict(sorted(draft.details.items())),  # as `merge` has them: one copy or more, the same bytes
            **draft.leaves,
        )
    )


def _heartbeat(_: dict[str, Any]) -> Draft:
    return Draft(HEARTBEAT, None, None, {}, {})


_DETAILS: Final[dict[str, Callable[[dict[str, Any]], Draft]]] = {
    CLUSTER_EVENT: cluster_event.in_detail,
    STATE_CHANGE: partial(snapshots.shown_cluster, STATE_CHANGE),
    NODE_HEALTH: snapshots.health,
    HEARTBEAT: _heartbeat,
}
_ANSWERS: Final[dict[str, Callable[[dict[str, Any]], Draft]]] = {
    DESCRIBE_CLUSTER_EVENT: cluster_event.in_answer,
    DESCRIBE_CLUSTER: partial(snapshots.shown_cluster, DESCRIBE_CLUSTER),
    LIST_CLUSTER_NODES: snapshots.node_page,
}
