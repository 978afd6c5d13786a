"""What a worker can be told, and from where: environment variables `HYPERPOD_STATE_…`, or keyword arguments.

Knows: names, defaults and bounds of the worker's settings.
Must not know: Kafka, Faust, what the settings do.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from models.deadlines import Thresholds

HOUR_MS = 3_600_000


class PlainError(Exception):
    """Something that a user can mend: its message says what to do, and no traceback is wanted."""


class StartError(PlainError):
    """The worker cannot start."""


class Settings(BaseSettings):
    """Durations are seconds unless the name says otherwise."""

    model_config = SettingsConfigDict(env_prefix="HYPERPOD_STATE_", frozen=True, extra="forbid")

    brokers: str = Field(default="127.0.0.1:19092", description="Kafka bootstrap servers, host:port, comma-separated.")
    app_id: str = Field(
        default="hyperpod-state",
        pattern=r"^[A-Za-z0-9._-]{1,100}$",
        description="Consumer group, and prefix of changelog topics and transactional ids.",
    )

    raw_topic: str = "hyperpod.events.raw"
    events_topic: str = "hyperpod.events"
    transitions_topic: str = "hyperpod.transitions"
    anomalies_topic: str = "hyperpod.anomalies"
    deadletter_topic: str = "hyperpod.deadletter"
    status_topic: str = "hyperpod.status"
    partitions: int = Field(default=4, ge=1, le=1000, description="Partitions of every topic but the raw one.")
    raw_partitions: int = Field(default=4, ge=1, le=1000, description="Partitions of the raw topic.")
    replication_factor: int = Field(default=1, ge=1, le=9)
    create_topics: bool = Field(default=True, description="Create what is missing; else refuse to start.")
    accept_recreated_topics: bool = Field(
        default=False, description="Go on although a topic was deleted and made anew since the tables were written."
    )

    data_dir: Path = Field(default=Path(".run/worker"), description="Tables on disk; one worker per folder.")
    instance_id: str = Field(default="", pattern=r"^[A-Za-z0-9._-]{0,100}$", description="Empty: kept in data_dir.")
    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8780, ge=0, le=65535)

    session_timeout: float = Field(default=30.0, ge=6.0, le=90.0)
    transport: Literal["committed", "faust"] = Field(
        default="committed", description="`faust`: Faust's own aiokafka transport; slower, and reads what was aborted."
    )
    checkpoint_interval: float = Field(default=1.0, gt=0.0, le=60.0)
    checkpoint_events: int = Field(default=5000, ge=1, description="A checkpoint at the latest after so many events.")
    forward_interval: float = Field(default=0.25, gt=0.0, le=60.0, description="As checkpoint_interval, of raw events.")
    quiet_seconds: float = Field(default=0.03, gt=0.0, le=10.0, description="Silence after which not to wait longer.")
    tick_seconds: float = Field(default=5.0, gt=0.0, le=60.0)
    status_seconds: float = Field(default=60.0, gt=0.0)
    settle_seconds: float = Field(
        default=60.0, ge=0.0, description="How long what a late event may explain is kept from the anomalies topic."
    )
    restore_deadline: float = Field(default=300.0, gt=0.0, description="Tables not restored by then: the worker ends.")
    stop_seconds: float = Field(default=5.0, gt=0.0, description="At most this long for the last checkpoint.")

    lateness_ms: int = Field(default=24 * HOUR_MS, ge=0, description="How late an event may be to change the past.")
    lateness_events: int = Field(default=64, ge=1, description="But never fewer than this many events of an entity.")
    ceiling_events: int = Field(default=4096, ge=1)
    ceiling_bytes: int = Field(default=256 * 1024, ge=1024)

    thresholds: Thresholds = Field(
        default_factory=Thresholds, description="JSON: deadlines and windows that anomalies are judged by."
    )

    max_record_bytes: int = Field(default=16 * 1024 * 1024, ge=1024 * 1024, description="Of any topic of ours.")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["text", "json"] = "text"

    @field_validator("brokers")
    @classmethod
    def _hosts(cls, value: str) -> str:
        hosts = [host.strip() for host in value.split(",") if host.strip()]
        if not hosts:
            raise ValueError("give at least one host:port")
        return ",".join(hosts)

    @property
    def bootstrap(self) -> list[str]:
        """The brokers as clients want them."""
        return self.brokers.split(",")

    def public(self) -> str:
        """The settings as one line of JSON, for the log; none of them is a secret."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True)
