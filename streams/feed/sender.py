"""Records into one topic, each acknowledged by all replicas, or the reason why not; never both by halves.

Knows: kafka-python's idempotent producer, how long each of its steps may take.
Must not know: queues, events.

A record whose fate is unknown (no answer in time) counts as not sent: it will come again.  Then it may be in the topic
twice, which the worker counts as a duplicate; left out, it would be lost.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError

from streams.handshake import Bounded

PREFIX = "HYPERPOD_STATE_"
LARGEST = 4 << 20
"""A message of SQS has 1 MiB at most; a batch for one partition should be one piece all the same."""
LINGER_MS = 100
"""Nothing leaves before the whole batch is there, then all of it at once: one request to each leading broker."""
CONNECT_SHARE, CONNECT_SECONDS = 0.4, 8.0
"""How much of the time a connection may take; a broker that answers at all answers sooner."""
HANDSHAKE_SECONDS = 3.0
"""Of one broker: so where one is frozen there is time for another."""


class BadSetting(ValueError):
    """A variable of the function's environment is missing or wrong."""


class Record(NamedTuple):
    """Key and value, as Kafka keeps them."""

    key: bytes | None
    value: bytes


@dataclass(frozen=True)
class Access:
    """Where Kafka is and how one logs in: the names of the worker's own settings, as far as they make sense here."""

    brokers: str
    topic: str = "hyperpod.events.raw"
    tls: bool = True
    mechanism: str = ""
    region: str = ""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Access:
        """From a function's variables.  Raises BadSetting."""
        brokers = environment.get(f"{PREFIX}BROKERS", "").strip()
        if not brokers:
            raise BadSetting(f"{PREFIX}BROKERS: where is Kafka? Give host:port, comma-separated.")
        mechanism = environment.get(f"{PREFIX}KAFKA_SASL_MECHANISM", "")
        if mechanism not in ("", "AWS_MSK_IAM"):
            raise BadSetting(f"{PREFIX}KAFKA_SASL_MECHANISM: this function knows AWS_MSK_IAM, or none")
        tls = environment.get(f"{PREFIX}KAFKA_TLS", "true").lower()
        if tls not in ("true", "false") or (mechanism and tls == "false"):
            raise BadSetting(f"{PREFIX}KAFKA_TLS: true or false, and true with a login")
        topic = environment.get(f"{PREFIX}RAW_TOPIC") or cls.topic
        return cls(brokers, topic, tls == "true", mechanism, environment.get("AWS_REGION", ""))

    def options(self) -> dict[str, Any]:
        """For kafka-python."""
        common: dict[str, Any] = {"bootstrap_servers": [each.strip() for each in self.brokers.split(",")]}
        if not self.tls:
            return common
        context = Bounded(ssl.create_default_context(), HANDSHAKE_SECONDS)
        common |= {"security_protocol": "SSL", "ssl_context": context}
        if self.mechanism:
            from streams.feed.iam import tokens

            login = {"sasl_mechanism": "OAUTHBEARER", "sasl_oauth_token_provider": tokens(self.region)}
            common |= {"security_protocol": "SASL_SSL", **login}
        return common


class Sender:
    """Keeps its producer from one batch to the next, until something fails."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._producer: Any = None

    def send(self, records: Sequence[Record], seconds: float) -> list[str]:
        """For each record why Kafka does not have it, "" where it does.  Takes that many seconds at most."""
        until = time.monotonic() + seconds
        try:
            producer = self._connected(seconds)
        except (KafkaError, OSError) as error:
            return [f"no connection to Kafka at {self._access.brokers}: {_said(error)}"] * len(records)
        faults = self._sent(producer, records, until)
        if any(faults):
            self.close()
        return faults

    def close(self) -> None:
        """Forget the producer: one that failed may hold records, or be out of step with the broker."""
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                producer.close(timeout=1)
            except KafkaError as error:
                print(f"the producer did not close: {_said(error)}", flush=True)

    def _connected(self, seconds: float) -> Any:
        if self._producer is None:
            connect = int(1000 * min(CONNECT_SECONDS, seconds * CONNECT_SHARE))
            deliver = int(1000 * seconds) - 2 * connect
            self._producer = KafkaProducer(
                **self._access.options(),
                enable_idempotence=True,
                acks="all",
                linger_ms=LINGER_MS,
                batch_size=LARGEST,
                max_request_size=2 * LARGEST,
                bootstrap_timeout_ms=connect,
                max_block_ms=connect,
                request_timeout_ms=deliver // 2,
                delivery_timeout_ms=deliver,
                allow_auto_create_topics=False,
            )
        return self._producer

    def _sent(self, producer: Any, records: Sequence[Record], until: float) -> list[str]:
        pending = self._handed_over(producer, records)
        with suppress(KafkaError):  # each record is asked for its own fate; a batch that was split says "not done" here
            producer.flush(timeout=max(0.0, until - time.monotonic()))
        return [each if isinstance(each, str) else _fate(each, until) for each in pending]

    def _handed_over(self, producer: Any, records: Sequence[Record]) -> list[Any]:
        """A future of each, or why there is none.  Without the topic's partitions each further record waits in vain."""
        found: list[Any] = []
        for number, record in enumerate(records):
            try:
                found.append(producer.send(self._access.topic, key=record.key, value=record.value))
            except KafkaTimeoutError as error:
                why = f"topic {self._access.topic} cannot be written to: {_said(error)}"
                return found + [why] * (len(records) - number)
            except KafkaError as error:
                found.append(_said(error))
        return found


def _fate(future: Any, until: float) -> str:
    try:
        future.get(timeout=max(0.0, until - time.monotonic()))
    except KafkaError as error:
        return _said(error)
    return ""


def _said(error: BaseException) -> str:
    """Errors of kafka-python mostly say what they are."""
    name, text = type(error).__name__, str(error)
    return text if name in text else f"{name}: {text}".rstrip(": ")
