"""Where values go: a file, or a topic of a real Kafka.

Knows: files, gzip, kafka-python, the pace of a replayed day.
Must not know: what the values say.
"""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Values = list[tuple[int, bytes]]
REACH_MS, SEND_SECONDS = 5_000, 30


class NotDelivered(Exception):
    """Kafka did not take a value, or is not there."""


def write_values(path: Path, values: Values) -> None:
    """One value a line; gzipped where the name ends in `.gz`, without a time stamp: same seed, same bytes."""
    data = b"".join(value + b"\n" for _, value in values)
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def write_truth(path: Path, truth: dict[str, Any]) -> None:
    """TRUTH.json."""
    path.write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")


def produce(
    values: Values,
    client: dict[str, Any],
    topic: str,
    speed: float | None,
    progress: Callable[[int, int | None], None] = lambda *_: None,
) -> int:
    """Sends all values and says how many; `speed`: times as fast as they happened, None: at once.

    `client` says how Kafka is reached, in kafka-python's words.  Progress is of values, or at a speed of the time that
    they tell of.  Raises NotDelivered.
    """
    from kafka import KafkaProducer
    from kafka.errors import KafkaError

    from streams.producers import let_go

    try:
        producer = KafkaProducer(
            **client,
            bootstrap_timeout_ms=REACH_MS,
            max_block_ms=SEND_SECONDS * 1000,
            acks="all",
            linger_ms=20,
        )
    except KafkaError as error:
        raise NotDelivered(f"no Kafka answers at {client['bootstrap_servers']}: {error}") from error
    try:
        began, first = time.monotonic(), values[0][0] if values else 0
        length = values[-1][0] - first if values else 0
        sent = []
        for at, value in values:
            if speed is not None:
                time.sleep(max(0.0, began + (at - first) / 1000 / speed - time.monotonic()))
            sent.append(producer.send(topic, value=value))
            progress(*((len(sent), len(values)) if speed is None else (at - first, length)))
        for future in sent:
            future.get(timeout=SEND_SECONDS)
    except KafkaError as error:
        raise NotDelivered(f"Kafka does not take events into {topic}: {error}") from error
    finally:
        let_go(producer)
    return len(values)
