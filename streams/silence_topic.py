"""The silences topic as commands use it.

Knows: the topic's records, how one is written so that it is there.
Must not know: commands, which anomalies a silence matches.
"""

from __future__ import annotations

from collections.abc import Iterable

from kafka import KafkaProducer
from kafka.errors import KafkaError

from models.public_silence import Silence
from streams.connection import REQUEST_MS, NoKafka, making, options
from streams.producers import let_go
from streams.reader import has_topic, reader
from streams.settings import Settings
from streams.silences import NotASilence, dump, parse


class NoTopic(NoKafka):
    """Nothing has created the topic yet."""


def known(settings: Settings) -> list[Silence]:
    """What the topic holds, by id; records that are no silences are left out.  Raises NoKafka."""
    found: dict[bytes, Silence] = {}
    with reader(settings) as asked:
        if not asked.partitions(settings.silences_topic):
            raise _no_topic(settings)
        for record in asked.records(settings.silences_topic):
            found.pop(record.key, None)
            try:
                silence = parse(record.value or b"")
            except NotASilence:
                continue
            found[record.key] = silence
    return sorted(found.values(), key=lambda silence: silence.silence_id)


def write(settings: Settings, silences: Iterable[Silence]) -> None:
    """Write records and wait until the broker has them.  Raises NoKafka."""
    if not has_topic(settings, settings.silences_topic):
        raise _no_topic(settings)
    with making(settings):
        producer = KafkaProducer(
            **options(settings),
            acks="all",
            allow_auto_create_topics=False,
            max_request_size=settings.max_record_bytes,
        )
    try:
        sent = [
            producer.send(settings.silences_topic, key=each.silence_id.encode(), value=dump(each)) for each in silences
        ]
        for one in sent:
            one.get(timeout=REQUEST_MS / 1000)
    except KafkaError as error:
        raise NoKafka(f"The silence could not be written to {settings.brokers}: {error}") from error
    finally:
        let_go(producer)


def _no_topic(settings: Settings) -> NoTopic:
    return NoTopic(
        f"There is no topic {settings.silences_topic} at {settings.brokers}. "
        "A worker creates it when it starts; another name is set with HYPERPOD_STATE_SILENCES_TOPIC."
    )
