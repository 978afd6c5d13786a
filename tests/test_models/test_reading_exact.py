"""The quick ways to read say what the general ones say: of plain envelopes, and of values of exactly AWS's types."""

from __future__ import annotations

import json
import random
from typing import Any

import botocore.loaders
import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from models import events
from models.events import Wire
from models.exact import exact, read_as
from models.observation import Observation
from models.reading import read
from models.unwrap import MAX_BYTES, Value, unwrap
from models.unwrap.plain import plain
from streams import codecs
from tests.fuzz.laws import generally
from tests.fuzz.mutator import mutate
from tests.fuzz.seeds import seeds
from tests.properties.absurd import KEYS, LEAVES
from tests.test_models.test_reading_properties import LEAF, MEMBERS, META, SCALARS
from tests.test_models.wire import ARN, envelope, never, seen

SHAPES: dict[str, Any] = botocore.loaders.Loader().load_service_model("sagemaker", "service-2")["shapes"]
EVENT = {
    "EventId": "e-1",
    "ClusterArn": ARN,
    "ClusterName": "demo",
    "InstanceGroupName": "workers",
    "InstanceId": "i-0391f86fa0fe0d465",
    "ResourceType": "Instance",
    "EventTime": 1_777_885_200_000,
    "EventLevel": "Info",
    "Description": "EC2 Instance i-0391f86fa0fe0d465 successfully provisioned in Cluster demo and IG workers",
    "EventDetails": {"EventMetadata": {"Instance": {"NodeLogicalId": "n-1", "CustomerEni": None}, "Cluster": None}},
}
PLAIN = json.dumps(envelope({"EventDetails": EVENT}, id="1", **{"replay-name": "r"})).encode()


def ends(raw: bytes) -> list[Any]:
    """All that comes of the bytes."""
    found: list[Any] = []
    for value in unwrap(raw, observed_ms=7):
        if not isinstance(value, Value):
            found.append(value)
            continue
        outcome = read(value, latest=never)
        spelled = msgspec.json.encode(outcome) if isinstance(outcome, Observation) else b""
        found.append((value.form, value.body, value.observed_ms, value.data, outcome, spelled))
    return found


def is_read_alike(raw: bytes) -> None:
    quick = ends(raw)
    with generally():
        assert quick == ends(raw)


def test_what_eventbridge_sends_is_plain() -> None:
    assert plain(PLAIN, MAX_BYTES)
    [value] = unwrap(PLAIN)
    assert isinstance(value, Value)
    assert value.plain
    assert value.body == json.loads(PLAIN)
    is_read_alike(PLAIN)


def test_a_value_of_several_lines_is_written_again_on_one() -> None:
    pretty = json.dumps(json.loads(PLAIN), indent=1).replace("\n", "\r\n").encode()
    (value,) = unwrap(pretty)
    assert isinstance(value, Value)
    assert value.plain is not None
    written = msgspec.json.encode(value.written)
    assert not {*b"\r\n"} & {*written}
    assert json.loads(written) == json.loads(PLAIN)
    assert value.data == pretty


def test_a_value_is_written_again_as_it_stood_or_as_it_was_parsed() -> None:
    spaced = PLAIN.replace(b": ", b" :  ")
    for raw, written in ((spaced, spaced), (b"[" + spaced + b"]", msgspec.json.encode(json.loads(PLAIN)))):
        [value] = unwrap(raw)
        assert isinstance(value, Value)
        assert msgspec.json.encode(value.written) == written
        forwarded = codecs.forwarded(codecs.Origin("i", 0, 0, 0), None, seen(json.loads(PLAIN)), value.written)
        assert bytes(codecs.read_forwarded(forwarded).event) == written


def test_an_envelope_in_sqs_is_as_plain() -> None:
    [value] = unwrap(json.dumps({"Records": [{"body": PLAIN.decode()}]}).encode())
    assert isinstance(value, Value)
    assert value.plain
    assert value.data == PLAIN


def test_every_member_that_aws_has_may_be_null_in_a_plain_envelope() -> None:
    members = {
        name: dict.fromkeys(SHAPES[member["shape"]]["members"])
        for name, member in SHAPES["EventMetadata"]["members"].items()
    }
    for metadata in (dict.fromkeys(members), {**members, "SlurmHealth": None}):
        record = dict.fromkeys(SHAPES["ClusterEventDetail"]["members"]) | {"EventId": "e"}
        record["EventDetails"] = {"EventMetadata": metadata}
        raw = json.dumps(envelope({"EventDetails": record})).encode()
        assert plain(raw, MAX_BYTES)
        is_read_alike(raw)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"e-1"', b'"\\ud800"'),
        (b'"e-1"', b'"\\ud800\\ud801"'),
        (b'"e-1"', b'"\\udc00"'),
        (b'"e-1"', b'"\\ud83d\\ude00 \\u0000 \xf0\x9f\x98\x80"'),
        (b'"e-1"', b'"\xff"'),
        (b'"e-1"', b'"\xed\xa0\x80"'),
        (b'"e-1"', b'"\xc0\x80"'),
        (b'"e-1"', b'"\x01"'),
        (b'"e-1"', b'""'),
        (b'"e-1"', b"5"),
        (b'"EventId"', b'"\\u0045ventId"'),
        (b'"EventId": "e-1"', b'"EventId": 5, "EventId": "e-2"'),
        (b'"EventId": "e-1"', b'"EventId": "e-2", "EventId": 5'),
        (b'"EventId": "e-1"', b'"EventId": "e-2", "Surprise": [[[]]]'),
        (b'"EventId": "e-1"', b'"EventId": "e-2", "Surprise": 1e999'),
        (b'"account"', b'"accounts"'),
        (b'"111122223333"', b"null"),
        (b'"111122223333"', b"111122223333"),
        (b'["', b'[null, "'),
        (b'"detail": {', b'"detail": {"ClusterArn": 5,'),
        (b'"detail": {', b'"detail": {"EventId": "flat",'),
        (b'"detail": {', b'"detail": 5, "detail": {'),
        (b'"detail-type"', b'"detail-type": "x", "detail-type"'),
        (b"1777885200000", b"1777885200"),
        (b"1777885200000", b"1777885200000.5"),
        (b"1777885200000", b"1777885200000.0"),
        (b"1777885200000", b"17778852e5"),
        (b"1777885200000", b"-0"),
        (b"1777885200000", b"1e-400"),
        (b"1777885200000", b"1e400"),
        (b"1777885200000", b"9007199254740993"),
        (b"1777885200000", b"18446744073709551616"),
        (b"1777885200000", b"1" * 400),
        (b"1777885200000", b"01"),
        (b"1777885200000", b"NaN"),
        (b"1777885200000", b"true"),
        (b"1777885200000", b'"2026-05-04T09:00:00.123Z"'),
        (b"1777885200000", b'"soon"'),
        (b"1777885200000", b"[" * 70 + b"]" * 70),
        (b'"n-1"', b'["n-1"]'),
        (b'"n-1"', b'"n-1", "CapacityReservation": {"Arn": "a", "Type": 5}'),
        (b'"n-1"', b'"n-1", "FailureMessage": 5'),
        (b'"Cluster": null', b'"Cluster": {"CapacityReservation": {"Arn": "a"}}'),
        (b'"Cluster": null', b'"InstanceGroupScaling": {"TargetCount": 0, "MinCount": 2.0, "InstanceCount": true}'),
        (PLAIN[-1:], b"} "),
        (PLAIN[-1:], b"}x"),
        (PLAIN[-1:], b"},"),
        (PLAIN[:1], b"\xef\xbb\xbf{"),
        (PLAIN[:1], b" \r\n\t{"),
        (PLAIN[:1], b"\x0b{"),
    ],
)
def test_an_envelope_that_is_nearly_plain_is_read_alike(old: bytes, new: bytes) -> None:
    raw = PLAIN.replace(old, new, 1) if old != PLAIN[-1:] else PLAIN[:-1] + new
    assert raw != PLAIN
    is_read_alike(raw)


def test_the_limit_of_size_is_that_of_all() -> None:
    for limit in (len(PLAIN), len(PLAIN) - 1):
        quick = [type(each) for each in unwrap(PLAIN, limit=limit)]
        with generally():
            assert quick == [type(each) for each in unwrap(PLAIN, limit=limit)]


ANYTHING = st.recursive(
    LEAVES | SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=4,
)
NEARLY = st.fixed_dictionaries({}, optional={key: st.just(value) | ANYTHING for key, value in EVENT.items()})
TOP = st.dictionaries(
    st.sampled_from((*envelope({}), "id", "replay-name", "Surprise")), ANYTHING | st.text(), max_size=2
)


@given(NEARLY, META, TOP)
def test_anything_in_any_place_of_an_envelope_is_read_alike(
    record: dict[str, Any], metadata: Any, top: dict[str, Any]
) -> None:
    raw = envelope({"EventDetails": {**EVENT, **record, "EventDetails": {"EventMetadata": metadata}}}) | top
    is_read_alike(json.dumps(raw).encode())


@given(st.integers(0, 2**32), st.sampled_from([PLAIN, *(seed for seed in seeds() if len(seed) < 5000)]))
def test_seeds_and_their_changes_are_read_alike(number: int, seed: bytes) -> None:
    is_read_alike(mutate(seed, 16_384, number))
    is_read_alike(spoilt(seed, random.Random(number)))


def spoilt(seed: bytes, chance: random.Random) -> bytes:
    """A few bytes changed, gone, or copied to another place, so that members come twice too."""
    raw = bytearray(seed or b"{}")
    for _ in range(chance.choice((1, 1, 2, 3))):
        place, other = chance.randrange(len(raw) + 1), chance.randrange(len(raw) + 1)
        new = chance.choice(
            (bytes([chance.randrange(256)]), b"\\ud800", b"1e999", b"null", bytes(raw[other : other + 30]))
        )
        raw[place : place + chance.choice((0, 1, 1, 3))] = new
    return bytes(raw)


def aliases(model: type[Wire]) -> list[str]:
    return [str(field.alias) for field in model.model_fields.values()]


MODELS = sorted(
    (each for each in vars(events).values() if isinstance(each, type) and issubclass(each, Wire) and each is not Wire),
    key=lambda each: each.__name__,
)
NUMBERS = st.sampled_from((0, -1, 2**53, 2**53 + 1, 2**64, 5.0, 5.5, 1e300, True, "5", " 5 ", "5.0", "1e3"))
WIRE_KEYS = st.sampled_from(sorted({*MEMBERS, *(alias for model in MODELS for alias in aliases(model))}))
PART = st.recursive(
    LEAF | NUMBERS | META,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WIRE_KEYS, inner),
    max_leaves=10,
)


def said(thing: Any, model: type[Wire]) -> dict[str, Any]:
    """What the model's fields say, whatever sort of object has them."""
    return {name: _plainly(getattr(thing, name)) for name in model.model_fields}


def _plainly(value: Any) -> Any:
    if isinstance(value, list):
        return [_plainly(each) for each in value]
    if isinstance(value, msgspec.Struct | Wire):
        names = type(value).model_fields if isinstance(value, Wire) else value.__struct_fields__
        return {name: _plainly(getattr(value, name)) for name in names}
    return type(value), value


@given(st.data(), st.sampled_from(MODELS))
@example(None, events.Cluster)
def test_an_exact_model_says_what_its_model_says(data: st.DataObject | None, model: type[Wire]) -> None:
    record: dict[str, Any] = {"InstanceGroups": [{"CurrentCount": 5.0, "FailureMessages": [True]}]}
    if data is not None:
        record = data.draw(st.fixed_dictionaries({"Surprise": PART}, optional=dict.fromkeys(aliases(model), PART)))
    try:
        expected = said(model.model_validate(record), model)
    except ValidationError:
        with pytest.raises(ValidationError):
            read_as(model, record)
        return
    assert said(read_as(model, record), model) == expected


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_an_exact_model_takes_what_aws_writes(model: type[Wire]) -> None:
    nulls = dict.fromkeys(aliases(model))
    assert isinstance(read_as(model, nulls), exact(model))
    assert isinstance(read_as(model, {**nulls, "Surprise": {}}), exact(model))


def test_a_slow_machine_is_no_failure_whichever_folders_are_run() -> None:
    assert settings().deadline is None
