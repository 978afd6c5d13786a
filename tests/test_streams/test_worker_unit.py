"""Small parts of the worker: logs, the data folder, counts."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from aiokafka.errors import NotLeaderForPartitionError

from streams import logs
from streams.counts import MOST_NAMES, OTHERS, count
from streams.settings import Settings
from streams.worker import WorkerError, data_folder


class TestLogs:
    """Libraries are kept short, and no payload gets into a log."""

    def test_a_logger_that_says_too_much_is_cut_short_and_counted(self) -> None:
        now = [0.0]
        limit = logs.RateLimit(rate=2, clock=lambda: now[0])

        def says(text: str) -> logging.LogRecord:
            return logging.LogRecord("aiokafka", logging.WARNING, "", 0, text, (), None)

        assert [limit.filter(says(str(number))) for number in range(5)] == [True, True, False, False, False]
        now[0] = 1.5
        record = says("again")
        assert limit.filter(record)
        assert record.getMessage() == "again (and 3 records left out)"

    def test_what_came_of_a_lost_transaction_too_late_is_not_told(self) -> None:
        def late(error: Exception) -> logging.LogRecord:
            found = (type(error), error, None)
            return logging.LogRecord("asyncio", logging.ERROR, "", 0, "Future exception was never retrieved", (), found)

        assert not logs.NoChatter().filter(late(NotLeaderForPartitionError()))
        assert logs.NoChatter().filter(late(ZeroDivisionError()))

    def test_an_error_is_named_by_its_place_not_by_its_message(self) -> None:
        with pytest.raises(ValueError, match="payload") as caught:
            raise ValueError("payload")
        assert "payload" not in logs.place(caught.value)
        assert "test_worker_unit.py" in logs.place(caught.value)


class TestDataFolder:
    """One worker a folder, the same identity after each start."""

    def test_the_identity_stays_with_the_folder(self, tmp_path: Path) -> None:
        chosen = Settings(data_dir=tmp_path / "a")
        with data_folder(chosen) as first:
            pass
        with data_folder(chosen) as second:
            assert second.instance_id == first.instance_id != ""

    def test_a_second_worker_is_refused(self, tmp_path: Path) -> None:
        chosen = Settings(data_dir=tmp_path)
        with data_folder(chosen), pytest.raises(WorkerError, match="Another worker uses"), data_folder(chosen):
            pass


def test_names_out_of_events_do_not_grow_a_row_without_end() -> None:
    counts: dict[str, int] = {}
    for number in range(10_000):
        count(counts, f"type {number}")
        count(counts, "type 0")
    assert len(counts) == MOST_NAMES + 1
    assert (counts["type 0"], counts[OTHERS]) == (10_001, 10_000 - MOST_NAMES)
    assert sum(counts.values()) == 20_000
