"""The stream of events that the dashboard follows: what has changed, what is fresh, what is amiss."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import AsyncIterator

import pytest

from streams.settings import Settings
from streams.web import stream
from streams.web.api import create_api
from streams.web.bounds import AT_ONCE
from streams.web.doors import behind
from streams.web.provider import Readiness
from streams.web.stream import Beat, Pulse
from tests.test_streams.doors import asked
from tests.test_streams.serving import Held, served


async def some(events: AsyncIterator[bytes], count: int) -> list[str]:
    found: list[str] = []
    async for each in events:
        found.append(each.decode())
        if len(found) == count:
            break
    return found


class Asked:
    """Answers of the fleet one after the other; the last one for ever."""

    def __init__(self, *beats: Beat) -> None:
        self.beats, self.count = list(beats), 0

    async def __call__(self) -> Beat:
        self.count += 1
        return self.beats.pop(0) if len(self.beats) > 1 else self.beats[0]


class Clock:
    def __init__(self, step: float) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


ONE, SAME, TWO = Beat(b'{"n":1}', "d1"), Beat(b'{"n":1.5}', "d1"), Beat(b'{"n":2}', "d2")
NONE = Beat(b'{"error":{}}', None)


class TestStream:
    def test_a_change_is_told_from_time_going_by_and_trouble_from_both(self) -> None:
        pulse = Pulse(Asked(ONE, SAME, NONE, TWO), seconds=0)
        told = asyncio.run(some(pulse.told(None), 5))[1:]
        assert [each.split("\n")[0] for each in told] == [
            "event: changed",
            "event: fresh",
            "event: trouble",
            "event: changed",
        ]
        assert told[3] == 'event: changed\nid: d2\ndata: {"n":2}\n\n'

    def test_who_comes_back_having_missed_nothing_is_told_of_no_change(self) -> None:
        back = asyncio.run(some(Pulse(Asked(ONE), seconds=0).told("d1"), 2))
        late = asyncio.run(some(Pulse(Asked(TWO), seconds=0).told("d1"), 2))
        assert (back[1].startswith("event: fresh"), late[1].startswith("event: changed")) == (True, True)

    def test_what_does_not_change_is_not_sent_again_but_the_line_is_kept_warm(self) -> None:
        pulse = Pulse(Asked(ONE), seconds=0, clock=Clock(4))
        told = asyncio.run(some(pulse.told(None), 4))
        assert [each.split("\n")[0] for each in told[2:]] == [": still here", ": still here"]

    def test_many_who_watch_cost_one_question(self) -> None:
        asks = Asked(ONE)
        pulse = Pulse(asks, seconds=1000)

        async def run() -> None:
            await asyncio.gather(*(some(pulse.told(None), 2) for _ in range(20)))

        asyncio.run(run())
        assert asks.count == 1

    def test_many_who_watch_a_slow_fleet_wait_for_the_same_answer(self) -> None:
        count = 0

        async def slow() -> Beat:
            nonlocal count
            count += 1
            await asyncio.sleep(0.06)
            return Beat(str(count).encode(), str(count))

        async def run() -> None:
            pulse = Pulse(slow, seconds=0.05)
            await asyncio.gather(*(some(pulse.told(None), 5) for _ in range(20)))

        asyncio.run(run())
        assert count < 10  # 4 events for each of 20

    def test_the_line_is_kept_warm_while_an_answer_takes_long(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stream, "SILENT_SECONDS", 0.01)
        never = asyncio.Event()

        async def ask() -> Beat:
            await never.wait()
            return ONE

        async def run() -> list[str]:
            return await asyncio.wait_for(some(Pulse(ask).told(None), 3), 10)

        assert asyncio.run(run())[1:] == [": still here\n\n"] * 2

    def test_it_ends_by_itself_and_whoever_left_is_forgotten(self) -> None:
        pulse = Pulse(Asked(ONE), seconds=0, life=50, clock=Clock(10))

        async def run() -> int:
            return len([each async for each in pulse.told(None)])

        assert asyncio.run(run()) < 20
        assert pulse.watching == 0

    def test_streams_take_no_place_of_the_questions(self) -> None:
        app = behind(Settings(http_rate=0), create_api(Held()))

        async def run() -> None:
            streams = [asyncio.create_task(asked(app, "/api/v1/stream")) for _ in range(AT_ONCE)]
            await asyncio.sleep(0.05)
            assert (await asked(app, "/api/v1/clusters")).status == 200
            refused = await asked(app, "/api/v1/stream")
            assert (refused.status, refused.code) == (503, "busy")
            for each in streams:
                each.cancel()
            await asyncio.gather(*streams, return_exceptions=True)
            again = asyncio.create_task(asked(app, "/api/v1/stream"))
            await asyncio.sleep(0.05)
            assert not again.done()
            again.cancel()
            await asyncio.gather(again, return_exceptions=True)

        asyncio.run(run())

    def test_over_a_socket_it_says_the_summary_at_once(self) -> None:
        held = Held()
        with served(held) as address:
            with urllib.request.urlopen(f"{address}/api/v1/summary") as answer:
                summary = json.load(answer)
            with urllib.request.urlopen(f"{address}/api/v1/stream") as answer:
                assert answer.headers["content-type"].startswith("text/event-stream")
                lines = [answer.readline().decode().strip() for _ in range(5)]
        assert lines[2:4] == ["event: changed", f"id: {summary['item']['digest']}"]
        assert json.loads(lines[4].removeprefix("data: ")) == summary

    def test_a_worker_that_is_not_ready_says_so_in_the_stream(self) -> None:
        held = Held(state=Readiness(ready=False, message="restored to 43 %"), held={})
        with served(held) as address, urllib.request.urlopen(f"{address}/api/v1/stream") as answer:
            lines = [answer.readline().decode().strip() for _ in range(4)]
        assert lines[2] == "event: trouble"
        assert "error" in json.loads(lines[3].removeprefix("data: "))
