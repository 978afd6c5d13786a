"""What must hold of any bytes at all, however they were found.

Knows: unwrapping, reading, replaying.  Must not know: who makes the bytes (pytest, Hypothesis and atheris do).

`reads` and `counts` are quick, for millions of inputs; `folds` goes on through judgement to the document.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from models.canonical import canonical
from models.observation import Observation
from models.public import Document, Summary, dumps
from models.reading import read
from models.unwrap import Ignored, Reason, Unreadable, Value, unwrap
from streams import codecs
from streams.replay import Replay

ORIGIN = codecs.Origin("fuzz", 0, 0, 0)
Read = Observation | Ignored | Unreadable


def reads(data: bytes) -> None:
    """Any bytes are read, twice alike; what is read can be carried, what cannot is kept whole."""
    outcomes = list(_read(data))
    assert outcomes == list(_read(data))
    for outcome in outcomes:
        if isinstance(outcome, Observation):
            _can_be_carried(outcome)
    _are_whole([outcome.data for outcome in outcomes if isinstance(outcome, Unreadable)], data)


def folds(data: bytes) -> None:
    """Any bytes become a document in strict JSON, twice alike, that counts every value once."""
    job, again = Replay(), Replay()
    job.feed("fuzz", data)
    again.feed("fuzz", data)
    document = job.document()
    shown = dumps(document)
    assert shown == dumps(again.document())
    assert orjson.loads(shown)["summary"]["read"] == document.summary.read
    _adds_up(document.summary)
    assert document.summary.dead_lettered == len(document.dead_letters)
    assert all(letter.reason in set(Reason) for letter in document.dead_letters)
    _are_whole([base64.b64decode(letter.data, validate=True) for letter in document.dead_letters], data)
    _second_time_is_nothing_new(job, data, document)


def counts(data: bytes) -> None:
    """The rows take whatever is read, every value is counted once, and the second time it is nothing new."""
    job = Replay()
    job.feed("fuzz", data)
    first = job.summary()
    _adds_up(first)
    job.feed("fuzz", data)
    second = job.summary()
    _adds_up(second)
    assert second.read == 2 * first.read
    assert second.applied - first.applied <= first.dead_lettered  # answers that told no time: by now one is known
    assert second.duplicate >= first.applied + first.duplicate


LAWS: dict[str, Callable[[bytes], None]] = {"reads": reads, "counts": counts, "folds": folds}


def _read(data: bytes) -> Iterator[Read]:
    for value in unwrap(data):
        outcome = read(value, latest=lambda _: None) if isinstance(value, Value) else value
        assert isinstance(outcome, Observation | Ignored | Unreadable), outcome
        yield outcome


def _can_be_carried(observation: Observation) -> None:
    """It becomes a record of `hyperpod.events`, and the same observation again."""
    record = codecs.read_forwarded(codecs.forwarded(ORIGIN, None, observation, {}))
    assert record.observation is not None
    assert codecs.encode(record.observation) == codecs.encode(observation)
    assert canonical(observation.details)


def _adds_up(summary: Summary) -> None:
    ignored = sum(summary.ignored.values())
    assert summary.read == summary.applied + summary.duplicate + ignored + summary.dead_lettered


def _second_time_is_nothing_new(job: Replay, data: bytes, first: Document) -> None:
    """A value read again is a duplicate, ignored or dead again, but for an answer that told no time by itself: by now
    the newest time of its cluster is known.
    """
    job.feed("fuzz", data)
    second = job.document()
    _adds_up(second.summary)
    before, after = first.summary, second.summary
    timeless = sum(letter.reason == Reason.NO_TIME for letter in first.dead_letters)
    assert after.read == 2 * before.read
    assert after.applied - before.applied <= timeless
    assert after.ignored == {name: 2 * count for name, count in before.ignored.items()}
    assert 2 * before.dead_lettered - timeless <= after.dead_lettered <= 2 * before.dead_lettered


def _are_whole(letters: list[bytes], data: bytes) -> None:
    """Each stands, just as it is, in the bytes that came or in a text within them."""
    missing = [letter for letter in letters if letter not in data]
    if missing:
        texts = list(_texts(data))
        assert all(any(letter in text for text in texts) for letter in missing), missing


def _texts(data: bytes, depth: int = 0) -> Iterator[bytes]:
    """Every text within a text; found by Python's own reader, which `unwrap` does not use where all is well."""
    yield data
    try:
        value = json.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError):
        return
    for text in _strings(value) if depth < 70 else ():
        plain = text.encode(errors="surrogatepass")
        yield from _texts(plain, depth + 1)
        try:
            yield from _texts(base64.b64decode(b"".join(plain.split()), validate=True), depth + 1)
        except binascii.Error:
            continue


def _strings(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
        else:
            waiting += each.values() if isinstance(each, dict) else each if isinstance(each, list) else ()
