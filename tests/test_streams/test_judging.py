"""When a lane judges what it has folded: as soon as it may, and what it publishes never twice with one revision."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from models.observation import Observation
from models.public import Picture
from streams import codecs
from streams.agents.events import BEHIND_SHARE, JUDGE_SHARE, EventsLane
from streams.codecs import Origin
from streams.lane import Cadence, Lane, Message
from streams.pace import Judging
from streams.replay import Replay
from streams.settings import Settings
from streams.shelf import Shelved
from streams.simulate.run import Settings as Made
from streams.simulate.run import simulate
from streams.transaction import Record
from tests.builders import HOUR, START, Node, Site, provisioned, raw, state_change
from tests.oracle import observe

ARN = "arn:aws:sagemaker:us-east-1:111122223333:cluster/abc"
MINUTE = 60_000
SITE = Site()


class Memory:
    """Stands for tables of a worker that starts for the first time."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, bytes], bytes | None] = {}

    def flush(self, partition: int) -> None:
        pass

    def get(self, table: str, partition: int, key: bytes) -> bytes | None:
        return self.rows.get((table, key))

    def scan(self, table: str, partition: int, prefix: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        found = [(key, row) for (name, key), row in sorted(self.rows.items()) if name == table and row is not None]
        return iter([(key, row) for key, row in found if key.startswith(prefix)])


def cut(lane: EventsLane) -> list[Record]:
    """One that is written; the records of the anomalies topic."""
    batch = lane.cut()
    for table, indexes in batch.rows.items():
        for record in (batch.records[index] for index in indexes):
            lane.tables.rows[table, record.key] = record.value  # type: ignore[attr-defined]
    batch.done()
    return [record for record in batch.records if record.topic == lane.settings.anomalies_topic]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What `time.monotonic` says to the lane."""
    now = [100.0]
    monkeypatch.setattr("streams.agents.events.time.monotonic", lambda: now[0])
    return now


def make_lane() -> EventsLane:
    """It owns the only partition, and has caught up."""

    async def recover(_: Lane) -> None:
        raise AssertionError("nothing is lost here")

    made = EventsLane("events", 0, Memory(), None, Cadence(1, 1, 1), recover)  # type: ignore[arg-type]
    made.settings, made.incarnation, made.goal = Settings(raw_partitions=1), "inc", 0
    made.load()
    return made


@pytest.fixture
def lane() -> EventsLane:
    return make_lane()


def fold(lane: EventsLane, data: bytes) -> None:
    lane.fold(Message(lane.next, data, None))
    lane.next += 1


def rolling_back() -> bytes:
    (seen,) = observe(raw([state_change(SITE, START, status="RollingBack")]))
    return codecs.forwarded(Origin("inc", 0, 0, 0), START, seen, {})


def event(number: int) -> bytes:
    seen = Observation(
        event_id=f"e{number}", detail_type="SageMaker HyperPod Cluster State Change", cluster_arn=ARN, time=number
    )
    return codecs.forwarded(Origin("inc", 0, number, 0), number, seen, {})


def test_nothing_is_judged_twice_at_one_place(lane: EventsLane, clock: list[float]) -> None:
    async def run() -> None:
        fold(lane, event(1))
        fold(lane, codecs.tick(0, MINUTE))
        assert _published(lane)
        fold(lane, codecs.tick(0, 2 * MINUTE))
        lane._next_timely = clock[0] + 50
        fold(lane, event(2))
        clock[0] += 1
        assert _published(lane)
        clock[0] += 100  # by now all of it might be judged anew, and whoever pokes the lane makes it cut
        assert not _published(lane)
        fold(lane, codecs.tick(0, 3 * MINUTE))
        assert not _published(lane)
        assert lane.judged_at == 3 * MINUTE

    asyncio.run(run())


@pytest.mark.parametrize(("tick", "age", "share"), [(60, 70, 2.0), (60, 131, 9.0), (5, 19, 2.0), (5, 21, 9.0)])
def test_a_worker_is_behind_when_its_time_is_older_than_ticks_make_it(
    lane: EventsLane, monkeypatch: pytest.MonkeyPatch, tick: float, age: int, share: float
) -> None:
    monkeypatch.setattr("streams.agents.events.time.time", lambda: 1_000_000.0)
    lane.settings = Settings(raw_partitions=1, tick_seconds=tick)
    assert lane._share((1_000_000 - age) * 1000) == share


def test_while_raw_events_are_worked_off_all_partitions_together_judge_a_tenth_of_the_time(
    lane: EventsLane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: 1_000_000.0)
    lane.upstream = lambda: True
    behind = lane._share(1_000_000_000)
    lane.judging.end(99.0, 100.0, behind)
    assert lane._due(behind) == 100.0 + 9.0


def test_partitions_wait_for_each_other_and_nobody_cuts_in_vain(lane: EventsLane, clock: list[float]) -> None:
    """Two wait for their turn: the first to wake takes it, the other one goes on waiting and writes nothing."""

    async def run() -> None:
        for each in both:
            fold(each, event(1))
            fold(each, codecs.tick(0, MINUTE))
            assert _published(each)
            fold(each, event(2))
        clock[0] += 1
        shared.end(clock[0] - 1, clock[0], BEHIND_SHARE)
        assert not any(map(_published, both))
        clock[0] += 9  # its time is old
        for each in both:
            each._work.clear()
            each._try_turn()
        assert [each._work.is_set() for each in both] == [True, False]
        assert not _published(both[1])
        assert _published(both[0])

    other = make_lane()
    both, shared = (lane, other), Judging()
    for each in both:
        each.judging = shared
    asyncio.run(run())


def waiting(lane: EventsLane, at: int) -> None:
    """It was judged, and what came since may not be, for another partition has just been judged."""
    fold(lane, event(1))
    fold(lane, codecs.tick(0, at))
    assert _published(lane)
    fold(lane, event(2))


def test_what_time_alone_brings_waits_for_its_turn_where_another_partition_always_has_something(
    lane: EventsLane, clock: list[float]
) -> None:
    async def run() -> None:
        fold(lane, rolling_back())
        fold(lane, codecs.tick(0, START))
        assert _published(lane)
        until = lane._until[SITE.arn]
        assert until is not None
        clock[0] += 100
        lane.judging.end(clock[0] - 1, clock[0], BEHIND_SHARE)  # by another one, as at every tick from now on
        fold(lane, codecs.tick(0, until))
        assert not _published(lane)
        assert lane._turn is not None
        clock[0] += 10
        lane._work.clear()
        lane._try_turn()
        assert lane._work.is_set()
        assert _published(lane)
        assert [record["kind"] for record in lane.ledger.records()] == ["stuck"]

    asyncio.run(run())


def test_time_moves_on_without_a_turn_where_it_brings_nothing(lane: EventsLane, clock: list[float]) -> None:
    fold(lane, rolling_back())
    fold(lane, codecs.tick(0, START))
    assert _published(lane)
    clock[0] += 100
    lane.judging.end(clock[0] - 1, clock[0], BEHIND_SHARE)
    fold(lane, codecs.tick(0, START + 1))
    assert not _published(lane)
    assert lane.judged_at == START + 1


@pytest.mark.parametrize("behind", [False, True])
def test_a_partition_gets_its_turn_however_often_another_one_is_quicker(
    lane: EventsLane, clock: list[float], monkeypatch: pytest.MonkeyPatch, behind: bool
) -> None:
    """The other one is judged whenever a partition may be that has caught up, and was not passed over."""
    monkeypatch.setattr("streams.agents.events.time.time", lambda: MINUTE / 1000)
    shared = lane.judging

    async def run() -> None:
        waiting(lane, MINUTE)
        lane.upstream = lambda: behind
        shared.end(clock[0] - 1, clock[0], JUDGE_SHARE)
        assert not _published(lane)
        for _ in range(100):
            assert lane._turn is not None
            if (at := shared.due(JUDGE_SHARE)) <= lane._turn.when():
                shared.end(at, at + 1, JUDGE_SHARE)
                continue
            clock[0] = lane._turn.when()
            lane._try_turn()
            if lane._has_turn:
                return
        raise AssertionError("it never was its turn")

    asyncio.run(run())


def test_who_has_the_turn_keeps_others_waiting_for_what_the_newest_took_and_not_for_a_start_long_ago() -> None:
    shared = Judging()
    shared.end(0.0, 60.0, BEHIND_SHARE)
    shared.end(999.0, 1000.0, JUDGE_SHARE)
    shared.begin(2000.0, JUDGE_SHARE)
    assert (shared.due(JUDGE_SHARE), shared.due(BEHIND_SHARE)) == (2002.0, 2002.0)


def test_who_was_judged_without_waiting_for_it_takes_no_other_turn(lane: EventsLane, clock: list[float]) -> None:
    async def run() -> None:
        waiting(lane, MINUTE)
        lane.judging.end(clock[0] - 1, clock[0], BEHIND_SHARE)
        assert not _published(lane)
        clock[0] += 20
        assert _published(lane)
        assert lane._turn is None

    asyncio.run(run())


def test_a_partition_that_is_given_up_takes_no_turn(lane: EventsLane, clock: list[float]) -> None:
    class Writer:
        async def close(self) -> None:
            pass

    lane._writer = Writer()  # type: ignore[assignment]

    async def run() -> None:
        waiting(lane, MINUTE)
        lane.judging.end(clock[0] - 1, clock[0], BEHIND_SHARE)
        assert not _published(lane)
        timer = lane._turn
        assert timer is not None
        await lane.drop()
        assert timer.cancelled()

    asyncio.run(run())


def test_the_end_of_a_backlog_is_not_waited_for_as_its_middle(
    lane: EventsLane, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.agents.events.time.time", lambda: MINUTE / 1000)

    async def run() -> None:
        waiting(lane, MINUTE)
        lane.upstream = lambda: True
        lane.judging.end(clock[0] - 1, clock[0], BEHIND_SHARE)
        assert not _published(lane)
        assert lane._turn is not None
        assert lane._turn.when() == pytest.approx(clock[0] + 9)
        lane.upstream = lambda: False
        assert not _published(lane)
        assert lane._turn.when() == pytest.approx(clock[0] + 2)

    asyncio.run(run())


@pytest.mark.parametrize(("chosen", "longest"), [(0.02, 0.08), (1.0, 4.0), (3.0, 4.0), (10.0, 10.0)])
def test_checkpoints_of_a_backlog_are_further_apart_but_no_more_than_seconds(
    lane: EventsLane, chosen: float, longest: float
) -> None:
    lane._cadence = Cadence(chosen, 1, 1)
    assert lane.interval == chosen
    lane.upstream = lambda: True
    assert lane.interval == longest


def test_time_alone_judges_those_again_whose_deadline_it_is(lane: EventsLane, clock: list[float]) -> None:
    fold(lane, rolling_back())
    fold(lane, codecs.tick(0, START))
    assert _published(lane)
    until = lane._until[SITE.arn]
    assert until is not None
    for moment in (until - 1, until):
        clock[0] += 100
        fold(lane, codecs.tick(0, moment))
        assert _published(lane) == (moment == until)
        assert [record["kind"] for record in lane.ledger.records()] == ["stuck"] * (moment == until)


def test_a_start_leaves_no_cluster_open(lane: EventsLane, clock: list[float]) -> None:
    """Whoever takes a partition over judges all that is in it, one after the other."""
    fold(lane, rolling_back())
    fold(lane, codecs.tick(0, START + HOUR))
    assert _published(lane)
    shown, records = lane.pictures[SITE.arn], list(lane.ledger.records())
    assert isinstance(shown, Picture)
    lane.load()
    fold(lane, codecs.tick(0, START + HOUR))
    assert _published(lane)
    assert lane.quiet
    again = lane.pictures[SITE.arn]
    assert isinstance(again, Shelved)
    assert (again.picture(), list(lane.ledger.records())) == (shown, records)


def test_a_partition_is_on_the_disk_once_all_of_it_rests_and_is_written(lane: EventsLane, clock: list[float]) -> None:
    flushed: list[int] = []
    lane.tables.flush = flushed.append  # type: ignore[assignment, method-assign]
    fold(lane, rolling_back())
    for moment in range(4):
        fold(lane, codecs.tick(0, START + moment))
        cut(lane)
        clock[0] += 100
    assert (lane.quiet, flushed) == (True, [0])


def _published(lane: EventsLane) -> bool:
    """Whether a cut judges anything; it is written at once."""
    before = lane.shown
    cut(lane)
    return lane.shown > before


def test_what_settles_is_told_when_it_has(lane: EventsLane, clock: list[float]) -> None:
    node = Node(SITE, "workers", "i-00000000000000001")
    for number, seen in enumerate(observe(raw([*provisioned(node, START), node.script(START + HOUR, "Started")]))):
        fold(lane, codecs.forwarded(Origin("inc", 0, number, 0), seen.time, seen, {}))
    settled = START + HOUR + round(lane.settings.settle_seconds * 1000)
    for moment in (START + HOUR, settled - 1, settled):
        clock[0] += 100
        fold(lane, codecs.tick(0, moment))
        assert len(cut(lane)) == (moment == settled)


BURST = 25
"""Values of the history that come at once; the next ones ten seconds later."""


def told(lane: EventsLane, clock: list[float], values: list[bytes], now: int) -> list[dict[str, Any]]:
    """What the topic is told while a history comes in bursts, and until it is clear that no more follows."""
    records, offset = list[Record](), 0
    fold(lane, codecs.tick(0, now))
    for begin in range(0, len(values) + 10 * BURST, BURST):
        for seen in observe(values[begin : begin + BURST]):
            fold(lane, codecs.forwarded(Origin("inc", 0, offset, 0), now, seen, {}))
            offset += 1
        for _ in range(2):  # before time is told, and after
            clock[0] += 100
            records += cut(lane)
            fold(lane, codecs.tick(0, now := now + 5000))
    return [json.loads(record.value) for record in records if record.value]


@pytest.mark.parametrize("seed", range(3))
def test_a_history_in_bursts_tells_of_no_silence_that_was_none(lane: EventsLane, clock: list[float], seed: int) -> None:
    made = simulate(Made(seed, clusters=1, instances=12, hours=3))
    values, end = [value for _, value in made.delivered.values], int(made.truth["now_ms"])

    async def run() -> None:
        records = told(lane, clock, values, end)
        taken_back = [r for r in records if r["kind"] in ("stuck", "repair_not_started") and r["status"] == "retracted"]
        assert not taken_back
        job = Replay()
        for value in values:
            job.feed("file", value)
        now = lane.progress.now
        assert now is not None
        wanted = {each.anomaly_id: each.status for each in job.picture(now).anomalies}
        newest = {record["anomaly_id"]: record["status"] for record in records if record["status"] != "retracted"}
        assert newest == wanted

    asyncio.run(run())


def test_without_that_patience_it_would(lane: EventsLane, clock: list[float]) -> None:
    made = simulate(Made(1, clusters=1, instances=12, hours=3))
    values, end = [value for _, value in made.delivered.values], int(made.truth["now_ms"])
    lane.fleet._patience = None

    async def run() -> None:
        records = told(lane, clock, values, end)
        assert [record for record in records if record["kind"] == "stuck" and record["status"] == "retracted"]

    asyncio.run(run())
