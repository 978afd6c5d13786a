"""Changelogs as a version of the program wrote them, kept in a file: for a later version to restore.

`python -m tests.broker.changelogs FILE` writes what today's version makes of a small story, with the raw values.
"""

from __future__ import annotations

import gzip
import json
import signal
import sys
import tempfile
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

from kafka import KafkaProducer

from streams.broker import EmbeddedKafka, free_port
from streams.settings import Settings
from streams.topics import RAW_TABLE, TABLES, changelog, prepare
from tests.broker.lab import Lab, event

SETTINGS = {"settle_seconds": 1}


def story() -> list[bytes]:
    """Instances that were born, of which some failed; each has two steps behind it, or three."""
    return [event(cluster, instance, step) for cluster in range(3) for instance in range(9) for step in range(3)]


def dump(lab: Lab, raw: list[bytes]) -> dict[str, Any]:
    """The changelogs' records by table, and the values that made them."""
    tables = {
        name: [[r.partition, _text(r.key), _text(r.value)] for r in lab.read_topic(f"{lab.app_id}-{name}-changelog")]
        for name in (*TABLES, RAW_TABLE)
    }
    return {"raw": [_text(value) for value in raw], "tables": tables}


def load(lab: Lab, path: Path) -> list[bytes]:
    """Into the lab's own topics, before its first worker; returns the raw values."""
    kept = json.loads(gzip.decompress(path.read_bytes()))
    settings = Settings(**lab.settings)
    prepare(settings)
    producer = KafkaProducer(bootstrap_servers=lab.bootstrap, acks="all")
    try:
        for name, records in kept["tables"].items():
            for partition, key, value in records:
                producer.send(changelog(settings, name), key=_bytes(key), value=_bytes(value), partition=partition)
        producer.flush(60)
    finally:
        producer.close()
    return [data for value in kept["raw"] if (data := _bytes(value)) is not None]


def _text(data: bytes | None) -> str | None:
    return None if data is None else b64encode(data).decode()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text)


def main(path: Path) -> None:
    """Write the file."""
    with tempfile.TemporaryDirectory() as folder, EmbeddedKafka(Path(folder) / "kafka", port=free_port()) as kafka:
        lab = Lab(kafka.bootstrap, Path(folder), **SETTINGS)
        try:
            lab.start()
            lab.wait_ready()
            lab.produce(story())
            lab.wait_done()
            lab.audit()
        finally:
            lab.stop(signal.SIGTERM)
        path.write_bytes(gzip.compress(json.dumps(dump(lab, story())).encode(), mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
