"""Checks of Kafka: brokers, the login, topics, the group, the feed, dead letters.

Knows: admin questions and what their answers should be.
Must not know: HTTP, terminals.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import msgspec
from kafka import KafkaAdminClient, TopicPartition
from kafka.errors import KafkaError
from kafka.protocol.consumer.offsets import OffsetSpec

from streams import codecs
from streams.connection import NoKafka, admin_client
from streams.deadletter.letters import letters
from streams.doctor.check import Check, fail, ok, span, warn
from streams.doctor.clocks import broker_clock, now_ms, record_clocks
from streams.reader import Reader, reader
from streams.settings import Settings
from streams.topics import RAW_TABLE, Found, beside, changelog, survey, wanted

HOUR_MS = 3_600_000
QUIET_MS = 15 * 60_000
"""A feed with heartbeats is never quiet for so long."""
BACKLOG = 1_000
"""Records that wait in one topic beyond which the worker is behind; ticks and markers always keep a few under way."""
TAIL = 64


def kafka_checks(settings: Settings) -> Iterator[Check]:
    """All of them; only the first where Kafka does not answer."""
    try:
        with admin_client(settings) as admin:
            yield _brokers(admin, settings)
            yield _login(settings)
            yield ok("kafka version", ".".join(map(str, admin._manager.broker_version)))
            found = survey(admin, wanted(settings))
            yield from _topics([*found, *(each for each in survey(admin, beside(settings)) if each.exists)])
            if all(each.exists for each in found):
                yield from _of_records(admin, settings, found)
    except NoKafka as error:
        then = "hyperpod-state doctor --brokers HOST:PORT  # or set HYPERPOD_STATE_BROKERS and HYPERPOD_STATE_KAFKA_…"
        yield fail("brokers", str(error), then)


def _brokers(admin: KafkaAdminClient, settings: Settings) -> Check:
    began = time.monotonic()
    cluster = admin.describe_cluster()
    took = round((time.monotonic() - began) * 1000)
    count = len(cluster["brokers"])
    words = f"{count} broker{'s' * (count != 1)} of cluster {cluster['cluster_id']} at {settings.brokers}, {took} ms"
    if count < settings.replication_factor:
        wish = f"HYPERPOD_STATE_REPLICATION_FACTOR={settings.replication_factor} wants more"
        then = f"HYPERPOD_STATE_REPLICATION_FACTOR={count} hyperpod-state doctor  # or start the missing brokers"
        return warn("brokers", f"{words}; {wish}", then)
    return ok("brokers", words)


def _login(settings: Settings) -> Check:
    """A broker that answers has let us in: what it was shown."""
    if not settings.kafka_tls:
        return ok("login", "none, and nothing is encrypted")
    by = settings.kafka_sasl_mechanism
    who = f"as {settings.kafka_username or 'the AWS credentials of this place'} by {by}" if by else "none"
    shown = ", with a certificate of ours" if settings.kafka_certificate_file else ""
    return ok("login", f"{who}, over TLS{shown}")


def _topics(survey: list[Found]) -> Iterator[Check]:
    missing = [found.topic.name for found in survey if not found.exists]
    faults = [fault for found in survey for fault in found.faults]
    behind = [found.topic.name for found in survey if found.exists and (found.in_sync or 0) < (found.replicas or 0)]
    if missing:
        yield fail("topics", f"missing: {', '.join(missing)}", "hyperpod-state topics --create")
    for fault in faults:
        yield fail("topics", fault, "hyperpod-state topics -o wide")
    if behind:
        yield warn("replicas", f"not all in sync: {', '.join(behind)}", "hyperpod-state topics -o wide")
    if not (missing or faults):
        yield ok("topics", f"{len(survey)} topics have the partitions and the policy that they need")


def _of_records(admin: KafkaAdminClient, settings: Settings, found: list[Found]) -> Iterator[Check]:
    newest = {each.topic.name: _newest(admin, each) for each in found[:2]}
    yield from _group(admin, settings, found)
    yield _feed(settings, newest[settings.raw_topic])
    yield record_clocks(newest)
    yield broker_clock(admin, bool(_described(admin, settings.app_id).get("members")))
    with reader(settings) as asked:
        yield _incarnations(asked, settings, found)
        yield _dead_letters(asked, settings)


def _newest(admin: KafkaAdminClient, found: Found) -> int | None:
    """Epoch ms of the newest record."""
    asked = {TopicPartition(found.topic.name, n): OffsetSpec.MAX_TIMESTAMP for n in range(found.partitions or 0)}
    times = [each.timestamp for each in admin.list_partition_offsets(asked).values()] if asked else []
    return max((each for each in times if each >= 0), default=None)


def _group(admin: KafkaAdminClient, settings: Settings, found: list[Found]) -> Iterator[Check]:
    members = len(_described(admin, settings.app_id).get("members") or ())
    start = "hyperpod-state worker"
    if not members:
        yield fail("workers", f"no worker is a member of the group {settings.app_id}", start)
    else:
        yield ok("workers", f"{members} in the group {settings.app_id}")
    committed = _committed(admin, settings.app_id)
    for each in found[:2]:
        yield _lag(admin, each, committed, bool(members))


def _described(admin: KafkaAdminClient, group: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = admin.describe_groups([group])[group]
    except (KafkaError, KeyError):
        return {}
    return found


def _committed(admin: KafkaAdminClient, group: str) -> dict[TopicPartition, int]:
    try:
        found = admin.list_group_offsets({group: None})[group]
    except (KafkaError, KeyError):
        return {}
    return {part: each.offset for part, each in found.items() if each.offset >= 0}


def _lag(admin: KafkaAdminClient, found: Found, committed: dict[TopicPartition, int], working: bool) -> Check:
    name = f"lag of {found.topic.name}"
    parts = [TopicPartition(found.topic.name, number) for number in range(found.partitions or 0)]
    ends = admin.list_partition_offsets(dict.fromkeys(parts, OffsetSpec.LATEST))
    begins = admin.list_partition_offsets(dict.fromkeys(parts, OffsetSpec.EARLIEST))
    waiting = sum(max(0, ends[part].offset - committed.get(part, begins[part].offset)) for part in parts)
    lost = [part.partition for part in parts if part in committed and committed[part] < begins[part].offset]
    if lost:
        words = f"retention took records of partition {', '.join(map(str, lost))} before they were read"
        alter = f"kafka-configs --alter --entity-type topics --entity-name {found.topic.name}"
        return fail(name, words, f"{alter} --add-config retention.ms=…  # longer than the longest outage")
    if waiting > BACKLOG:
        then = "hyperpod-state doctor  # again: it should fall" if working else "hyperpod-state worker"
        return warn(name, f"{waiting} records wait", then)
    return ok(name, f"{waiting} records under way")


def _feed(settings: Settings, newest: int | None) -> Check:
    if newest is None:
        then = f"kafka-console-consumer --topic {settings.raw_topic}  # and look at the EventBridge rule and its target"
        return warn("feed", f"nothing was ever written to {settings.raw_topic}", then)
    age = now_ms() - newest
    words = f"the newest record of {settings.raw_topic} is {span(max(0, age))} old"
    if age > QUIET_MS:
        then = "aws events list-rules  # is the rule on? Heartbeats every 5 minutes tell quiet from dead"
        return warn("feed", words, then)
    return ok("feed", words)


def _incarnations(asked: Reader, settings: Settings, found: list[Found]) -> Check:
    """Whether the tables were written from the topics that there are."""
    decoders: tuple[tuple[str, msgspec.json.Decoder[Any], Found], ...] = (
        (RAW_TABLE, codecs.RAW_PROGRESS, found[0]),
        ("progress", codecs.PROGRESS, found[1]),
    )
    for table, decoder, source in decoders:
        records = asked.records(changelog(settings, table), last=TAIL)
        rows = {record.partition: record.value for record in records if record.key == codecs.PROGRESS_KEY}
        try:
            known = {codecs.decode(decoder, value).incarnation for value in rows.values() if value}
        except codecs.DecodeError as error:
            words = f"{changelog(settings, table)} has a progress row that cannot be read: {error}"
            then = "hyperpod-state rebuild --tables NAME  # the tables anew, from the events"
            return fail("incarnation", words, then)
        if known - {source.topic_id}:
            words = f"{source.topic.name} was deleted and made anew since the tables were written"
            then = (
                "another HYPERPOD_STATE_APP_ID for new tables; HYPERPOD_STATE_ACCEPT_RECREATED_TOPICS=true keeps them"
            )
            return fail("incarnation", words, then)
    return ok("incarnation", "the tables belong to the topics that there are")


def _dead_letters(asked: Reader, settings: Settings) -> Check:
    count = sum(1 for _ in letters(asked, settings, now_ms() - HOUR_MS))
    if count:
        return warn("dead letters", f"{count} in the last hour", "hyperpod-state deadletter list --since -1h")
    return ok("dead letters", "none in the last hour")
