"""What a worker can be told, and from where: environment variables `HYPERPOD_STATE_…`, or keyword arguments.

Knows: names, defaults and bounds of the worker's settings.
Must not know: Kafka, Faust, what the settings do.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import Field

from models.deadlines import Thresholds
from models.fold import Limits
from streams.access import KafkaAccess
from streams.http_access import HttpAccess

HOUR_MS = 3_600_000


class PlainError(Exception):
    """Something that a user can mend: its message says what to do, and no traceback is wanted."""


class StartError(PlainError):
    """The worker cannot start."""


class Settings(HttpAccess, KafkaAccess):
    """Durations are seconds unless the name says otherwise."""

    app_id: str = Field(
        default="hyperpod-state",
        pattern=r"^[A-Za-z0-9._-]{1,100}$",
        description="Consumer group, and prefix of changelog topics and transactional ids.",
    )

    tables: str = Field(
        default="",
        pattern=r"^[a-z0-9]{0,20}$",
        description="Which tables to work with: empty, or those that `hyperpod-state rebuild --tables NAME` made.",
    )

    raw_topic: str = Field(default="hyperpod.events.raw", description="Raw events, as they come from AWS.")
    events_topic: str = Field(default="hyperpod.events", description="Events that were read, keyed by cluster ARN.")
    transitions_topic: str = Field(
        default="hyperpod.transitions", description="Every change of a machine, accepted or withdrawn."
    )
    anomalies_topic: str = Field(default="hyperpod.anomalies", description="Anomalies; compacted, keyed by anomaly_id.")
    deadletter_topic: str = Field(default="hyperpod.deadletter", description="What could not be read, whole.")
    silences_topic: str = Field(
        default="hyperpod.silences", description="Silences; compacted, keyed by silence_id, one partition."
    )
    alerts_topic: str = Field(
        default="hyperpod.alerts",
        description="Which pages are open where; compacted, of `hyperpod-state alerts` alone.",
    )
    status_topic: str = Field(default="hyperpod.status", description="How far each partition is; compacted.")
    partitions: int = Field(
        default=4, ge=1, le=1000, description="Partitions of every topic but those of raw events and silences."
    )
    raw_partitions: int = Field(default=4, ge=1, le=1000, description="Partitions of the raw topic.")
    replication_factor: int = Field(default=1, ge=1, le=9, description="Of topics that the worker creates.")
    create_topics: bool = Field(default=True, description="Create what is missing; else refuse to start.")
    accept_recreated_topics: bool = Field(
        default=False, description="Go on although a topic was deleted and made anew since the tables were written."
    )

    data_dir: Path = Field(default=Path(".run/worker"), description="Tables on disk; one worker per folder.")
    cache_mb: int = Field(
        default=32,
        ge=1,
        le=65_536,
        description="Memory for the rows of clusters at work, of each partition, roughly. Others stay in data_dir.",
    )
    instance_id: str = Field(default="", pattern=r"^[A-Za-z0-9._-]{0,100}$", description="Empty: kept in data_dir.")
    store: bool = Field(
        default=True, description="Keep transitions and anomalies in data_dir for `hyperpod-state sql`."
    )
    store_days: int = Field(default=90, ge=1, le=3650, description="Days after which the store forgets them.")

    session_timeout: float = Field(
        default=30.0, ge=6.0, le=90.0, description="Silence after which Kafka gives a worker's partitions to another."
    )
    transport: Literal["committed", "faust"] = Field(
        default="committed", description="`faust`: Faust's own aiokafka transport; slower, and reads what was aborted."
    )
    checkpoint_interval: float = Field(
        default=1.0,
        gt=0.0,
        le=60.0,
        description="A checkpoint at the latest after this long; in a backlog four times that, up to 4 s.",
    )
    checkpoint_events: int = Field(default=5000, ge=1, description="A checkpoint at the latest after so many events.")
    checkpoint_bytes: int = Field(
        default=16 * 1024 * 1024,
        ge=64 * 1024,
        description="And after so many bytes of them; of each partition twice as many are kept at most.",
    )
    forward_interval: float = Field(default=0.25, gt=0.0, le=60.0, description="As checkpoint_interval, of raw events.")
    quiet_seconds: float = Field(
        default=0.03, gt=0.0, le=10.0, description="Silence after which not to wait longer for what is left to read."
    )
    tick_seconds: float = Field(default=5.0, gt=0.0, le=60.0, description="How often time moves on without events.")
    status_seconds: float = Field(default=60.0, gt=0.0, description="How often the status topic is told.")
    settle_seconds: float = Field(
        default=60.0,
        ge=0.0,
        description="How long what a late event may explain is kept from the anomalies topic, and history may pause.",
    )
    restore_deadline: float = Field(default=300.0, gt=0.0, description="Tables not restored by then: the worker ends.")
    stop_seconds: float = Field(default=5.0, gt=0.0, description="At most this long for the last checkpoint.")

    lateness_ms: int = Field(default=24 * HOUR_MS, ge=0, description="How late an event may be to change the past.")
    lateness_events: int = Field(default=64, ge=1, description="But never fewer than this many events of an entity.")
    ceiling_events: int = Field(default=4096, ge=1, description="Events that a row retains at most.")
    ceiling_bytes: int = Field(default=256 * 1024, ge=4096, description="Bytes of events that a row retains at most.")

    thresholds: Thresholds = Field(
        default_factory=Thresholds, description="JSON: deadlines and windows that anomalies are judged by."
    )

    max_record_bytes: int = Field(default=16 * 1024 * 1024, ge=1024 * 1024, description="Of any topic of ours.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least that is logged."
    )
    log_format: Literal["text", "json"] = Field(default="text", description="Lines for people, or for machines.")

    @property
    def limits(self) -> Limits:
        """The bound and the ceiling as the fold takes them."""
        return Limits(
            lateness_ms=self.lateness_ms,
            keep=self.lateness_events,
            ceiling_events=self.ceiling_events,
            ceiling_bytes=self.ceiling_bytes,
        )

    def public(self) -> str:
        """The settings as one line of JSON, for the log; without secrets."""
        return json.dumps(self.model_dump(mode="json", exclude=self.secrets()), sort_keys=True)
