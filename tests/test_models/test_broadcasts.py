"""The rows of what concerns many clusters: stored, read back, forgotten."""

from __future__ import annotations

import pytest

from models.broadcasts import KEEP_MS, Broadcasts, is_heartbeat, partition_key
from models.public import iso
from models.public_silence import Silence
from tests.builders import DAY, HOUR, MINUTE, START, Site, heartbeat, node_health, raw
from tests.oracle import observe

ARN = Site().arn


def silence(name: str, hours: float) -> Silence:
    return Silence(
        silence_id=name, matchers={"kind": "stuck"}, starts_at=iso(START), until=iso(START + int(hours * HOUR))
    )


def stored(shared: Broadcasts) -> dict[str, bytes]:
    return {key: row for key, row in shared.take().rows.items() if row is not None}


@pytest.mark.parametrize("name", ["s-1", "a|b", "é %|"])
def test_rows_are_read_back_whatever_their_names(name: str) -> None:
    shared, again = Broadcasts(), Broadcasts()
    (beat,) = observe(raw([heartbeat(START)]))
    (odd,) = observe(raw([heartbeat(START, account="1|2", region="a b")]))
    shared.hear(beat)
    shared.hear(odd)
    shared.silence(name, silence(name, 1))
    rows = stored(shared)
    assert len(rows) == 3
    for key, row in rows.items():
        again.load(key, row)
    assert (again.feed(ARN), again.silences()) == (shared.feed(ARN), shared.silences())
    again.hear(odd)
    assert again.hear(beat).duplicate
    assert stored(again) == {key: row for key, row in rows.items() if key.startswith("feed|")}


def test_what_changed_is_told_once() -> None:
    shared = Broadcasts()
    (beat,) = observe(raw([heartbeat(START)]))
    shared.hear(beat)
    shared.silence("s", silence("s", 1))
    news = shared.take()
    assert (news.feeds, news.silences, sorted(news.rows)) == (
        {("111122223333", "us-west-2")},
        True,
        ["feed|111122223333|us-west-2", "silence|s"],
    )
    assert shared.take() == (frozenset(), False, {})


def test_the_newest_heartbeat_of_every_feed_is_known_whatever_order_they_came_in() -> None:
    shared = Broadcasts()
    for beat in observe(raw([heartbeat(START + HOUR), heartbeat(START), heartbeat(START, region="eu-west-1")])):
        shared.hear(beat)
    assert shared.heartbeats() == {
        ("111122223333", "us-west-2"): START + HOUR, ("111122223333", "eu-west-1"): START
    }  # fmt: skip


def test_heartbeats_in_time_change_nothing_but_the_first_and_what_ends_a_silence_do() -> None:
    shared, feed = Broadcasts(), ("111122223333", "us-west-2")

    def news(minutes: int, now: int) -> bool:
        (beat,) = observe(raw([heartbeat(START + minutes * MINUTE)]))
        shared.hear(beat)
        found = shared.take(START + now * MINUTE)
        assert found.rows
        return found.feeds == {feed}

    assert news(0, 1)
    assert not news(5, 6)
    assert not news(10, 14)
    assert news(12, 26), "it was silent, and has turned out not to have been yet"
    assert not news(20, 26)
    assert news(60, 60), "it was silent, and is no more"
    assert not news(70, 70)
    assert news(40, 71), "it was silent twice"
    assert not news(70, 72)


def test_the_last_word_on_a_silence_holds_and_null_takes_it_away() -> None:
    shared = Broadcasts()
    shared.silence("s", silence("s", 1))
    shared.silence("s", silence("s", 2))
    assert shared.silences() == [silence("s", 2)]
    shared.silence("s", None)
    shared.silence("t", None)
    assert shared.silences() == []
    assert shared.take().rows == {"silence|s": None, "silence|t": None}


def test_a_silence_is_forgotten_thirty_days_after_its_end() -> None:
    shared = Broadcasts()
    shared.silence("s", silence("s", 1))
    shared.silence("t", silence("t", 48))
    shared.take()
    shared.forget(START + HOUR + KEEP_MS)
    assert len(shared.silences()) == 2
    shared.forget(START + DAY + KEEP_MS)
    assert [each.silence_id for each in shared.silences()] == ["t"]
    assert shared.take().rows == {"silence|s": None}


def test_events_are_partitioned_by_cluster_and_heartbeats_by_feed() -> None:
    beat, other = observe(raw([heartbeat(START), node_health(Site(), START, "i-1")]))
    assert (is_heartbeat(beat), partition_key(beat)) == (True, "feed|111122223333|us-west-2")
    assert (is_heartbeat(other), partition_key(other)) == (False, ARN)
