"""Values made to cost much: each ends in one count, and work and memory stay in proportion to the bytes."""

from __future__ import annotations

import base64
import json
import tracemalloc
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from models.unwrap import MAX_BYTES, MAX_KEYS, Reason, Unreadable, Value, unwrap
from streams.replay import replay
from tests.test_models.test_unwrap import envelope, sns, sqs, text

HEARTBEAT = {"detail-type": "HyperPod State Heartbeat", "source": "hyperpod-state", "detail": {}, "time": "x"}


def counted(raw: bytes) -> Counter[str]:
    """What the values end in: each reason, each ignored type, each form."""
    found: Counter[str] = Counter()
    for each in unwrap(raw):
        found[str(each.reason if isinstance(each, Unreadable) else getattr(each, "type", None) or "value")] += 1
    return found


def of_keys(count: int) -> bytes:
    """An envelope of exactly so many keys, in objects within each other and in arrays."""
    made: dict[str, Any] = {"detail-type": "SageMaker HyperPod Cluster Event", "detail": {"list": []}}
    left = count - 3
    while left > 0:
        take = min(left, 1000)
        made["detail"]["list"].append({f"{n:x}": 1 for n in range(take)})
        left -= take
    return orjson.dumps(made)


def test_keys_have_an_exact_limit() -> None:
    assert counted(of_keys(MAX_KEYS)) == {"value": 1}
    over = of_keys(MAX_KEYS + 1)
    assert list(unwrap(over)) == [Unreadable(Reason.TOO_MANY_KEYS, over)]
    assert len(over) < MAX_BYTES


def test_the_limit_is_of_one_value_and_not_of_an_array() -> None:
    one = orjson.dumps(HEARTBEAT)
    many = b"[" + b",".join([one] * (MAX_BYTES // len(one) - 200)) + b"]"
    assert many.count(b":") < MAX_KEYS  # not even a whole record of the smallest values comes near it
    small = orjson.dumps([{"detail-type": "SageMaker HyperPod Cluster Event", "detail": {"a": 1, "b": 2}}] * 12_000)
    assert small.count(b":") < MAX_KEYS
    pair = b"[" + of_keys(MAX_KEYS - 10) + b"," + of_keys(30) + b"]"
    assert pair.count(b":") > MAX_KEYS
    assert counted(pair) == {"value": 2}
    mixed = b"[" + of_keys(MAX_KEYS + 1) + b"," + text(envelope()).encode() + b"]"
    assert counted(mixed) == {"too_many_keys": 1, "value": 1}


def test_colons_in_texts_are_no_keys() -> None:
    raw = orjson.dumps({"detail-type": "SageMaker HyperPod Cluster Event", "detail": {"Description": ":" * 200_000}})
    assert counted(raw) == {"value": 1}


def test_a_page_of_nodes_as_large_as_may_be_is_within_the_limit() -> None:
    node = {"InstanceId": "i-0123456789abcdef0", "InstanceStatus": {"Status": "Running", "Message": ""}}
    node |= {"InstanceGroupName": "g", "InstanceType": "ml.p5.48xlarge", "LaunchTime": 1_760_000_000}
    size = len(orjson.dumps(node)) + 1
    page = orjson.dumps({"ClusterArn": "arn:x", "ClusterNodeSummaries": [node] * (MAX_BYTES // size - 1)})
    assert MAX_BYTES - 2 * size - 100 < len(page) <= MAX_BYTES
    assert counted(page) == {"value": 1}


def test_the_items_of_a_page_take_nothing_large_of_it_along() -> None:
    item = {"EventId": "e", "ClusterArn": "arn:x", "EventTime": 1}
    noise = {f"k{n}": n for n in range(20_000)}
    page = {
        "Events": [item] * 5000,
        "ObservedAt": "2026-01-01T00:00:00Z",
        "ResponseMetadata": {"HTTPHeaders": {"date": "Thu, 01 Jan 2026 00:00:00 GMT", "x": "y" * 100_000}, **noise},
    }
    raw = orjson.dumps(page)
    bodies = [each.body for each in unwrap(raw) if isinstance(each, Value)]
    assert len(bodies) == 5000
    assert sum(len(orjson.dumps(body)) for body in bodies) < 4 * len(raw)
    assert bodies[0]["ResponseMetadata"] == {"HTTPHeaders": {"date": "Thu, 01 Jan 2026 00:00:00 GMT"}}
    assert bodies[0]["ObservedAt"] == "2026-01-01T00:00:00Z"
    for key in ("ObservedAt", "ClusterArn"):
        long = orjson.dumps({"Events": [item] * 2, key: "z" * 100_000})
        assert all(key not in each.body for each in unwrap(long) if isinstance(each, Value))


@pytest.mark.parametrize(
    ("raw", "ends"),
    [
        (b"[" + b"1," * 300_000 + b"1]", {"not_an_object": 300_001}),
        (b"[" + b"[]," * 300_000 + b"[]]", {}),
        (b"[" + b"{}," * 300_000 + b"{}]", {"no_cluster": 300_001}),
        (b'{"Records":[' + b'{"body":"[]"},' * 70_000 + b'{"body":"[]"}]}', {}),
        (
            b'{"Records":[' + b'{"body":"[1,2]"},' * 9_000 + b'{"body":"{"}]}',
            {"not_an_object": 18_000, "not_json": 1},
        ),
    ],
    ids=["numbers", "empty arrays", "empty objects", "empty bodies", "bodies of two"],
)
def test_many_small_values_are_counted_one_by_one(raw: bytes, ends: dict[str, int]) -> None:
    assert counted(raw) == ends


def peak(work: Callable[[], object]) -> int:
    """Bytes that it takes at most."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_values_come_one_by_one_and_not_all_at_once() -> None:
    raw = b"[" + b"[]," * 300_000 + b"[]]"
    parsed = peak(lambda: orjson.loads(raw))
    assert peak(lambda: [*unwrap(raw)]) < 1.5 * parsed


def matryoshka(depth: int) -> bytes:
    """An event in SQS in SNS in an array in base64, again and again."""
    inner = text(envelope())
    wraps = [
        lambda each: text(sqs(each)),
        lambda each: text(sns(each)),
        lambda each: f"[{each}, {text(envelope())}]",
        lambda each: text({"value": base64.b64encode(each.encode()).decode()}),
    ]
    for level in range(depth):
        inner = wraps[level % 4](inner)
    return inner.encode()


@pytest.mark.parametrize("depth", [1, 4, 8, 12])
def test_wrappers_of_every_kind_within_each_other(depth: int) -> None:
    raw = matryoshka(depth)
    assert counted(raw) == {"value": 1 + (depth + 1) // 4} if len(raw) <= MAX_BYTES else {"too_large": 1}


def test_base64_of_base64_is_no_wrapper() -> None:
    once = base64.b64encode(text(envelope()).encode())
    assert counted(orjson.dumps({"value": once.decode()})) == {"value": 1}
    twice = orjson.dumps({"value": base64.b64encode(once).decode()})
    assert counted(twice) == {"not_json": 1}


@pytest.mark.parametrize("opening", [b'{"value":', b'{"body":', b"[", b'{"Records":['])
def test_what_nests_without_end_is_one_dead_letter(opening: bytes) -> None:
    raw = opening * (1_000_000 // len(opening))
    assert set(counted(raw)) <= {"too_deep", "not_json"}
    assert sum(counted(raw).values()) == 1


def test_in_a_replay_all_counts_add_up(tmp_path: Path) -> None:
    file = tmp_path / "bombs.jsonl"
    over = of_keys(MAX_KEYS + 1)
    tiny = b"[" + b"{}," * 999 + b"{}]"
    file.write_bytes(b"\n".join([over, tiny, matryoshka(3), b'{"value":' * 70 + b"1" + b"}" * 70]) + b"\n")
    document = replay([str(file)])
    reasons = Counter(each.reason for each in document.dead_letters)
    summary = document.summary
    assert reasons == {"too_many_keys": 1, "no_cluster": 1000, "too_deep": 1}
    assert summary.read == summary.applied + summary.duplicate + sum(summary.ignored.values()) + summary.dead_lettered
    letter = next(each for each in document.dead_letters if each.reason == "too_many_keys")
    assert json.loads(base64.b64decode(letter.data)) == json.loads(over)
