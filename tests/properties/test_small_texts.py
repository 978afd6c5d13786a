"""Whatever somebody types, or another program writes to our topics, is read or refused by the one error that is caught.

Knows: the small readers of times, tokens, silences, letters and records, and how each says no.
Must not know: who asks them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.timestamps import MAX_MS, MIN_MS, iso, parse_http_ms, parse_ms
from streams import codecs, times
from streams.deadletter.letters import letter_of
from streams.deadletter.refeed import choose
from streams.silences import NotASilence, dump, parse
from streams.since import since
from streams.web.answers import ApiError, cut, key_of, token_of
from tests.properties.absurd import JSON, LEAVES
from tests.test_streams.serving import NOW_MS, anomaly, picture

HUGE = int("1" * 400)
"""No double holds it."""
DEEP = b"[" * 50_000 + b"]" * 50_000
TIME_LIKE = st.from_regex(r"[+-]?[0-9٣TZ:.eE+ -]{0,30}[smhdwZ]?", fullmatch=True)
TYPED = st.text(max_size=40) | TIME_LIKE | st.datetimes().map(str) | st.integers().map(str)
BYTES = st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()) | st.just(DEEP)


def fields(shape: dict[str, Any]) -> st.SearchStrategy[bytes]:
    """Records of a form, each field its own kind or anything."""
    made = {name: kind | LEAVES for name, kind in shape.items()}
    return st.fixed_dictionaries({}, optional=made).map(lambda value: json.dumps(value).encode())


ROWS = fields({"v": st.integers(0, 3), "g": st.just(["a", 1]), "row": JSON})
FORWARDED = fields({"v": st.just(1), "observation": JSON, "event": JSON, "tick": st.just({"partition": 0, "clock": 1})})
LETTERS = fields({"reason": st.text(max_size=5), "data": st.just("eA=="), "origin": JSON, "time": st.text(max_size=5)})
MOMENTS = st.sampled_from(("2026-05-04T09:00:00Z", NOW_MS, HUGE, -HUGE, "1e300", 1e308, "0001-01-01T00:00:00+23:59"))
PATTERNS = st.text("[]!^-*?\\ab&|~", max_size=12)
SILENCES = fields(
    {
        "silence_id": st.text(min_size=1, max_size=5),
        "matchers": st.dictionaries(st.sampled_from(("kind", "instance", "nope")), PATTERNS, min_size=1),
        "starts_at": MOMENTS,
        "until": MOMENTS,
    }
)
SILENCE = {"silence_id": "a", "matchers": {"kind": "*"}}


def _tried(read: Callable[[], Any], refusal: type[Exception]) -> tuple[Any, Any]:
    """What is read, or the refusal; any other error goes on."""
    try:
        return read(), None
    except refusal as error:
        return None, error


@given(TYPED | LEAVES)
@example(HUGE)
@example(-HUGE)
def test_any_time_of_the_wire_is_a_moment_or_none(value: Any) -> None:
    for read in (parse_ms, parse_http_ms):
        ms = read(value)
        assert ms is None or MIN_MS <= ms <= MAX_MS
        assert ms is None or parse_ms(iso(ms)) == ms


@given(TYPED, st.integers(MIN_MS, MAX_MS))
def test_any_time_that_is_typed_is_a_moment_or_refused_by_name(text: str, now: int) -> None:
    for read in (lambda: times.parse(text, now / 1000), lambda: since(text, now)):
        ms, refused = _tried(read, ValueError)
        assert repr(text) in str(refused) if refused else MIN_MS <= ms <= MAX_MS


@given(st.text(max_size=40) | BYTES.map(lambda data: base64.urlsafe_b64encode(data).decode().rstrip("=")))
def test_any_continue_token_is_a_place_in_the_list_or_refused(token: str) -> None:
    key, refused = _tried(lambda: key_of(token, 4), ApiError)
    assert refused.status == 400 if refused else len(key) == 4


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), min_size=1, max_size=4))
def test_a_token_leads_back_to_its_place(key: list[str]) -> None:
    assert key_of(token_of(tuple(key)), len(key)) == tuple(key)
    page, _ = cut(picture().clusters, lambda item: (item.cluster_arn,), 1, 10, token_of((key[0],)))
    assert [item.cluster_arn for item in page] == [
        item.cluster_arn for item in picture().clusters if item.cluster_arn > key[0]
    ]


@given(BYTES | ROWS)
@example(b'{"v":1,"g":["\xff",1],"row":1}')
@example(b'{"v":1,"g":["a",1],"row":' + DEEP + b"}")
def test_any_value_of_a_table_is_a_row_or_refused(data: bytes) -> None:
    try:
        row = codecs.unwrap_row(data, 2)
    except codecs.DecodeError:
        return
    assert row in data
    assert codecs.guard_of(data)


@given(BYTES | FORWARDED)
@example(b'{"v":1,"tick":{"partition":0,"clock":1},"event":' + DEEP + b"}")
@example(b'{"v":1,"observation":{"event_id":"\xff"}}')
def test_any_record_of_the_events_topic_is_ours_or_refused(data: bytes) -> None:
    try:
        record = codecs.read_forwarded(data)
    except codecs.DecodeError:
        return
    assert [record.observation, record.tick, record.silence].count(None) == 2


@given(BYTES | LETTERS, st.none() | st.binary(max_size=5), st.integers(-1, 2**62))
@example(b'{"reason":"x","data":"","origin":{"a":' + DEEP + b"}}", b"k", 0)
def test_any_record_is_a_dead_letter_or_shown_as_foreign(data: bytes, key: bytes | None, written: int) -> None:
    letter, value = letter_of(SimpleNamespace(partition=0, offset=1, key=key, value=data, timestamp=written))
    assert json.dumps(letter.item())
    assert len(value) == letter.size
    assert letter.key
    assert choose([letter, letter], [letter.key], []) == [letter]


@given(BYTES | SILENCES)
@example(json.dumps({**SILENCE, "starts_at": HUGE, "until": HUGE}).encode())
@example(DEEP)
def test_any_record_is_a_silence_or_refused(data: bytes) -> None:
    silence, refused = _tried(lambda: parse(data), NotASilence)
    if refused:
        assert str(refused)
        return
    assert parse(dump(silence)) == silence
    assert silence.matches(anomaly("a1", instance_id="i-1")) in (True, False)


@pytest.mark.parametrize("moment", [HUGE, -HUGE])
def test_a_silence_until_no_moment_at_all_is_refused_by_field(moment: int) -> None:
    with pytest.raises(NotASilence, match="until"):
        parse(json.dumps({**SILENCE, "starts_at": NOW_MS, "until": moment}).encode())
