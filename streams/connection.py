"""How every Kafka client of ours reaches the brokers: one place that makes their options.

Knows: what kafka-python and aiokafka call the same setting; how to find out that nobody answers.
Must not know: topics, records, what a client is for.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from streams.settings import PlainError, Settings

REQUEST_MS = 30_000
CONNECT_SECONDS = 5.0


class NoKafka(PlainError):
    """Kafka does not answer, or does not do what it is asked."""


def options(settings: Settings) -> dict[str, Any]:
    """For clients of kafka-python."""
    return {"bootstrap_servers": settings.bootstrap}


def aio_options(settings: Settings) -> dict[str, Any]:
    """For clients of aiokafka."""
    return {"bootstrap_servers": settings.bootstrap}


def require_listener(settings: Settings) -> None:
    """NoKafka where nobody listens: kafka-python would try for long, and leave its sockets open."""
    if not any(_listens(address) for address in settings.bootstrap):
        raise no_answer(settings)


def no_answer(settings: Settings) -> NoKafka:
    """What to say where no broker answers."""
    return NoKafka(
        f"No Kafka broker answers at {settings.brokers}. Is it running? `hyperpod-state broker` starts one here."
    )


@contextmanager
def admin_client(settings: Settings) -> Iterator[KafkaAdminClient]:
    """A client for questions about the cluster.  NoKafka where it cannot be had, or where Kafka refuses within."""
    require_listener(settings)
    try:
        client = KafkaAdminClient(**options(settings), request_timeout_ms=REQUEST_MS)
    except KafkaError as error:
        raise no_answer(settings) from error
    try:
        yield client
    except KafkaError as error:
        raise NoKafka(f"Kafka at {settings.brokers} could not be asked: {error}") from error
    finally:
        client.close()


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS):
            return True
    except (OSError, ValueError):
        return False
