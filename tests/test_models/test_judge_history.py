"""Stories of history that comes in while time goes on: what has not come of it yet is not silence."""

from __future__ import annotations

from random import Random

import pytest

from models.bursts import MOST_MS, SPREAD_MS, join, remember
from models.public import Anomaly
from models.rows import LATE_MS, Row
from models.stored import decode, encode
from models.workspace import Workspace
from tests.builders import HOUR, MINUTE, SECOND, START, Event, Node, Site, node_health, provisioned, raw, rebooted
from tests.oracle import observe

SITE = Site(delay=0)
NODE = Node(SITE, "workers", "i-00000000000000001")
OTHER = Node(SITE, "workers", "i-00000000000000002")
PATIENCE = 60 * SECOND
NOW = START + 3 * HOUR


class Story:
    """Events and when they were read."""

    def __init__(self) -> None:
        self.known = Workspace(SITE.arn)

    def reads(self, event: Event, at: int) -> None:
        for obs in observe(raw([event])):
            self.known.apply(obs, at)

    def shows(self, at: int, kind: str = "stuck", patience: int | None = PATIENCE) -> list[Anomaly]:
        found = self.known.judgement(at, patience=patience).picture.anomalies
        return [each for each in found if each.kind == kind]

    def tells_of_the_first(self, at: int) -> bool:
        return NODE.instance in {each.instance_id for each in self.shows(at)}

    def until(self, at: int) -> int | None:
        return self.known.judgement(at, patience=PATIENCE).until


@pytest.fixture
def story() -> Story:
    """Three hours ago a script began; that is read now."""
    made = Story()
    made.reads(NODE.script(START, "Started"), NOW)
    return made


@pytest.fixture
def slow() -> Story:
    """A feed is five minutes late; a script's beginning is all that was read of it."""
    made = Story()
    made.reads(NODE.script(START, "Started"), START + 5 * MINUTE)
    return made


def test_what_may_still_come_is_waited_for(story: Story) -> None:
    assert story.shows(NOW, patience=None)
    assert not story.shows(NOW)
    assert not story.shows(NOW + PATIENCE - 1)


def test_time_that_lags_behind_the_reading_waits_too(story: Story) -> None:
    assert not story.shows(NOW - MINUTE)


def test_a_history_that_has_ended_is_silent_from_where_it_ended(story: Story) -> None:
    assert story.until(NOW + SPREAD_MS) == NOW + PATIENCE
    (found,) = story.shows(NOW + PATIENCE)
    assert story.shows(NOW + PATIENCE) == story.shows(NOW + PATIENCE, patience=None)
    assert (found.status, found.severity, found.opened_at) == ("open", "critical", "2026-05-28T20:36:40.000Z")


def test_another_entitys_history_says_how_far_it_is(story: Story) -> None:
    story.reads(OTHER.script(START + 9 * MINUTE, "Started"), NOW + 50 * SECOND)
    assert not story.shows(NOW + 100 * SECOND)
    story.reads(OTHER.script(START + 11 * MINUTE, "Succeeded"), NOW + 100 * SECOND)
    assert [each.instance_id for each in story.shows(NOW + 100 * SECOND + SPREAD_MS)] == [NODE.instance]


def test_it_does_so_once_every_partition_has_its_share_of_the_burst(story: Story) -> None:
    """One raw partition is read first; what the other one has of the same burst is not silence."""
    story.reads(OTHER.script(START + 11 * MINUTE, "Succeeded"), NOW + SECOND)
    assert not story.shows(NOW + SECOND)
    assert not story.shows(NOW + SECOND + SPREAD_MS - 1)
    assert story.until(NOW + SECOND) == NOW + SPREAD_MS  # its own event's, which tells nothing new
    assert story.until(NOW + SPREAD_MS) == NOW + SECOND + SPREAD_MS
    story.reads(NODE.script(START + 10 * MINUTE, "Succeeded"), NOW + 2 * SECOND)
    assert not story.shows(NOW + 2 * SECOND + SPREAD_MS)


def test_a_slow_feed_hides_nothing_for_longer_than_it_is_slow(slow: Story) -> None:
    """Each of its events is read five minutes late, and one follows the other."""
    opened = []
    for step in range(1, 25):
        time = START + step * 50 * SECOND
        slow.reads(OTHER.script(time, "Started"), time + 5 * MINUTE)
        now = time + 5 * MINUTE + SPREAD_MS
        opened.append(slow.tells_of_the_first(now))
    assert opened.index(True) == 12  # the first step past ten minutes, which are slow; all that is known is older


def test_how_far_a_history_was_it_stays_when_its_next_event_is_read(slow: Story) -> None:
    """A feed is five minutes late: what is too long already is not taken back by the next event of another entity."""
    opened = []
    for step in range(1, 60):
        at = START + 5 * MINUTE + step * 15 * SECOND
        slow.reads(OTHER.script(START + step * 15 * SECOND, "Started"), at)
        opened += [slow.tells_of_the_first(at + n) for n in (0, SPREAD_MS)]
    assert opened.index(True) == len(opened) - opened.count(True)


def test_a_burst_that_has_ended_is_not_waited_for_again(slow: Story) -> None:
    """A feed is five minutes late, with more than a minute between two events of the cluster."""
    opened = []
    for step in range(1, 12):
        at = START + 5 * MINUTE + step * 70 * SECOND
        opened += [bool(slow.shows(at - 1))]
        slow.reads(OTHER.script(at - 5 * MINUTE, "Started"), at)
        opened += [slow.tells_of_the_first(at + n) for n in (0, SPREAD_MS)]
    assert opened == sorted(opened)
    assert slow.shows(START + 10 * MINUTE + SECOND)


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("late", [121, 300, 590, 900])
def test_on_a_feed_that_is_always_late_what_is_open_stays_open(late: int, seed: int) -> None:
    """Until an event of its own comes nothing is taken back, however the cluster's other events fall."""
    story, chance = Story(), Random(f"{late} {seed}")
    read_at = START + late * SECOND
    story.reads(NODE.script(START, "Started"), read_at)
    opened = []
    while read_at < START + late * SECOND + 20 * MINUTE:
        until, each = read_at + chance.choice((5, 30, 59, 61, 75, 130)) * SECOND, SECOND * chance.choice((3, 7, 10))
        opened += [story.tells_of_the_first(now) for now in range(read_at, until, each)]
        read_at = until
        story.reads(OTHER.script(read_at - late * SECOND, "Started"), read_at)
    assert opened == sorted(opened)
    assert opened[-1]


def test_steps_before_there_is_an_instance_are_part_of_the_burst(story: Story) -> None:
    """A history of births: the slots' rows are no more once each has its instance, and were read all the same."""
    nodes = [Node(SITE, "workers", f"i-{place + 100:017x}", f"slot-{place}") for place in range(8)]
    births = [provisioned(node, START, step=SECOND)[:3] for node in nodes]
    for place, (asked, joined, _) in enumerate(births):
        story.reads(asked, NOW + place * 10 * SECOND)
        story.reads(joined, NOW + place * 10 * SECOND)
    for _, _, is_there in births:
        story.reads(is_there, NOW + 80 * SECOND)
    assert not story.shows(NOW + 100 * SECOND)


def test_nobody_waits_for_long_while_old_history_keeps_coming(story: Story) -> None:
    for step in range(19):
        at = NOW + step * 50 * SECOND
        assert bool(story.shows(at)) == (at >= NOW + 15 * MINUTE)
        story.reads(OTHER.script(START - HOUR + step * SECOND, "Started"), at + SECOND)


def test_what_was_read_in_time_waits_for_no_history() -> None:
    story = Story()
    story.reads(NODE.script(NOW - 11 * MINUTE, "Started"), NOW - 11 * MINUTE + LATE_MS)
    story.reads(OTHER.script(START, "Started"), NOW)
    assert [each.instance_id for each in story.shows(NOW)] == [NODE.instance]


def test_who_speaks_in_time_meanwhile_has_a_gap_before_that(story: Story) -> None:
    """A history comes in while the feed goes on: what the entity says now does not make it silent since then."""
    story.reads(node_health(SITE, NOW + SECOND, NODE.instance, action="None"), NOW + SECOND)
    assert story.shows(NOW + SECOND, patience=None)
    assert not story.shows(NOW + SECOND)
    assert story.until(NOW + SPREAD_MS) == NOW + PATIENCE
    assert story.shows(NOW + PATIENCE)
    story.reads(OTHER.script(START + 11 * MINUTE, "Succeeded"), NOW + 30 * SECOND)
    assert not story.shows(NOW + 30 * SECOND)
    assert story.shows(NOW + 30 * SECOND + SPREAD_MS)  # the history is so far


def test_the_same_is_true_of_steps_that_named_its_slot_only(story: Story) -> None:
    coming = Node(SITE, "workers", "i-00000000000000003", "slot-1")
    story.reads(provisioned(coming, START)[0], NOW)
    story.reads(provisioned(coming, START)[1], NOW)
    story.reads(coming.says(NOW, f"Health of {coming.instance}"), NOW)
    assert [a.instance_id for a in story.shows(NOW, patience=None)].count(coming.instance) == 1
    assert not story.shows(NOW)


def test_what_began_in_time_is_not_hidden_by_older_history() -> None:
    story = Story()
    story.reads(NODE.script(NOW - 11 * MINUTE, "Started"), NOW - 11 * MINUTE)
    (found,) = story.shows(NOW)
    story.reads(node_health(SITE, START, NODE.instance, status="Healthy", action="None"), NOW)
    assert story.shows(NOW) == [found]


def test_a_straggler_by_minutes_hides_nothing_of_who_speaks_in_time() -> None:
    story = Story()
    story.reads(NODE.script(NOW - 20 * MINUTE, "Started"), NOW - 20 * MINUTE)
    story.reads(node_health(SITE, NOW - MINUTE, NODE.instance), NOW - MINUTE)
    story.reads(node_health(SITE, NOW - 10 * MINUTE, NODE.instance, status="Healthy", action="None"), NOW)
    assert story.shows(NOW)


def test_what_history_itself_shows_as_too_long_is_told_at_once(story: Story) -> None:
    story.reads(NODE.script(START + 20 * MINUTE, "Succeeded"), NOW)
    (found,) = story.shows(NOW)
    assert (found.status, found.severity) == ("resolved", "warning")


def test_a_repair_that_may_have_begun_is_not_owed_yet(story: Story) -> None:
    asked, *begun = rebooted(OTHER, START)
    story.reads(asked, NOW)
    assert not story.shows(NOW, "repair_not_started")
    assert story.shows(NOW + PATIENCE, "repair_not_started")
    story.reads(begun[0], NOW + PATIENCE)
    assert not story.shows(NOW + 2 * PATIENCE, "repair_not_started")


def test_a_fault_needs_no_silence_and_is_told_at_once(story: Story) -> None:
    story.reads(node_health(SITE, START, OTHER.instance), NOW)
    assert story.shows(NOW, "unhealthy_node")


def test_of_events_read_in_one_millisecond_the_order_says_nothing() -> None:
    """Kafka gives all records of a batch one time, and partitions come in any order."""
    made = []
    for minutes in ((5, 6, 7), (7, 6, 5)):
        story = Story()
        for minute in minutes:
            story.reads(NODE.script(START + minute * MINUTE, "Started"), NOW)
        made.append(story.known.take().rows)
    assert made[0] == made[1]


def test_a_row_remembers_it(story: Story) -> None:
    (row,) = [decode(data) for data in story.known.take().rows.values() if data is not None]
    assert isinstance(row, Row)
    assert row.late_read == row.newest_read
    assert decode(encode(row)).late_read == row.late_read


def test_times_of_reading_are_few_and_in_any_order_the_same() -> None:
    times = [START + step * 11 * SECOND for step in range(400)]
    forwards: tuple[tuple[int, int], ...] = ()
    backwards: tuple[tuple[int, int], ...] = ()
    for at in times:
        forwards = remember(forwards, at)
    for at in reversed(times):
        backwards = remember(backwards, at)
    assert forwards == backwards
    assert forwards[0][0] >= times[-1] - MOST_MS
    assert len(forwards) == MOST_MS // (11 * SECOND) + 1
    assert join(forwards, 12 * SECOND) == [(forwards[0][0], times[-1])]
