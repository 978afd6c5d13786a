"""A lane, without a broker: chunks, checkpoints, transactions that are lost, events that cannot be folded."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from streams import codecs
from streams.agents.handover import messages_of
from streams.lane import TURN, Batch, Cadence, Lane
from streams.message import Message, fetched
from streams.pace import Pace
from streams.transaction import Record, RecordTooLarge, TransactionLost
from streams.transport import Chunk


class Writer:
    """Stands for Transactions: remembers what was committed; loses the writes that it is told to lose.

    Of those whose number is told negative only the answer is lost.
    """

    def __init__(self, lose: set[int]) -> None:
        self.committed: list[list[bytes | None]] = []
        self.offsets: list[int] = []
        self._lose, self._tries = lose, 0

    async def claim(self) -> None:
        """Nothing to fence out."""

    async def close(self) -> None:
        """Nothing to close."""

    async def write(self, records: list[Record], offsets: dict[tuple[str, int], int]) -> list[int]:
        await asyncio.sleep(0)
        if any(record.value == b"large" for record in records):
            raise RecordTooLarge("told to")
        self._tries += 1
        if self._tries in self._lose:
            raise TransactionLost("told to")
        self.committed.append([record.value for record in records])
        self.offsets += offsets.values()
        if -self._tries in self._lose:
            raise TransactionLost("told to, and yet it is written")
        return list(range(len(records)))


class Tables:
    """Stands for the local store: the last progress row."""

    def __init__(self) -> None:
        self.row = 0

    def apply(self, table: str, partition: int, rows: dict[bytes, bytes | None], offset: int) -> None:
        assert (table, partition) == ("progress", 0)
        [value] = rows.values()
        self.row = int(value or b"0")


class Summing(Lane):
    """Adds up what it is given; `bad` cannot be added, and half of it has happened when that is noticed."""

    def load(self) -> None:
        self.next = self.tables.row
        self.values: list[bytes] = []

    def fold(self, message: Message) -> None:
        self.values.append(message.value or b"")
        if message.value == b"bad" and message.offset not in self.poison:
            raise ZeroDivisionError
        if message.offset in self.poison:
            self.values[-1] = b"buried"

    def cut(self) -> Batch:
        batch = Batch(self.next, self.covered, [Record("t", 0, b"k", value) for value in self.values])
        batch.add(Record("c", 0, b"progress", str(self.next).encode()), "progress")
        self.values = []
        return batch


async def worked(values: list[bytes], lose: set[int]) -> tuple[list[bytes | None], list[int]]:
    """What is committed in the end, and the offsets committed on the way."""
    writer, tables = Writer(lose), Tables()

    async def recover(_: Lane) -> None:
        tables.row = writer.offsets[-1] if writer.offsets else 0

    lane = Summing("s", 0, tables, writer, Cadence(0.01, 2, 0.001), recover)  # type: ignore[arg-type]
    lane.load()
    ended: list[asyncio.Task[None]] = []
    lane.begin(ended.append)
    for offset, value in enumerate(values):
        await lane.take([Message(offset, value, None)])
        await asyncio.sleep(0.002 if offset % 3 else 0)
    async with asyncio.timeout(10):
        while not (writer.offsets and writer.offsets[-1] == len(values)):
            await asyncio.sleep(0.001)
    assert not ended
    await lane.end(1)
    return [value for batch in writer.committed for value in batch[:-1]], writer.offsets


def test_what_one_fetch_brought_of_a_partition_is_one_message_to_faust_and_many_to_a_lane() -> None:
    records = [SimpleNamespace(offset=n, value=b"v", timestamp=n, headers=(), key=None) for n in (4, 5, 9)]
    records[2].headers = ((codecs.REPLAY_HEADER, b"letter"),)
    *before, last = (fetched(None, record) for record in records)
    chunk = Chunk("t", 3, [*before, replace(last, last=True)])
    assert (chunk.offset, chunk.partition) == (9, 3)
    assert [(each.offset, each.time_ms, each.replay_of, each.last) for each in messages_of(chunk)] == [
        (4, 4, None, False),
        (5, 5, None, False),
        (9, 9, "letter", True),
    ]


def test_where_an_hour_would_be_waited_what_is_read_to_the_end_is_checkpointed_at_once() -> None:
    """The second message has another behind it, so that they make one checkpoint."""

    async def taken() -> list[int]:
        tables, writer, hour = Tables(), Writer(set()), Cadence(3600, 10**6, 3600)
        lane = Summing("s", 0, tables, writer, hour, lambda lane: asyncio.sleep(0))  # type: ignore[arg-type]
        lane.load()
        lane.begin(lambda task: None)
        for messages in ([("1", True)], [("2", False)], [("3", False), ("4", True)], [("5", True)]):
            given = [Message(int(text) - 1, text.encode(), None, last=last) for text, last in messages]
            await lane.take(given)
            while messages[-1][1] and lane.busy:
                await asyncio.sleep(0)
        await lane.drop()
        return writer.offsets

    assert asyncio.run(taken()) == [1, 4, 5]


@pytest.mark.parametrize("told", ["more stands behind it", "a backlog is on its way"])
def test_where_more_is_known_to_come_silence_is_no_reason_for_a_checkpoint(told: str) -> None:
    """Other partitions may have their turn meanwhile; there is one checkpoint when the interval is over."""

    async def taken() -> list[int]:
        tables, writer, cadence = Tables(), Writer(set()), Cadence(0.3, 10**6, 0.001)
        lane = Summing("s", 0, tables, writer, cadence, lambda lane: asyncio.sleep(0))  # type: ignore[arg-type]
        lane.upstream = lambda: told == "a backlog is on its way"
        lane.load()
        lane.begin(lambda task: None)
        for offset in range(3):
            await lane.take([Message(offset, b"1", None, last=told == "a backlog is on its way")])
            await asyncio.sleep(0.01)
        while lane.busy:
            await asyncio.sleep(0)
        await lane.drop()
        return writer.offsets

    assert asyncio.run(taken()) == [3]


@pytest.mark.parametrize(
    ("ends", "behind"),
    [([False, False, True, False], [False, True, False, False, True]), ([None] * 3, [False] * 4)],
    ids=["chunks", "records of Faust's own transport, of which nothing is known"],
)
def test_a_lane_is_behind_once_it_has_not_seen_the_end_for_a_while(
    monkeypatch: pytest.MonkeyPatch, ends: list[bool | None], behind: list[bool]
) -> None:
    now = [100.0]
    monkeypatch.setattr("streams.lane.time", SimpleNamespace(monotonic=lambda: now[0]))

    async def told() -> list[bool]:
        tables, hour, found = Tables(), Cadence(3600, 10**6, 3600), []
        lane = Summing("s", 0, tables, Writer(set()), hour, lambda lane: asyncio.sleep(0))  # type: ignore[arg-type]
        lane.load()
        lane.begin(lambda task: None)
        for offset, last in enumerate(ends):
            await lane.take([Message(offset, b"1", None, last=last)])
            found.append(lane.behind)
            now[0] += 1
        await lane.drop()
        return [*found, lane.behind]

    assert asyncio.run(told()) == behind


def test_what_ends_a_backlog_does_not_wait_for_what_the_backlog_took() -> None:
    """The first checkpoint takes long enough to be paid for with minutes of rest, were it not one of a backlog."""

    async def taken() -> list[int]:
        tables, writer = Tables(), Writer(set())
        lane = Summing("s", 0, tables, writer, Cadence(3600, 2, 3600), lambda lane: asyncio.sleep(0))  # type: ignore[arg-type]
        now = [0.0]
        lane._pace = Pace(lambda: now[0])
        lane.load()
        lane.begin(lambda task: None)
        await lane.take([Message(offset, b"1", None, last=False) for offset in range(2)])
        while lane.next != lane.committed:
            now[0] += 60
            await asyncio.sleep(0)
        await lane.take([Message(2, b"1", None, last=True)])
        while lane.busy:
            await asyncio.sleep(0)
        await lane.drop()
        return writer.offsets

    assert asyncio.run(taken()) == [2, 3]


def test_a_lane_that_is_told_of_no_end_waits_for_silence() -> None:
    async def taken() -> list[int]:
        tables, writer, silence = Tables(), Writer(set()), Cadence(3600, 10**6, 0.01)
        lane = Summing("s", 0, tables, writer, silence, lambda lane: asyncio.sleep(0))  # type: ignore[arg-type]
        lane.load()
        lane.begin(lambda task: None)
        for offset in range(3):
            await lane.take([Message(offset, b"1", None)])
        while lane.busy:
            await asyncio.sleep(0)
        await lane.drop()
        return writer.offsets

    assert asyncio.run(taken()) == [3]


class TestPace:
    """Checkpoints may take half of a lane's time."""

    def pace(self, took: float, between: float, count: int) -> list[float]:
        """How long each of `count` had to wait, where there was something to write every so often."""
        now, waited = [0.0], []
        pace = Pace(lambda: now[0])
        now[0] = 100.0
        for number in range(count):
            due = max(now[0], 100.0 + number * between)
            now[0] = due
            waited.append(round(pace.rest(), 6))
            now[0] += pace.rest()
            with pace.spending():
                now[0] += took
        return waited

    def test_what_is_rare_never_waits(self) -> None:
        assert self.pace(took=0.02, between=0.1, count=50) == [0.0] * 50

    def test_a_few_in_a_row_do_not_wait_either(self) -> None:
        assert self.pace(took=0.02, between=0.0, count=7) == [0.0] * 7

    def test_what_never_ends_is_written_as_often_as_its_share_allows(self) -> None:
        assert self.pace(took=0.02, between=0.0, count=50)[-1] == 0.02
        assert self.pace(took=0.2, between=0.0, count=50)[-1] == 0.2

    def test_an_outage_is_no_measure_of_what_comes_after_it(self) -> None:
        assert self.pace(took=100.0, between=0.0, count=2) == [0.0, 1.0]


def test_a_lane_that_is_given_up_half_way_through_a_chunk_takes_nothing_more() -> None:
    async def taken() -> tuple[int, int]:
        tables, writer, slow = Tables(), Writer(set()), Cadence(60, 10**6, 60)
        lane = Summing("s", 0, tables, writer, slow, lambda lane: asyncio.sleep(0))  # type: ignore[arg-type]
        lane.load()
        lane.begin(lambda task: None)
        taking = asyncio.create_task(lane.take([Message(offset, b"1", None) for offset in range(10 * TURN)]))
        await asyncio.sleep(0)
        half = lane.next
        await lane.drop()
        await taking
        return half, lane.next

    half, after = asyncio.run(taken())
    assert half == after == TURN


@pytest.mark.parametrize("size", [100, 5_000], ids=["small ones", "one that is too much alone"])
def test_large_messages_are_checkpointed_and_waited_for_by_their_bytes(size: int) -> None:
    """Where an hour would be waited, and a million of them taken."""

    async def taken() -> tuple[list[int], int]:
        tables, writer, wide = Tables(), Writer(set()), Cadence(3600, 10**6, 0.001, bytes=1_000)
        lane = Summing("s", 0, tables, writer, wide, lambda lane: asyncio.sleep(0))  # type: ignore[arg-type]
        lane.load()
        lane.begin(lambda task: None)
        most = 0
        for offset in range(100):
            await lane.take([Message(offset, b"1" * size, None, last=False)])
            most = max(most, lane._kept.bytes)
        while lane.next > lane.committed + 10:
            await asyncio.sleep(0)
        left = lane._kept.bytes
        assert left == sum(len(message.value or b"") for message in lane._kept)
        await lane.drop()
        assert lane._kept.bytes == 0
        return writer.offsets, most

    offsets, most = asyncio.run(taken())
    assert offsets == sorted(offsets)
    assert offsets[-1] > 90
    assert most <= max(2_000, size)


def test_what_is_delivered_again_to_a_lane_that_does_not_fold_is_kept_once() -> None:
    async def taken() -> tuple[list[int], int]:
        tables, writer = Tables(), Writer(set())
        lane = Summing("s", 0, tables, writer, Cadence(60, 10**6, 60), lambda lane: asyncio.sleep(0))  # type: ignore[arg-type]
        lane.load()
        lane.begin(lambda task: None)
        lane.open = False
        messages = [Message(offset, b"1", None) for offset in range(4)]
        await lane.take(messages[:3])
        await lane.take(messages[1:])
        kept = [message.offset for message in lane._kept]
        lane._reload()
        folded = lane.next
        await lane.drop()
        return kept, folded

    assert asyncio.run(taken()) == ([0, 1, 2, 3], 4)


class TestLane:
    """Every message is in exactly one committed transaction, whatever happens to the others."""

    values = tuple(str(number).encode() for number in range(40))

    @pytest.fixture(autouse=True)
    def _at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("streams.lane.RETRY_SECONDS", (0.0,))

    def run(self, values: list[bytes], lose: set[int]) -> tuple[list[bytes | None], list[int]]:
        return asyncio.run(worked(values, lose))

    @pytest.mark.parametrize("lose", [set(), {1}, {2, 3}, {1, 2, 3, 5, 8}, {-1, -4}, {2, -3, 4}])
    def test_lost_transactions_are_made_good(self, lose: set[int]) -> None:
        committed, offsets = self.run(list(self.values), lose)
        assert committed == list(self.values)
        assert offsets == sorted(offsets)

    def test_what_is_being_written_is_finished_before_the_partition_is_given_up(self) -> None:
        async def no_recovery(_: Lane) -> None:
            raise AssertionError("nothing was lost")

        async def ended() -> list[int]:
            writer, tables = Writer(set()), Tables()
            lane = Summing("s", 0, tables, writer, Cadence(0.01, 2, 0.001), no_recovery)  # type: ignore[arg-type]
            lane.load()
            lane.begin(lambda task: None)
            lane.poke()
            await asyncio.sleep(0)
            await lane.end(5)
            return writer.offsets

        assert asyncio.run(ended()) == [0]

    @pytest.mark.parametrize("lose", [set(), {2}, {3, 4}, {-2}])
    def test_an_event_that_breaks_the_fold_is_buried_alone(self, lose: set[int]) -> None:
        values = list(self.values)
        values[0] = values[7] = values[8] = b"bad"
        committed, _ = self.run(values, lose)
        assert committed == [b"buried" if value == b"bad" else value for value in values]

    @pytest.mark.parametrize("lose", [set(), {2}, {3, 4}, {-1, -2}, {-3, 4, -5}])
    def test_an_event_that_makes_a_record_too_large_is_buried_alone(self, lose: set[int]) -> None:
        values = list(self.values)
        values[0] = values[7] = values[8] = values[-1] = b"large"
        committed, offsets = self.run(values, lose)
        assert committed == [b"buried" if value == b"large" else value for value in values]
        assert offsets == sorted(offsets)
