"""A worker stays a member of its group while it takes partitions over, however long that is."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import AIOKafkaConsumer
from faust.transport.drivers.aiokafka import ConsumerRebalanceListener

from streams.transport import LivingListener
from tests.kafka import new_topic

if TYPE_CHECKING:
    from tests.kafka import Broker

SESSION_MS = 6000
"""The least that Kafka takes."""


@pytest.mark.parametrize(
    ("listener", "times"),
    [(LivingListener, 1), pytest.param(ConsumerRebalanceListener, 2, id="Faust's own, which is why")],
)
def test_taking_over_may_last_longer_than_a_session(
    kafka: Broker, listener: type[ConsumerRebalanceListener], times: int
) -> None:
    assert asyncio.run(_taken_over(kafka.bootstrap, new_topic(kafka.bootstrap), listener)) == times


async def _taken_over(bootstrap: str, topic: str, listener: type[ConsumerRebalanceListener]) -> int:
    """How often partitions were taken over, the first time slowly, until things are calm."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=topic,
        session_timeout_ms=SESSION_MS,
        heartbeat_interval_ms=1000,
        enable_auto_commit=False,
    )
    taken: list[Any] = []
    through = asyncio.Event()

    async def assigned(partitions: Any, generation: int) -> None:
        taken.append(partitions)
        if len(taken) == 1:
            await asyncio.sleep(SESSION_MS / 1000 + 2)
            through.set()

    async def revoked(_: Any) -> None:
        """Nothing to give up."""

    app = SimpleNamespace(on_rebalance_start=lambda: None)
    thread = SimpleNamespace(
        app=app,
        _ensure_consumer=lambda: consumer,
        changelogs=list,
        on_partitions_assigned=assigned,
        on_partitions_revoked=revoked,
    )
    consumer.subscribe([topic], listener=listener(thread))
    await consumer.start()
    try:
        await through.wait()
        await asyncio.sleep(SESSION_MS / 1000)
        return len(taken)
    finally:
        await consumer.stop()
