"""Every wire form, in any nesting; what is counted; why what is no value is none."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.unwrap import Ignored, Reason, Unreadable, Value, unwrap

ARN = "arn:aws:sagemaker:us-west-2:111122223333:cluster/ac7vzqgh29mf"
EVENT = {"EventId": "e-1", "ClusterArn": ARN, "EventTime": 1777885200000, "Description": "Cluster c creation failed"}


def envelope(**fields: Any) -> dict[str, Any]:
    kind = {"detail-type": "SageMaker HyperPod Cluster Event", "source": "aws.sagemaker"}
    return {**kind, "time": "2026-05-04T09:00:01Z", "detail": {"EventDetails": EVENT}, **fields}


def found(value: Any) -> list[Value | Ignored | Unreadable]:
    return list(unwrap(value if isinstance(value, bytes) else json.dumps(value).encode()))


def forms(value: Any) -> list[str]:
    return [each.form if isinstance(each, Value) else repr(each) for each in found(value)]


def reasons(value: Any) -> list[str]:
    return [each.reason if isinstance(each, Unreadable) else repr(each) for each in found(value)]


def text(value: Any) -> str:
    return json.dumps(value)


def b64(value: Any) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


def sqs(*bodies: Any) -> dict[str, Any]:
    return {"Records": [{"messageId": "m", "body": body, "eventSource": "aws:sqs"} for body in bodies]}


def sns(message: Any) -> dict[str, Any]:
    return {"Type": "Notification", "TopicArn": "arn:aws:sns:us-west-2:1:t", "Message": message}


@pytest.mark.parametrize(
    "wrapped",
    [
        envelope(),
        [envelope()],
        [[envelope()]],
        sqs(text(envelope())),
        {"messageId": "m", "body": text(envelope())},
        {"Messages": [{"MessageId": "m", "Body": text(envelope())}]},
        {"body": envelope()},
        sns(text(envelope())),
        sqs(text(sns(text(envelope())))),
        {"Records": [{"EventSource": "aws:sns", "Sns": sns(text(envelope()))}]},
        sqs(text([envelope()])),
        {"records": [{"value": envelope()}]},
        {"records": [{"key": "k", "value": text(envelope())}]},
        {"records": [{"value": b64(envelope())}]},
        {"value": envelope()},
        {"value": {"type": "JSON", "data": envelope()}},
        {"key": None, "value": {"type": "BINARY", "data": b64(envelope())}},
        {"value": b64(sqs(text(sns(text(envelope())))))},
        {"value": text(text(envelope()))},
        [sqs(text([{"records": [{"value": [envelope()]}]}]))],
        text(envelope()),
    ],
)
def test_the_same_envelope_in_every_wrapper(wrapped: Any) -> None:
    assert [each.body for each in found(wrapped) if isinstance(each, Value)] == [envelope()]
    assert forms(wrapped) == ["envelope"]


@pytest.mark.parametrize("nothing", [b"", b" \r\n\t ", b"[]", b"[[], [[]]]", b'{"Records": []}', b'{"Messages": []}'])
def test_what_reads_nothing(nothing: bytes) -> None:
    assert found(nothing) == []


@pytest.mark.parametrize(
    "nothing",
    [{"records": []}, {"Events": []}, {"value": None}, {"records": [{"key": "k", "value": None}]}, sqs("", " ")],
)
def test_tombstones_and_blank_bodies_read_nothing(nothing: Any) -> None:
    assert found(nothing) == []


def test_values_are_counted_after_unwrapping_and_keep_their_order() -> None:
    mixed = [envelope(id="1"), sqs(text(envelope(id="2")), text([envelope(id="3"), envelope(id="4")])), 42]
    assert [each.body["id"] for each in found(mixed) if isinstance(each, Value)] == ["1", "2", "3", "4"]
    assert reasons(mixed)[4:] == ["not_an_object"]
    assert len(found([envelope()] * 3)) == 3


def test_answers_of_the_api() -> None:
    status = {"ClusterArn": ARN, "ClusterStatus": "InService", "InstanceGroups": []}
    assert forms(status) == ["DescribeCluster"]
    assert forms({"ClusterNodeSummaries": []}) == ["ListClusterNodes"]
    assert forms({"EventDetails": EVENT}) == forms(EVENT) == ["DescribeClusterEvent"]


def test_items_and_pages_take_the_shape_of_the_answer() -> None:
    date = {"HTTPHeaders": {"date": "Mon, 04 May 2026 09:00:00 GMT"}}
    page = {"Events": [EVENT, {**EVENT, "EventId": "e-2"}, envelope()], "NextToken": "n", "ResponseMetadata": date}
    first, second, third = found(page)
    assert isinstance(first, Value)
    assert isinstance(second, Value)
    assert first.body == {"EventDetails": EVENT, "ResponseMetadata": date}
    assert second.body["EventDetails"]["EventId"] == "e-2"
    assert isinstance(third, Value)
    assert third.form == "envelope"


def test_an_item_with_metadata_is_not_taken_for_an_answer() -> None:
    item = {**EVENT, "EventDetails": {"EventMetadata": {"Instance": {"NodeLogicalId": "n"}}}}
    [value] = found(item)
    assert isinstance(value, Value)
    assert value.body["EventDetails"] == item


def test_the_transports_time_goes_with_every_value() -> None:
    times = [
        each.observed_ms
        for each in unwrap(text([envelope(), EVENT]).encode(), observed_ms=7)
        if isinstance(each, Value)
    ]
    assert times == [7, 7]


@pytest.mark.parametrize(
    ("other", "kind"),
    [
        (envelope(**{"detail-type": "EC2 Instance State-change Notification", "source": "aws.ec2"}), None),
        (envelope(**{"detail-type": "SageMaker HyperPod Cluster event"}), None),
        (envelope(**{"detail-type": "", "detail": None}), None),
        (envelope(**{"detail-type": "HyperPod State Heartbeat"}), None),
        ({"Type": "SubscriptionConfirmation", "Message": "You have chosen …"}, "SubscriptionConfirmation"),
        (sqs(text({"Type": "UnsubscribeConfirmation"})), "UnsubscribeConfirmation"),
    ],
)
def test_ignored_by_type(other: dict[str, Any], kind: str | None) -> None:
    assert found(other) == [Ignored(other["detail-type"] if kind is None else kind)]


def test_a_type_of_any_length_is_cut() -> None:
    [ignored] = found(envelope(**{"detail-type": "x" * 10_000}))
    assert ignored == Ignored("x" * 256)


def test_heartbeats_and_foreign_sources_of_known_types_are_values() -> None:
    beat = {"detail-type": "HyperPod State Heartbeat", "source": "hyperpod-state", "detail": {}}
    assert forms(beat) == forms(envelope(source="my.simulator")) == ["envelope"]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"not json at all", Reason.NOT_JSON),
        (b"}", Reason.NOT_JSON),
        (b'{"a": 1} {"b": 2}', Reason.NOT_JSON),
        (b'{"a": 01}', Reason.NOT_JSON),
        (b"{'a': 1}", Reason.NOT_JSON),
        (b"[1,]", Reason.NOT_JSON),
        (b'{"a": NaN', Reason.NOT_JSON),
        (b"\x00\x00", Reason.NOT_JSON),
        (b"[" * 100, Reason.NOT_JSON),
        (b'{"a": "\xff"}', Reason.INVALID_UTF8),
        (b"\xff\xfe{\x00}\x00", Reason.INVALID_UTF8),
        (b'"\xed\xa0\x80"', Reason.INVALID_UTF8),
        (b'{"a": "\\ud800"}', Reason.INVALID_UTF8),
        (b'{"a": NaN}', Reason.NOT_FINITE),
        (b"[Infinity]", Reason.NOT_FINITE),
        (b"-Infinity", Reason.NOT_FINITE),
        (b'{"a": 1e999}', Reason.NOT_FINITE),
        (b'{"a": -1E400}', Reason.NOT_FINITE),
        (b'{"a": ' + b"1" * 4000 + b"}", Reason.NOT_FINITE),
        (b'{"a": ' + b"1" * 5000 + b"}", Reason.NOT_FINITE),
        (b"[" * 65 + b"]" * 65, Reason.TOO_DEEP),
        (b'{"a":' * 65 + b"1" + b"}" * 65, Reason.TOO_DEEP),
        (b"[" * 5000 + b"]" * 5000, Reason.TOO_DEEP),
        (b"[" * 500_000, Reason.TOO_DEEP),
        (b'{"a": "' + b"x" * 1_048_576 + b'"}', Reason.TOO_LARGE),
        (b"42", Reason.NOT_AN_OBJECT),
        (b'"text"', Reason.NOT_AN_OBJECT),
        (b"true", Reason.NOT_AN_OBJECT),
        (b"null", Reason.NOT_AN_OBJECT),
        (b"{}", Reason.NO_CLUSTER),
        (b'{"foo": 1}', Reason.NO_CLUSTER),
        (b'{"Type": ["Notification"], "Message": "{}"}', Reason.NO_CLUSTER),
        (b'{"Type": "Notification", "Message": null}', Reason.NO_CLUSTER),
        (b'{"Records": {"body": "{}"}}', Reason.NO_CLUSTER),
        (b'{"ClusterArn": "arn", "foo": 1}', Reason.WRONG_TYPE),
        (b'{"detail-type": 5, "detail": {}}', Reason.WRONG_TYPE),
    ],
)
def test_dead_letters_keep_the_whole_record(raw: bytes, reason: Reason) -> None:
    assert found(raw) == [Unreadable(reason, raw)]


def test_depth_and_size_have_exact_limits() -> None:
    deepest = b'{"detail-type": "t", "detail": ' + b"[" * 63 + b"]" * 63 + b"}"
    assert found(deepest) == [Ignored("t")]
    assert reasons(deepest.replace(b"[]", b"[[]]")) == ["too_deep"]
    wide = text({"detail-type": "t", "detail": [{}] * 1000}).encode()
    assert found(wide) == [Ignored("t")]
    assert list(unwrap(wide, limit=len(wide))) == [Ignored("t")]
    assert list(unwrap(wide, limit=len(wide) - 1)) == [Unreadable(Reason.TOO_LARGE, wide)]


def test_a_byte_order_mark_is_tolerated() -> None:
    raw = b"\xef\xbb\xbf" + text(envelope()).encode()
    assert forms(raw) == ["envelope"]
    assert forms({"value": base64.b64encode(raw).decode()}) == ["envelope"]
    assert forms({"body": raw.decode()}) == ["envelope"]
    assert found(b"\xef\xbb\xbf[ 42 ]") == [Unreadable(Reason.NOT_AN_OBJECT, b"42")]


@pytest.mark.parametrize(
    ("wrapper", "reason", "data"),
    [
        (sqs('{"a": '), Reason.NOT_JSON, b'{"a": '),
        (sqs("hello"), Reason.NOT_JSON, b"hello"),
        (sns("plain words"), Reason.NOT_JSON, b"plain words"),
        (sqs('{"a": NaN}'), Reason.NOT_FINITE, b'{"a": NaN}'),
        (sqs(" 42 "), Reason.NOT_AN_OBJECT, b" 42 "),
        (sqs('"text"'), Reason.NOT_AN_OBJECT, b'"text"'),
        (sqs('{"é": 1}'), Reason.NO_CLUSTER, '{"é": 1}'.encode()),
        ({"value": b64({"foo": 1})}, Reason.NO_CLUSTER, b'{"foo": 1}'),
        ({"value": base64.b64encode(b"\xff{").decode()}, Reason.NOT_JSON, b"/3s="),
        ({"value": base64.b64encode(gzip.compress(b"{}", mtime=0)).decode()[:8]}, Reason.NOT_JSON, b"H4sIAAAA"),
        ({"value": 42}, Reason.NOT_AN_OBJECT, b"42"),
        (sqs(text(["", 5])), Reason.NOT_AN_OBJECT, b'""'),
    ],
)
def test_a_broken_inner_value_is_kept_as_it_stood(wrapper: Any, reason: Reason, data: bytes) -> None:
    first = found(wrapper)[0]
    assert first == Unreadable(reason, data)


def test_an_element_is_cut_out_with_its_own_spelling() -> None:
    raw = b'{"Records" : [ {"x" : 1.50, "x": [ ]} , "\\u0061", {"body":  {"n":1e2} } ]}'
    assert [each.data for each in found(raw) if isinstance(each, Unreadable)] == [
        b'{"x" : 1.50, "x": [ ]}',
        b'"\\u0061"',
        b'{"n":1e2}',
    ]


def test_values_know_their_own_bytes() -> None:
    raw = b'[ {"ClusterStatus" : "x"} , {"detail-type":"SageMaker HyperPod Cluster Event","detail":[ ]}]'
    assert [each.data for each in found(raw) if isinstance(each, Value)] == [raw[2:25], raw[28:-1]]
    assert Value("envelope", {"a": 1}).data == b'{"a":1}'


def test_many_broken_elements_cost_one_look_at_their_array() -> None:
    assert len(found(b"[" * 10 + b"1," * 200_000 + b"1" + b"]" * 10)) == 200_001


def test_wrappers_within_wrappers_have_an_end() -> None:
    wrapped = '{"foo": 1}'
    for _ in range(70):
        wrapped = text({"value": base64.b64encode(wrapped.encode()).decode()}) if len(wrapped) < 700_000 else wrapped
    assert len(found(wrapped.encode())) == 1
    nested = b'{"value":' * 64 + b"1" + b"}" * 64
    assert found(nested) == [Unreadable(Reason.NOT_AN_OBJECT, b"1")]


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
WRAPPER_KEYS = ("Records", "Messages", "records", "Events", "body", "Body", "value", "Type", "Message", "Sns")
LEAF_KEYS = ("detail-type", "detail", "EventDetails", "EventId", "ClusterArn", "ClusterStatus", "ClusterNodeSummaries")
KEYS = st.sampled_from([*WRAPPER_KEYS, *LEAF_KEYS])
WIRE_LIKE = st.recursive(
    ANY_JSON | st.sampled_from(["Notification", "SageMaker HyperPod Cluster Event", "e30=", "{}", "[]"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner | inner.map(json.dumps), max_size=4),
    max_leaves=12,
)


@given(st.binary() | st.text().map(str.encode))
def test_never_raises_on_any_bytes(raw: bytes) -> None:
    for each in unwrap(raw):
        assert isinstance(each, Unreadable | Ignored | Value)


@given(WIRE_LIKE)
def test_never_raises_on_anything_like_the_wire(value: Any) -> None:
    raw = json.dumps(value).encode()
    for each in unwrap(raw):
        assert isinstance(each, Unreadable | Ignored | Value)
        if not isinstance(each, Ignored):
            assert isinstance(each.data, bytes)


@given(st.lists(WIRE_LIKE, max_size=4))
def test_an_array_reads_as_its_elements_do(values: list[Any]) -> None:
    whole = list(unwrap(json.dumps(values, allow_nan=True).encode()))
    if any(isinstance(each, Unreadable) and each.reason in ("not_finite", "too_deep") for each in whole):
        return  # a text that is not strict JSON is refused as a whole
    apart = [each for value in values for each in unwrap(json.dumps(value).encode())]
    assert [type(each) for each in whole] == [type(each) for each in apart]
