"""Dead letters back into the raw topic, after what broke them is mended.

Knows: which of several letters of one value to take, what of a letter is the value, how to mark the copy.
Must not know: commands, terminals.

A copy carries the id of the first letter of its value in a header.  If it is still broken, the worker writes the id
into the new letter's origin: so all letters of one value are known as such, and feeding all of them again feeds each
value once.  A copy of what was applied before is a duplicate, by the identity of its event.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError

from models.timestamps import parse_ms
from streams import codecs
from streams.connection import REACH_MS, NoKafka, making, options
from streams.deadletter.advice import advice
from streams.deadletter.letters import Letter, data_of
from streams.producers import let_go
from streams.reader import Reader
from streams.settings import Settings

SEND_SECONDS = 60.0


@dataclass(frozen=True)
class Copy:
    """A value to be fed again, as a record of the raw topic."""

    letter: Letter
    value: bytes
    time_ms: int | None
    partition: int | None


@dataclass(frozen=True)
class Fed:
    """What became of one letter: where its copy is, or why there is none."""

    letter: Letter
    place: tuple[int, int] | None
    left_out: str | None = None

    def item(self, topic: str) -> dict[str, Any]:
        """For output."""
        where = None if self.place is None else {"topic": topic, "partition": self.place[0], "offset": self.place[1]}
        return {"key": self.letter.key, "reason": self.letter.reason, "fed_to": where, "left_out": self.left_out}


def choose(found: Iterable[Letter], keys: Collection[str], reasons: Collection[str]) -> list[Letter]:
    """One letter of each value that is meant, the first one where it is still there; by the order of the topic.

    Without keys and reasons all values are meant.
    """
    firsts: dict[str, Letter] = {}
    meant: dict[str, None] = {}
    for letter in found:
        if letter.root not in firsts or letter.replay_of is None:
            firsts[letter.root] = letter
        by_key = not keys or letter.key in keys or letter.id in keys
        if by_key and (not reasons or letter.reason in reasons):
            meant[letter.root] = None
    return [firsts[root] for root in meant]


def copies(reader: Reader, settings: Settings, chosen: Iterable[Letter]) -> Iterator[Copy | Fed]:
    """What is to be fed of each; Fed where nothing can be."""
    count = len(reader.partitions(settings.raw_topic))
    for letter in chosen:
        if not advice(letter.reason).again:
            yield Fed(letter, None, "feeding it again cannot help")
            continue
        data = data_of(reader, settings, letter)
        if data is None:
            yield Fed(letter, None, "it has left the topic")
            continue
        yield _copy(settings, letter, data, count)


def _copy(settings: Settings, letter: Letter, data: bytes, count: int) -> Copy | Fed:
    if letter.origin.get("topic") == settings.events_topic:
        try:
            record = codecs.read_forwarded(data)
        except codecs.DecodeError as error:
            return Fed(letter, None, str(error))
        if record.observation is None or bytes(record.event) == b"null":
            return Fed(letter, None, "it holds no event")
        return Copy(letter, bytes(record.event), record.observed_ms, None)
    partition = letter.origin.get("partition")
    known = isinstance(partition, int) and 0 <= partition < count
    return Copy(letter, data, parse_ms(letter.time), partition if known else None)


def feed(settings: Settings, prepared: Iterable[Copy | Fed]) -> Iterator[Fed]:
    """Writes the copies, each with the time of the record that it was first read from.  NoKafka where Kafka refuses."""
    with making(settings):
        producer = KafkaProducer(
            **options(settings),
            bootstrap_timeout_ms=REACH_MS,
            max_block_ms=int(SEND_SECONDS * 1000),
            max_request_size=settings.max_record_bytes,
            acks="all",
        )
    try:
        for each in prepared:
            yield each if isinstance(each, Fed) else _send(producer, settings, each)
    except KafkaError as error:
        raise NoKafka(f"Kafka does not take records into {settings.raw_topic}: {error}") from error
    finally:
        let_go(producer)


def _send(producer: KafkaProducer, settings: Settings, copy: Copy) -> Fed:
    sent = producer.send(
        settings.raw_topic,
        value=copy.value,
        headers=[(codecs.REPLAY_HEADER, copy.letter.root.encode()[: codecs.REPLAY_BYTES])],
        partition=copy.partition,
        timestamp_ms=copy.time_ms,
    ).get(timeout=SEND_SECONDS)
    return Fed(copy.letter, (sent.partition, sent.offset))
