"""Any wire form to the values in it (contract section 1, "Inputs").

Knows: EventBridge, SQS, SNS, Kafka REST and API answers by their keys; wrappers nest in any order.
Must not know: what an event means, Kafka clients, files.

An object of no known form is a dead letter: `no_cluster` where it names none, else `wrong_type`.  The detail type
alone decides whether an envelope is known, whatever its source, except for heartbeats, which are ours.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from models.unwrap.outcome import (
    CLUSTER_EVENT,
    DESCRIBE_CLUSTER,
    DESCRIBE_CLUSTER_EVENT,
    ENVELOPE,
    HEARTBEAT,
    HEARTBEAT_SOURCE,
    LIST_CLUSTER_NODES,
    NODE_HEALTH,
    STATE_CHANGE,
    Ignored,
    Place,
    Reason,
    Source,
    Unreadable,
    Value,
)
from models.unwrap.plain import plain
from models.unwrap.strict import BOM, MAX_BYTES, MAX_DEPTH, MAX_KEYS, Broken, parse, too_many_keys

Outcome = Value | Ignored | Unreadable

_KNOWN: Final = frozenset({CLUSTER_EVENT, STATE_CHANGE, NODE_HEALTH})
_CONFIRMATIONS: Final = frozenset({"SubscriptionConfirmation", "UnsubscribeConfirmation"})
_LISTS: Final = ("Records", "Messages", "records", "Events")
_ITEM_KEYS: Final = ("EventId", "EventTime", "EventLevel", "ResourceType")
# How version 3 of the Kafka REST proxy spells a value: {"type": "JSON", "data": …}, base64 under "BINARY".
_REST_TYPES: Final = ("JSON", "BINARY", "STRING")
_LONGEST_TYPE: Final = 256
_LONGEST_SIBLING: Final = 2048


class _Text(msgspec.Struct):
    """A JSON text yet to be parsed, `nesting` texts deep."""

    text: bytes
    nesting: int


class _Node(msgspec.Struct):
    """A parsed value and where it stood."""

    value: Any
    source: Source
    path: tuple[str | int, ...]
    nesting: int

    def child(self, *steps: str | int) -> _Node:
        value = self.value
        for step in steps:
            value = value[step]
        return _Node(value, self.source, (*self.path, *steps), self.nesting)

    @property
    def place(self) -> Place:
        return Place(self.source, self.path)


_Found = Iterable[_Text | _Node | Outcome]


def unwrap(raw: bytes, *, observed_ms: int | None = None, limit: int = MAX_BYTES) -> Iterator[Outcome]:
    """Every value of one raw record, in order; nothing at all for a blank one or an empty array.

    `observed_ms` is the transport's time (epoch ms), `limit` the size cap in bytes.  Never raises on data.
    """
    fields = plain(raw, limit)
    if fields is not None:
        return iter((Value(ENVELOPE, None, observed_ms, raw, fields),))
    return _unwrapped(raw, observed_ms, limit)


def _unwrapped(raw: bytes, observed_ms: int | None, limit: int) -> Iterator[Outcome]:
    pending: list[Iterator[_Text | _Node | Outcome]] = [iter(_parsed(_Text(raw, 0), observed_ms, limit))]
    while pending:
        item = next(pending[-1], None)
        if item is None:
            pending.pop()
        elif isinstance(item, _Text):
            pending.append(iter(_parsed(item, observed_ms, limit)))
        elif isinstance(item, _Node):
            pending.append(iter(_opened(item, observed_ms)))
        else:
            yield _within_bounds(item)


def _within_bounds(item: Outcome) -> Outcome:
    """A value with too many keys is none; nearly every text has fewer colons than that."""
    if not isinstance(item, Value) or not isinstance(item.place, Place):
        return item
    source = item.place.source
    if len(source.text) <= MAX_KEYS or source.most_keys <= MAX_KEYS:
        return item
    return Unreadable(Reason.TOO_MANY_KEYS, item.data) if too_many_keys(item.body) else item


def _parsed(item: _Text, observed_ms: int | None, limit: int) -> _Found:
    if not item.text.strip():
        return []
    if item.nesting > MAX_DEPTH:
        return [Unreadable(Reason.TOO_DEEP, item.text)]
    # Of the outermost text it is known already that it is not plain.
    if item.nesting and (fields := plain(item.text, limit)) is not None:
        return [Value(ENVELOPE, None, observed_ms, item.text, fields)]
    try:
        return [_Node(parse(item.text, limit), Source(item.text), (), item.nesting)]
    except Broken as broken:
        return [Unreadable(broken.reason, item.text)]


def _opened(node: _Node, observed_ms: int | None) -> _Found:
    value = node.value
    if isinstance(value, dict):
        return _object(node, observed_ms)
    if isinstance(value, list):
        return (node.child(index) for index in range(len(value)))
    if isinstance(value, str) and (inner := _json_inside(value)) is not None:
        return [_Text(inner, node.nesting + 1)]
    return [Unreadable(Reason.NOT_AN_OBJECT, node.place.cut())]


def _object(node: _Node, observed_ms: int | None) -> _Found:
    if "detail-type" in node.value and "detail" in node.value:
        return [_envelope(node, observed_ms)]
    if answer := _answer(node, observed_ms):
        return [answer]
    held = _wrapper(node, observed_ms)
    return [_unknown(node)] if held is None else held


def _envelope(node: _Node, observed_ms: int | None) -> Outcome:
    kind = node.value["detail-type"]
    if not isinstance(kind, str):
        return Unreadable(Reason.WRONG_TYPE, node.place.cut())
    if kind in _KNOWN or (kind == HEARTBEAT and node.value.get("source") == HEARTBEAT_SOURCE):
        return Value(ENVELOPE, node.value, observed_ms, node.place)
    return Ignored(kind[:_LONGEST_TYPE])


def _answer(node: _Node, observed_ms: int | None) -> Value | None:
    """A bare API answer, recognised by AWS's own member names."""
    value = node.value
    if "ClusterNodeSummaries" in value:
        return Value(LIST_CLUSTER_NODES, value, observed_ms, node.place)
    if "ClusterStatus" in value:
        return Value(DESCRIBE_CLUSTER, value, observed_ms, node.place)
    if "ClusterArn" in value and any(key in value for key in _ITEM_KEYS):
        return _event_item(node, value, observed_ms)
    if "EventDetails" in value:
        return Value(DESCRIBE_CLUSTER_EVENT, value, observed_ms, node.place)
    return None


def _event_item(node: _Node, page: dict[str, Any], observed_ms: int | None) -> Value:
    """An item of ListClusterEvents, brought into the shape of a DescribeClusterEvent answer."""
    return Value(DESCRIBE_CLUSTER_EVENT, {**_siblings(page), "EventDetails": node.value}, observed_ms, node.place)


def _siblings(page: dict[str, Any]) -> dict[str, Any]:
    """What an item has of its page: the cluster and the time.  Every item gets a copy, so that they must be short."""
    kept = {key: page[key] for key in ("ObservedAt", "ClusterArn") if _is_short(page.get(key))}
    response = page.get("ResponseMetadata")
    headers = response.get("HTTPHeaders") if isinstance(response, dict) else None
    date = headers.get("date", headers.get("Date")) if isinstance(headers, dict) else None
    return {**kept, "ResponseMetadata": {"HTTPHeaders": {"date": date}}} if _is_short(date) else kept


def _is_short(value: Any) -> bool:
    return isinstance(value, int | float) or (isinstance(value, str) and len(value) <= _LONGEST_SIBLING)


def _wrapper(node: _Node, observed_ms: int | None) -> _Found | None:
    """What the wrapper holds (maybe nothing); None where the object is no wrapper."""
    value = node.value
    for key in _LISTS:
        if isinstance(value.get(key), list):
            return _listed(node, key, observed_ms)
    kind = value.get("Type")
    if isinstance(kind, str) and kind in _CONFIRMATIONS:
        return [Ignored(kind)]
    payload = _payload_key(value)
    return None if payload is None else _held(node.child(payload))


def _listed(node: _Node, key: str, observed_ms: int | None) -> _Found:
    items = (node.child(key, index) for index in range(len(node.value[key])))
    if key != "Events":
        return items
    # An item without a cluster is still an item: of AWS's pages nothing else is known by this name.
    return (_event_item(item, node.value, observed_ms) if _is_item(item.value) else item for item in items)


def _is_item(value: Any) -> bool:
    return isinstance(value, dict) and "detail-type" not in value


def _payload_key(value: dict[str, Any]) -> str | None:
    if value.get("Type") == "Notification" and value.get("Message") is not None:
        return "Message"
    # "Sns" is how Lambda is handed a notification, in "Records" like a batch of SQS.
    for key in ("body", "Body", "Sns"):
        if isinstance(value.get(key), str | dict | list):
            return key
    if value.get("type") in _REST_TYPES and "data" in value:
        return "data"
    return "value" if "value" in value else None


def _held(child: _Node) -> _Found:
    if child.value is None:
        return []  # a tombstone
    if not isinstance(child.value, str):
        return [child]
    inner = _json_inside(child.value)
    return [_Text(child.value.encode() if inner is None else inner, child.nesting + 1)]


def _json_inside(text: str) -> bytes | None:
    """The JSON array or object that a string is, or is base64 of."""
    if _looks_like_json(plain := text.encode()):
        return plain
    try:
        decoded = base64.b64decode(b"".join(plain.split()), validate=True)
    except binascii.Error:
        return None
    return decoded if _looks_like_json(decoded) else None


def _looks_like_json(text: bytes) -> bool:
    return text.removeprefix(BOM).lstrip()[:1] in (b"{", b"[")


def _unknown(node: _Node) -> Unreadable:
    reason = Reason.WRONG_TYPE if node.value.get("ClusterArn") else Reason.NO_CLUSTER
    return Unreadable(reason, node.place.cut())
