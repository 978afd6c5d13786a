"""Many instances over time: what folds, who wins a column, which lanes there are."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import public
from models.report.lives import PHASE, life_of, phases
from models.states import InstancePhase
from models.timeline import Known, Timeline, Window, timeline
from models.timeline.axis import FOLD, Axis
from models.timeline.lanes import WORDS
from tests.test_models.test_census import ARN, picture

MINUTE = 60_000
DAY = 1440
START = 1_790_000_000_000


def at(minute: float) -> str:
    return public.iso(START + round(minute * MINUTE))


def instance(name: str, *steps: tuple[float, str, str, str], **more: Any) -> public.InstanceItem:
    """An instance to which these happened: minute, machine, from, to."""
    history = tuple(
        public.HistoryItem(time=at(minute), event_id=f"e{n}", code="X", machine=machine, from_=origin, to=to)
        for n, (minute, machine, origin, to) in enumerate(steps)
    )
    machines = {machine: to for _, machine, _, to in steps}
    return public.InstanceItem.model_validate(
        {
            "cluster_arn": ARN,
            "instance_group": "g",
            "instance_id": name,
            "node_logical_id": None,
            "phase": "InService",
            "machines": machines,
            "origin": "observed",
            "schedulable": True,
            "since": None,
            "last_event_time": None,
            "history": history,
            **more,
        }
    )


def served(name: str, minute: float, *more: tuple[float, str, str, str]) -> public.InstanceItem:
    return instance(name, (minute, "provision", "Provisioned", "InService"), *more)


def drawn(*items: public.InstanceItem, width: int = 100, **window: Any) -> Timeline:
    asked = {"begun": START, "ended": START + 100 * MINUTE, "first": 0, "rows": 100, **window}
    return timeline(picture(*items), ARN, None, Window(width=width, **asked))


def said(told: Timeline, lane: int = 0) -> list[tuple[int, int, str]]:
    return [(left, columns, told.words[word]) for left, columns, word in told.lanes[lane].spans]


class TestAxis:
    def test_where_changes_are_even_time_is_even(self) -> None:
        axis = Axis(0, 100, 200, range(0, 100, 10))
        assert [axis.column(time) for time in (0, 25, 50, 100)] == [0, 50, 100, 200]
        assert len(axis.stretches) == 1

    def test_a_long_silence_folds_and_what_is_around_it_gets_its_room(self) -> None:
        axis = Axis(0, 10_000, 1000, [*range(0, 100, 10), *range(9900, 10_000, 10)])
        assert [each.folded for each in axis.stretches] == [False, True, False]
        assert axis.column(9900) - axis.column(90) == FOLD
        assert axis.column(90) == pytest.approx((1000 - FOLD) * 90 / 190)

    def test_where_nothing_changed_nothing_folds(self) -> None:
        assert [each.folded for each in Axis(0, 10_000, 1000, []).stretches] == [False]

    def test_changes_far_from_each_other_do_not_fold_everything_away(self) -> None:
        axis = Axis(0, 10_000, 1000, range(0, 10_000, 400))
        assert sum(each.right - each.left for each in axis.stretches if each.folded) <= 500

    @given(
        st.lists(st.integers(0, 1_000_000), max_size=60),
        st.integers(1, 1_000_000),
        st.integers(50, 4000),
    )
    def test_every_time_has_a_column_and_later_ones_are_never_further_left(
        self, changes: list[int], ended: int, width: int
    ) -> None:
        axis = Axis(0, ended, width, sorted(changes))
        times = sorted({0, ended, *(each for each in changes if each <= ended)})
        columns = [axis.column(time) for time in times]
        assert columns == sorted(columns)
        assert columns[0] == 0
        assert columns[-1] == pytest.approx(width)
        assert axis.stretches[-1].right == pytest.approx(width)


class TestLanes:
    def test_a_lane_says_the_phases_of_its_instance_one_after_the_other(self) -> None:
        one = served("i-1", 0, (50, "reboot", "None", "Rebooting"), (60, "reboot", "Rebooting", "Rebooted"))
        many = [served(f"i-{n}", n) for n in range(2, 99, 2)]
        assert said(drawn(one, *many)) == [(0, 50, "InService"), (50, 10, "Rebooting"), (60, 40, "InService")]

    def test_the_worst_wins_a_column_and_the_shortest_takes_one(self) -> None:
        blink = (
            (50.2, "lifecycle_script", "NotRun", "Running"),
            (50.4, "lifecycle_script", "Running", "Failed"),
            (50.5, "lifecycle_script", "Failed", "Running"),
            (50.6, "lifecycle_script", "Running", "Succeeded"),
        )
        many = [served(f"i-{n}", n) for n in range(2, 99, 2)]
        told = said(drawn(served("i-1", 0, *blink), *many))
        assert told == [(0, 50, "InService"), (50, 1, "Failed"), (51, 49, "InService")]

    def test_before_what_is_kept_there_is_nothing_and_after_the_end_neither(self) -> None:
        gone = served(
            "i-1", 10, (40, "provision", "InService", "Terminating"), (50, "provision", "Terminating", "Terminated")
        )
        many = [served(f"i-{n}", n) for n in range(2, 99, 2)]
        told = said(drawn(gone.model_copy(update={"phase": "Terminated"}), *many))
        assert told == [(10, 30, "InService"), (40, 10, "Terminating"), (50, 1, "Terminated")]

    def test_who_was_gone_before_the_window_or_came_after_it_has_no_lane(self) -> None:
        gone = served("i-1", -90, (-50, "provision", "InService", "Terminated"))
        later = served("i-3", 150)
        told = drawn(gone, served("i-2", -10), later)
        assert [each.instance_id for each in told.lanes] == ["i-2"]
        assert said(told) == [(0, 100, "InService")]

    def test_a_phase_that_was_over_as_the_window_began_is_not_in_it(self) -> None:
        well = served("i-1", -20, (-10, "provision", "InService", "Failed"), (0, "provision", "Failed", "InService"))
        assert said(drawn(well)) == [(0, 100, "InService")]
        gone = served("i-2", -20, (0, "provision", "InService", "Terminated"))
        assert said(drawn(gone))[0][2] == "Terminated"
        left = served("i-3", -20).model_copy(update={"replaced_by": "i-4"})
        assert [each.instance_id for each in drawn(left, served("i-4", 0)).lanes] == ["i-4"]

    def test_a_successor_ends_a_lane_that_never_said_that_it_ended(self) -> None:
        old = served("i-1", 0).model_copy(update={"replaced_by": "i-2"})
        many = [served(f"i-x{n}", n) for n in range(2, 99, 2)]
        told = drawn(old, served("i-2", 60), *many)
        assert said(told)[-1] == (0, 60, "InService")

    def test_one_of_whom_nothing_happened_has_an_empty_lane(self) -> None:
        assert said(drawn(instance("i-1"))) == []

    def test_lanes_come_in_parts_on_one_axis(self) -> None:
        items = [served(f"i-{n:03d}", n % 90) for n in range(90)]
        whole, part = drawn(*items), drawn(*items, first=40, rows=7)
        assert (part.total, part.first, len(part.lanes)) == (90, 40, 7)
        assert part.lanes == whole.lanes[40:47]
        assert part.pieces == whole.pieces
        assert drawn(*items, first=90).lanes == ()

    def test_only_lanes_that_changed_are_there_where_that_is_asked_for(self) -> None:
        told = drawn(served("i-1", -10), served("i-2", -10, (50, "reboot", "None", "Rebooting")), changed=True)
        assert [each.instance_id for each in told.lanes] == ["i-2"]

    def test_without_a_beginning_it_is_that_of_what_is_known(self) -> None:
        told = drawn(served("i-1", 30), served("i-2", 20), begun=None)
        assert told.from_ == at(20)
        assert drawn(begun=None, width=50).total == 0

    def test_every_phase_has_its_rank(self) -> None:
        assert sorted(WORDS) == sorted(InstancePhase)

    def test_phases_are_those_that_a_report_counts(self) -> None:
        item = served("i-1", 0, (5, "reboot", "None", "Rebooting"), (9, "reboot", "Rebooting", "Rebooted"))
        life = life_of(item, None, START + 100 * MINUTE)
        assert life is not None
        stays = [(stay.begun, stay.state) for stay in life.stays if stay.machine == PHASE]
        assert list(phases(item)) == stays

    def test_what_is_known_of_a_history_is_used_until_it_changes(self) -> None:
        known, window = Known(), Window(START, START + 100 * MINUTE, 100, 0, 10)
        one = picture(served("i-1", 0))
        two = picture(served("i-1", 0, (50, "reboot", "None", "Rebooting")))
        for shown in (one, one, two, one):
            assert timeline(shown, ARN, None, window, known) == timeline(shown, ARN, None, window)
