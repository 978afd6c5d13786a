"""A folder that comes back after days: what Kafka has compacted away meanwhile, deletions too, is not believed."""

from __future__ import annotations

import asyncio
import time
import uuid
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from faust.types import TP
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic

from streams.app import _faust_app
from streams.restore import Restorer
from streams.settings import Settings
from streams.tables import Tables
from streams.topics import changelog
from tests.kafka import consume

if TYPE_CHECKING:
    from tests.kafka import Broker

HOUR_MS = 3_600_000
AT_ONCE = {
    "cleanup.policy": "compact",
    "segment.ms": "200",
    "min.cleanable.dirty.ratio": "0.01",
    "delete.retention.ms": "0",
}


class Log:
    """A changelog that Kafka compacts at once."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self.bootstrap, self.topic = bootstrap, topic
        self._producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all")
        admin = KafkaAdminClient(bootstrap_servers=bootstrap)
        admin.create_topics([NewTopic(topic, 1, 1, None, AT_ONCE)], wait_for_metadata=True)
        admin.close()

    def write(self, key: bytes, value: bytes | None, hours: float) -> None:
        """As it was so long ago."""
        time_ms = round(time.time() * 1000 - hours * HOUR_MS)
        self._producer.send(self.topic, key=key, value=value, partition=0, timestamp_ms=time_ms).get(30)

    def left(self) -> list[bytes | None]:
        return [record.key for record in consume(self.bootstrap, self.topic)]

    def close(self) -> None:
        self._producer.close()


def test_a_row_that_was_deleted_days_ago_is_not_there_again(kafka: Broker, tmp_path: Path) -> None:
    settings = Settings(brokers=kafka.bootstrap, data_dir=tmp_path, app_id=f"old-{uuid.uuid4().hex}", partitions=1)
    tables = Tables(_faust_app(settings, "http://127.0.0.1:1"), settings)
    restorer, tp = Restorer(settings, tables, lambda *_: None), TP(changelog(settings, "instances"), 0)
    log = Log(kafka.bootstrap, tp.topic)

    async def restored() -> dict[bytes, bytes]:
        await restorer.restore([tp])
        await restorer.settled()
        return dict(tables.scan("instances", 0))

    with closing(log):
        log.write(b"lifted", b"1", 72)
        log.write(b"kept", b"1", 72)
        assert asyncio.run(restored()) == {b"lifted": b"1", b"kept": b"1"}
        log.write(b"lifted", None, 48)
        deadline = time.monotonic() + 150
        while b"lifted" in log.left():
            assert time.monotonic() < deadline
            log.write(b"other", b"1", 0)
            time.sleep(1)
        assert asyncio.run(restored()) == {b"kept": b"1", b"other": b"1"}
