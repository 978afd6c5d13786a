"""Every topic of the worker, created and checked before Faust starts.

Knows: names, partition counts, cleanup policies, what to tell a user where the cluster disagrees.
Must not know: records.

Faust would create changelogs lazily and subscribe to what it finds: an agent whose topic is missing at start stays
silent, and a wrong partition count scatters keys.  So the worker starts only when everything stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from kafka.errors import TopicAlreadyExistsError

from streams.connection import REQUEST_MS, NoKafka, admin_client
from streams.settings import Settings, StartError

CLUSTER_TABLES = ("clusters", "instance_groups", "instances")
"""Tables whose rows are of one cluster each: their keys begin with its ARN."""
BROADCASTS = "broadcasts"
"""The table of what concerns many clusters; every partition has all of it."""
ROW_TABLES = (*CLUSTER_TABLES, BROADCASTS)
"""Tables of the state alone: what folding makes."""
TABLES = (*ROW_TABLES, "anomalies", "progress")
"""Tables that are partitioned as `events_topic` is."""
REBUILT = (*ROW_TABLES, "progress")
"""Tables that each generation (`settings.tables`) has of its own: what follows from the events alone.

`anomalies` is not among them: it says what the topic was told, whichever tables that came from.
"""
RAW_TABLE = "raw_progress"
"""The table that is partitioned as `raw_topic` is."""
SILENCES_TABLE = "silences_progress"
"""The table that is partitioned as `silences_topic` is: not at all."""
POLICY, LIMIT = "cleanup.policy", "max.message.bytes"
LEAST_BYTES = 1 << 20
"""A topic that takes less is refused: Kafka's default is above it."""
DAY_MS = 86_400_000
KEEP_MS = 30 * DAY_MS
SEGMENT = 50 << 20
"""Of compacted topics: the newest segment is never compacted, and a restore reads all of it.  Kafka's own is 1 GiB."""


class TopicError(StartError):
    """The topics are not as the worker needs them; the message says what to do."""


@dataclass(frozen=True)
class Topic:
    """What one topic must be; `config` is for creation, but the cleanup policy is checked too."""

    name: str
    partitions: int
    compacted: bool = False
    config: Mapping[str, str] = field(default_factory=dict)
    ours: bool = True
    """The worker writes to it."""

    @property
    def policy(self) -> str:
        """Kafka's cleanup.policy."""
        return "compact" if self.compacted else "delete"


@dataclass(frozen=True)
class Found:
    """What a topic is: null where it does not exist or cannot be described; `faults` say what to do."""

    topic: Topic
    exists: bool = True
    partitions: int | None = None
    policy: str | None = None
    replicas: int | None = None
    in_sync: int | None = None
    """Replicas that are in step, of the partition that has the fewest."""
    topic_id: str | None = None
    record_bytes: int | None = None
    """The largest record that it takes (max.message.bytes)."""
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Prepared:
    """What the worker learns of its topics: each one's incarnation, which is the id Kafka gave it at creation.

    And the largest record that all of those take that it writes to.
    """

    incarnations: dict[str, str]
    record_bytes: int


def faust_name(settings: Settings, table: str) -> str:
    """What Faust calls a table: its changelog and its local folder follow from that."""
    return f"{settings.tables}-{table}" if settings.tables and table in REBUILT else table


def changelog(settings: Settings, table: str) -> str:
    """The changelog topic's name, by Faust's own rule."""
    return f"{settings.app_id}-{faust_name(settings, table)}-changelog"


def wanted(settings: Settings) -> tuple[Topic, ...]:
    """All topics, the raw one first."""
    count, large = settings.partitions, {LIMIT: str(settings.max_record_bytes)}
    kept, compact = {**large, "retention.ms": str(KEEP_MS)}, {**large, "segment.bytes": str(_segment(settings))}
    named = (
        Topic(settings.raw_topic, settings.raw_partitions, config=large, ours=False),
        Topic(settings.events_topic, count, config=kept),
        Topic(settings.transitions_topic, count, config=kept),
        Topic(settings.deadletter_topic, count, config=kept),
        Topic(settings.anomalies_topic, count, compacted=True, config=compact),
        Topic(settings.status_topic, count, compacted=True, config=compact),
        Topic(settings.silences_topic, 1, compacted=True, config=compact, ours=False),
    )
    tables = tuple(Topic(changelog(settings, name), count, True, compact) for name in TABLES)
    raw = Topic(changelog(settings, RAW_TABLE), settings.raw_partitions, True, compact)
    return (*named, *tables, raw, Topic(changelog(settings, SILENCES_TABLE), 1, True, compact))


def _segment(settings: Settings) -> int:
    """A segment has room for the largest records."""
    return max(SEGMENT, 2 * settings.max_record_bytes)


def beside(settings: Settings) -> tuple[Topic, ...]:
    """Topics that no worker needs: other commands make them."""
    return (alerts_book(settings),)


def member_id(settings: Settings, address: str = "") -> str:
    """What the consumer group calls a worker that is to be known again after a restart (`group.instance.id`).

    A member that comes back within its session is given the partitions that it had, whatever it subscribes to now, and
    the others are not told.  So its id changes with the topics that it works and with the address at which the others
    reach it: after an upgrade, with other tables, or elsewhere, the group shares out anew.
    """
    names = "\n".join([*sorted(topic.name for topic in wanted(settings)), address])
    return f"{settings.instance_id}-{sha256(names.encode()).hexdigest()[:8]}"


def prepare(settings: Settings) -> Prepared:
    """Create what is missing and check the rest.  Raises TopicError."""
    try:
        with admin_client(settings) as admin:
            create_missing(admin, settings)
            found = survey(admin, wanted(settings))
    except NoKafka as error:
        raise TopicError(str(error)) from error
    _verify(found)
    limits = [each.record_bytes for each in found if each.topic.ours and each.record_bytes is not None]
    incarnations = {each.topic.name: str(each.topic_id) for each in found}
    return Prepared(incarnations, min([settings.max_record_bytes, *limits]))


def incarnations(settings: Settings, names: Iterable[str]) -> dict[str, str]:
    """The same of some topics, as they are now.  Raises NoKafka, also where one is not there."""
    asked = list(names)
    with admin_client(settings) as admin:
        found = {each["name"]: each for each in admin.describe_topics(asked)}
    if missing := [name for name in asked if name not in found or found[name].get("error_code")]:
        raise NoKafka(f"There is no topic {missing[0]} at {settings.brokers}.")
    return {name: str(found[name]["topic_id"]) for name in asked}


def alerts_book(settings: Settings) -> Topic:
    """What `hyperpod-state alerts` keeps for itself."""
    return Topic(settings.alerts_topic, 1, compacted=True, config={LIMIT: str(settings.max_record_bytes)})


def prepare_alerts(settings: Settings) -> None:
    """The topic that `hyperpod-state alerts` keeps for itself; no worker needs it.  Raises TopicError and NoKafka."""
    book = alerts_book(settings)
    with admin_client(settings) as admin:
        create_missing(admin, settings, [book])
        _verify(survey(admin, [book]))


def create_missing(admin: KafkaAdminClient, settings: Settings, topics: Iterable[Topic] | None = None) -> None:
    """Create what is not there, or say why not.  TopicError where creation is disabled."""
    there = set(admin.list_topics())
    if missing := [topic for topic in (wanted(settings) if topics is None else topics) if topic.name not in there]:
        _create(admin, settings, missing)


def _create(admin: KafkaAdminClient, settings: Settings, missing: list[Topic]) -> None:
    if not settings.create_topics:
        lines = "\n".join(f"  {t.name}: {t.partitions} partitions, cleanup.policy={t.policy}" for t in missing)
        raise TopicError(
            f"These topics are missing and creation is disabled:\n{lines}\n"
            "Create them so, or set HYPERPOD_STATE_CREATE_TOPICS=true."
        )
    new = [
        NewTopic(t.name, t.partitions, settings.replication_factor, None, {POLICY: t.policy, **t.config})
        for t in missing
    ]
    try:
        admin.create_topics(new, timeout_ms=REQUEST_MS, wait_for_metadata=True)
    except TopicAlreadyExistsError:
        admin.wait_for_topics([t.name for t in missing])  # another worker was quicker


def _verify(survey: Iterable[Found]) -> None:
    wrong = [line for found in survey for line in found.faults]
    if wrong:
        raise TopicError("The topics are not as they have to be:\n" + "\n".join(f"  {each}" for each in wrong))


def survey(admin: KafkaAdminClient, topics: Iterable[Topic]) -> list[Found]:
    """Each of these topics as it is, in their order."""
    known, there = list(topics), set(admin.list_topics())
    present = [topic for topic in known if topic.name in there]
    described = {each["name"]: each for each in admin.describe_topics([t.name for t in present])} if present else {}
    configs = _configs(admin, present) if present else {}
    return [_found(topic, described.get(topic.name), configs.get(topic.name, {})) for topic in known]


def _found(topic: Topic, described: Mapping[str, Any] | None, config: Mapping[str, str]) -> Found:
    if described is None:
        return Found(topic, exists=False)
    policy, limit = config.get(POLICY), config.get(LIMIT)
    record_bytes = None if limit is None else int(limit)
    faults = tuple(_faults(topic, described, policy, record_bytes))
    if described.get("error_code"):
        return Found(topic, faults=faults)
    parts = described["partitions"]
    return Found(
        topic,
        partitions=len(parts),
        policy=policy,
        replicas=min(len(part["replica_nodes"]) for part in parts),
        in_sync=min(len(part["isr_nodes"]) for part in parts),
        topic_id=str(described["topic_id"]),
        record_bytes=record_bytes,
        faults=faults,
    )


def _faults(topic: Topic, found: Mapping[str, Any], policy: str | None, record_bytes: int | None) -> list[str]:
    if found.get("error_code"):
        return [f"{topic.name} cannot be described; look at it with kafka-topics --describe."]
    faults, count = [], len(found["partitions"])
    if count != topic.partitions:
        faults.append(
            f"{topic.name} has {count} partitions, {topic.partitions} are wanted. Set HYPERPOD_STATE_PARTITIONS or "
            "HYPERPOD_STATE_RAW_PARTITIONS to what it has, or use other topic names; never grow a topic in place: "
            "its keys would move away from their rows."
        )
    if policy is not None and policy != topic.policy:
        faults.append(
            f"{topic.name} has cleanup.policy={policy}, {topic.policy} is wanted: "
            f"kafka-configs --alter --entity-type topics --entity-name {topic.name} "
            f"--add-config cleanup.policy={topic.policy}"
        )
    if record_bytes is not None and record_bytes < LEAST_BYTES and topic.ours:
        faults.append(
            f"{topic.name} takes records of at most {record_bytes} bytes, at least {LEAST_BYTES} are wanted: "
            f"kafka-configs --alter --entity-type topics --entity-name {topic.name} --add-config {LIMIT}={LEAST_BYTES}"
        )
    return faults


def _configs(admin: KafkaAdminClient, topics: Iterable[Topic]) -> dict[str, dict[str, str]]:
    """What we look at of each topic's configuration, as far as we may read it."""
    from kafka.admin import ConfigResource, ConfigResourceType

    keys = (POLICY, LIMIT)
    asked = [ConfigResource(ConfigResourceType.TOPIC, t.name, dict.fromkeys(keys, "")) for t in topics]
    answer = admin.describe_configs(asked, config_filter="all")["topic"]
    return {name: {key: str(values[key]["value"]) for key in keys if key in values} for name, values in answer.items()}
