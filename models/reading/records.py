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
from models.reading.derive import observe
from models.reading.drafts import Draft, Unusable, in_order
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
from models.unwrap.plain import Plain

Latest = Callable[[str], int | None]


def read(value: Value, *, latest: Latest) -> Observation | Ignored | Unreadable:
    """The event that a value is.

    `latest(cluster_arn)` is the newest event time seen of that cluster (epoch ms), the last resort of an API answer
    that tells no time; such an answer's own hash leaves it out, so that its copies stay copies.
    """
    try:
        plain = value.plain
        if plain is not None and (event_id := plain.detail.event_details.event_id):
            return _from_plain(plain, event_id)
        return _from_envelope(value.body) if value.form == ENVELOPE else _from_answer(value, latest)
    except ValidationError:
        return Unreadable(Reason.WRONG_TYPE, value.data)
    except Unusable as unusable:
        return Unreadable(unusable.reason, value.data)


def _from_plain(envelope: Plain, event_id: str) -> Observation:
    event = envelope.detail.event_details
    arn = event.cluster_arn or envelope.detail.cluster_arn or _first(envelope.resources)
    return cluster_event.observed(event, event_id, arn, parse_ms(envelope.time), None)


def _from_envelope(envelope: dict[str, Any]) -> Observation | Ignored:
    kind, detail = envelope["detail-type"], envelope["detail"]
    if kind != CLUSTER_EVENT and kind not in _DETAILS:
        return Ignored(kind)
    if not isinstance(detail, dict):
        raise Unusable(Reason.WRONG_TYPE)
    sent = parse_ms(envelope.get("time"))
    moment = envelope.get("time") if sent is None else sent
    if kind == CLUSTER_EVENT:
        event, cluster = cluster_event.in_detail(detail)
        arn = cluster or _first(envelope.get("resources"))
        event_id = event.event_id or digest(kind, moment, detail)
        return cluster_event.observed(event, event_id, arn, sent, None)
    draft = _DETAILS[kind](detail)
    draft.leaves["envelope_time"] = sent
    arn = _feed(draft, envelope) if kind == HEARTBEAT else draft.cluster_arn or _first(envelope.get("resources"))
    if sent is None:
        raise Unusable(Reason.NO_TIME)
    # One heartbeat is like the other but for the feed that it comes from.
    return _observation(draft, arn, kind, moment, [detail, draft.details] if kind == HEARTBEAT else detail)


def _feed(draft: Draft, envelope: dict[str, Any]) -> str:
    """A heartbeat is of an account and region and has no cluster: its ARN is ""."""
    for name in ("account", "region"):
        if not isinstance(word := envelope.get(name), str) or not word:
            raise Unusable(Reason.WRONG_TYPE)
        draft.details[name] = word
    return ""


def _first(resources: Any) -> str:
    first = resources[0] if isinstance(resources, list) and resources else None
    if not isinstance(first, str) or not first:
        raise Unusable(Reason.NO_CLUSTER)
    return first


def _from_answer(value: Value, latest: Latest) -> Observation:
    if value.form == DESCRIBE_CLUSTER_EVENT:
        return _from_event_answer(value, latest)
    draft = _ANSWERS[value.form](value.body)
    if not draft.cluster_arn:
        raise Unusable(Reason.NO_CLUSTER)
    told, draft.leaves["observed_time"] = _observed(value, draft.cluster_arn, latest)
    return _observation(draft, draft.cluster_arn, draft.detail_type, told, value.body)


def _from_event_answer(value: Value, latest: Latest) -> Observation:
    event, arn = cluster_event.in_answer(value.body)
    if arn is None:
        raise Unusable(Reason.NO_CLUSTER)
    told = observed = None
    if cluster_event.happened(event) is None:
        told, observed = _observed(value, arn, latest)
    event_id = event.event_id or digest(CLUSTER_EVENT, told, value.body["EventDetails"])
    return cluster_event.observed(event, event_id, arn, None, observed)


def _observed(value: Value, arn: str, latest: Latest) -> tuple[int | None, int]:
    """The time that an answer tells, and the one that it is taken to have been given at.  Raises Unusable."""
    told = _told(value)
    observed = latest(arn) if told is None else told
    if observed is None:
        raise Unusable(Reason.NO_TIME)
    return told, observed


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
    event_id = draft.event_id or digest(*hashed)
    return observe(event_id, draft.detail_type, cluster_arn, details=in_order(draft.details), **draft.leaves)


def _heartbeat(_: dict[str, Any]) -> Draft:
    return Draft(HEARTBEAT, None, None, {}, {})


_DETAILS: Final[dict[str, Callable[[dict[str, Any]], Draft]]] = {
    STATE_CHANGE: partial(snapshots.shown_cluster, STATE_CHANGE),
    NODE_HEALTH: snapshots.health,
    HEARTBEAT: _heartbeat,
}
_ANSWERS: Final[dict[str, Callable[[dict[str, Any]], Draft]]] = {
    DESCRIBE_CLUSTER: partial(snapshots.shown_cluster, DESCRIBE_CLUSTER),
    LIST_CLUSTER_NODES: snapshots.node_page,
}
