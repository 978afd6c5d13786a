"""What a chunk says of the end of its partition: as aiokafka keeps it, without a broker."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.subscription_state import Assignment

from streams.transport import _is_end

HERE, ELSEWHERE = TopicPartition("events", 0), TopicPartition("events", 1)


def is_end(asked: TopicPartition, position: int | None, stable: int | None) -> bool:
    async def asking() -> bool:
        assignment = Assignment({HERE})
        state = assignment.state_value(HERE)
        state.lso = stable
        if position is not None:
            state.seek(position)
        subscriptions = SimpleNamespace(subscription=SimpleNamespace(assignment=assignment))
        return _is_end(SimpleNamespace(_subscription=subscriptions), asked)

    return asyncio.run(asking())


@pytest.mark.parametrize(
    ("position", "stable", "end"),
    [(7, 7, True), (8, 7, True), (6, 7, False), (7, None, False), (None, 7, False)],
)
def test_a_chunk_is_the_last_where_everything_committed_is_read(position, stable, end) -> None:
    assert is_end(HERE, position, stable) is end


def test_a_partition_that_was_just_taken_away_has_no_end() -> None:
    assert not is_end(ELSEWHERE, 7, 7)
