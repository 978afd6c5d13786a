"""Stories of node lists that are told by what is other than in the one before."""

from __future__ import annotations

from typing import Any

import pytest

from models.public import Anomaly
from tests.fleet import Fleet, moment
from tests.stories import Event, born, node_list, script, terminated

MINUTE = 60
BEGIN = 60
"""In minutes: when the first list is taken, long after the births."""


def at(minute: float) -> str:
    return moment(int(minute * MINUTE * 1000)).isoformat()


def listed(minute: float, **nodes: str) -> Event:
    """A whole list."""
    return node_list(**nodes).at(minute * MINUTE)


def changed(minute: float, *since: float, gone: list[str] | None = None, **nodes: str) -> Event:
    """What is other than in the list of `since`, and than in those before it."""
    newest, *others = since
    body: dict[str, Any] = {**node_list(**nodes).detail, "NextToken": "more", "UnchangedSince": at(newest)}
    body |= {"OrSince": [at(each) for each in others]} if others else {}
    return Event("", body | ({"Gone": gone} if gone else {})).at(minute * MINUTE)


def drift(fleet: Fleet, minute: float) -> list[Anomaly]:
    return [a for a in fleet.document(int(minute * MINUTE * 1000)).anomalies if a.kind == "drift"]


def serve(fleet: Fleet) -> None:
    """Two instances in service, and listed so."""
    fleet.sees(born("i-1"), born("i-2"), listed(BEGIN, i_1="Running", i_2="Running"))


def test_what_is_not_named_is_as_it_was(fleet: Fleet) -> None:
    serve(fleet)
    fleet.sees(changed(BEGIN + place, BEGIN + place - 1) for place in range(1, 30))
    assert not drift(fleet, BEGIN + 1000)
    assert fleet.instance("i-1").observed is not None


def test_a_change_that_events_did_not_tell_is_drift_once_the_next_list_confirms_it(fleet: Fleet) -> None:
    serve(fleet)
    fleet.sees(changed(BEGIN + 1, BEGIN, i_1="Failure"))
    assert not drift(fleet, BEGIN + 15)
    fleet.sees(changed(BEGIN + 2, BEGIN + 1))
    (found,) = drift(fleet, BEGIN + 2)
    assert (found.instance_id, found.status, found.opened_at[:16]) == ("i-1", "open", at(BEGIN + 2)[:16])
    fleet.sees(changed(BEGIN + 3, BEGIN + 2, i_1="Running"))
    assert [a.status for a in drift(fleet, BEGIN + 3)] == ["resolved"]


def test_what_is_gone_is_drift_until_an_event_says_so(fleet: Fleet) -> None:
    serve(fleet)
    fleet.sees(changed(BEGIN + 1, BEGIN, gone=["i-1"]), changed(BEGIN + 2, BEGIN + 1))
    (found,) = drift(fleet, BEGIN + 2)
    assert found.title.endswith("node lists no longer list it, the reconstruction has InService")
    fleet.sees(terminated("i-1"))
    assert [a.status for a in drift(fleet, BEGIN + 60)] == ["resolved"]


def test_an_event_that_unchanged_lists_go_on_to_contradict_is_drift(fleet: Fleet) -> None:
    serve(fleet)
    fleet.sees(terminated("i-1"))
    fleet.sees(changed(minute, minute - 15) for minute in (BEGIN + 15, BEGIN + 30))
    (found,) = drift(fleet, BEGIN + 30)
    assert (found.instance_id, found.machine, found.status) == ("i-1", "provision", "open")
    assert "say Running" in found.title


def test_a_chain_that_is_broken_confirms_nothing(fleet: Fleet) -> None:
    serve(fleet)
    fleet.sees(terminated("i-1"))
    fleet.sees(changed(minute, minute - 3) for minute in (BEGIN + 18, BEGIN + 33, BEGIN + 48))
    assert not drift(fleet, BEGIN + 60)


@pytest.mark.parametrize("seconds", [20, 30])
def test_a_whole_list_soon_after_changes_is_no_page_of_theirs(fleet: Fleet, seconds: int) -> None:
    """`reconcile` began again, or so much changed that all is said: who is not listed now will not be `Gone`."""
    serve(fleet)
    begin = BEGIN + 15 + seconds / 60
    fleet.sees(changed(BEGIN + 15, BEGIN, i_1="Running"), listed(begin, i_2="Running"), changed(begin + 1, begin))
    (found,) = drift(fleet, begin + 1)
    assert "node lists no longer list it" in found.title
    fleet.sees(terminated("i-1"), changed(begin + 16, begin + 1), changed(begin + 31, begin + 16))
    assert [a.status for a in drift(fleet, begin + 60)] == ["resolved"]


@pytest.mark.parametrize("said", [{"i_1": "Failure"}, {"gone": ["i-1"]}])
@pytest.mark.parametrize("whole", [False, True])
def test_what_a_lost_list_may_have_taken_back_is_no_drift(fleet: Fleet, said: dict[str, Any], whole: bool) -> None:
    """One of a minute later said that it is running, and was lost."""
    serve(fleet)
    fleet.sees(changed(BEGIN + 15, BEGIN, **said))
    fleet.sees(changed(BEGIN + 17, BEGIN + 16), changed(BEGIN + 32, BEGIN + 17), changed(BEGIN + 47, BEGIN + 32))
    if whole:
        fleet.sees(listed(BEGIN + 60, i_1="Running", i_2="Running"), changed(BEGIN + 61, BEGIN + 60))
    assert not drift(fleet, BEGIN + 70)


def test_what_lists_after_a_lost_one_say_is_known(fleet: Fleet) -> None:
    serve(fleet)
    fleet.sees(changed(BEGIN + 17, BEGIN + 16, i_1="Failure"), changed(BEGIN + 18, BEGIN + 17))
    (found,) = drift(fleet, BEGIN + 32)
    assert (found.instance_id, found.status) == ("i-1", "open")


def test_what_is_still_said_after_a_lost_list_is_drift(fleet: Fleet) -> None:
    serve(fleet)
    fleet.sees(changed(BEGIN + 15, BEGIN, i_1="Failure"), changed(BEGIN + 17, BEGIN + 16))
    fleet.sees(listed(BEGIN + 60, i_1="Failure", i_2="Running"))
    assert [a.status for a in drift(fleet, BEGIN + 60)] == ["open"]


def test_drift_that_was_confirmed_before_a_list_was_lost_stays(fleet: Fleet) -> None:
    serve(fleet)
    fleet.sees(changed(BEGIN + 15, BEGIN, i_1="Failure"), changed(BEGIN + 16, BEGIN + 15))
    fleet.sees(changed(BEGIN + 18, BEGIN + 17))
    assert [a.status for a in drift(fleet, BEGIN + 60)] == ["open"]
    fleet.sees(listed(BEGIN + 70, i_1="Running", i_2="Running"))
    assert [a.status for a in drift(fleet, BEGIN + 70)] == ["resolved"]


def test_a_list_that_goes_on_from_several_needs_but_one_of_them(fleet: Fleet) -> None:
    """Two in a row were lost: by the first the instance had failed, by the second it was running again."""
    serve(fleet)
    fleet.sees(changed(BEGIN + 15, BEGIN, i_1="Failure"), changed(BEGIN + 16, BEGIN + 15, BEGIN, i_1="Failure"))
    assert [a.status for a in drift(fleet, BEGIN + 17)] == ["open"]
    fleet.sees(changed(BEGIN + 19, BEGIN + 18, BEGIN + 17, BEGIN + 16, i_1="Running"))
    assert [a.status for a in drift(fleet, BEGIN + 19)] == ["resolved"]
    fleet.sees(changed(BEGIN + 34, BEGIN + 19, gone=["i-1"]), changed(BEGIN + 35, BEGIN + 34, gone=["i-1"]))
    assert [a.status for a in drift(fleet, BEGIN + 35)] == ["resolved", "open"]


def test_what_goes_on_after_all_of_them_were_lost_is_one_gap(fleet: Fleet) -> None:
    serve(fleet)
    fleet.sees(changed(BEGIN + 15, BEGIN, i_1="Failure"))
    fleet.sees(changed(BEGIN + 19, BEGIN + 18, BEGIN + 17, BEGIN + 16, i_2="Failure"))
    fleet.sees(changed(BEGIN + 20, BEGIN + 19, BEGIN + 18, BEGIN + 17, i_2="Failure"))
    assert [a.instance_id for a in drift(fleet, BEGIN + 40)] == ["i-2"]


def test_the_time_of_what_is_observed_is_that_of_the_list_that_confirmed_it(fleet: Fleet) -> None:
    def seen(name: str) -> tuple[Any, ...]:
        found = fleet.instance(name).observed
        assert found is not None
        return found.status, found.time[:16]  # type: ignore[index]

    serve(fleet)
    fleet.sees(changed(BEGIN + 15, BEGIN), changed(BEGIN + 30, BEGIN + 15, i_2="Pending"))
    assert (seen("i-1"), seen("i-2")) == (("Running", at(BEGIN + 30)[:16]), ("Pending", at(BEGIN + 30)[:16]))
    fleet.sees(changed(BEGIN + 45, BEGIN + 30, gone=["i-1"]), changed(BEGIN + 60, BEGIN + 45))
    assert (seen("i-1"), seen("i-2")) == (("Running", at(BEGIN + 30)[:16]), ("Pending", at(BEGIN + 60)[:16]))
    fleet.sees(changed(BEGIN + 80, BEGIN + 70))  # the one before it was lost: perhaps it said something else
    assert seen("i-2") == ("Pending", at(BEGIN + 60)[:16])
    fleet.sees(listed(BEGIN + 90, i_3="Running"), changed(BEGIN + 105, BEGIN + 90))
    assert (seen("i-2"), seen("i-3")) == (("Pending", at(BEGIN + 60)[:16]), ("Running", at(BEGIN + 105)[:16]))


def test_changes_without_the_list_before_them_make_nobody_vanish(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), born("i-2"))
    fleet.sees(changed(BEGIN + place, BEGIN + place - 1, i_2="Running") for place in range(9))
    assert not drift(fleet, BEGIN + 1000)


def test_words_of_long_ago_are_told_although_the_times_of_their_lists_are_forgotten(fleet: Fleet) -> None:
    fleet.order_matters = True  # so many lists are more than the ceiling lets a row retain
    serve(fleet)
    fleet.sees(terminated("i-1"), changed(BEGIN + 10, BEGIN))
    fleet.sees(changed(BEGIN + place, BEGIN + place - 1) for place in range(11, 40))
    before = drift(fleet, BEGIN + 39)
    assert [a.status for a in before] == ["open"]
    fleet.sees(changed(BEGIN + place, BEGIN + place - 1) for place in range(40, 600))
    fleet.sees(changed(BEGIN + 600, BEGIN + 599, gone=["i-1"]))
    assert [a.anomaly_id for a in drift(fleet, BEGIN + 600)] == [before[0].anomaly_id]
    fleet.sees(changed(BEGIN + place, BEGIN + place - 1) for place in range(601, 1200))
    (after,) = drift(fleet, BEGIN + 1200)
    assert (after.anomaly_id, after.status, after.resolved_at) == (before[0].anomaly_id, "resolved", after.resolved_at)


def test_what_a_lost_list_may_have_taken_back_stays_no_drift_when_times_are_forgotten(fleet: Fleet) -> None:
    """The lost one said that it is gone, as it was; the next one goes on from that and from the one before."""
    fleet.order_matters = True  # so many lists are more than the ceiling lets a row retain
    serve(fleet)
    fleet.sees(terminated("i-1"), changed(BEGIN + 30, BEGIN + 15, BEGIN, gone=["i-1"]))
    assert not drift(fleet, BEGIN + 30)
    fleet.sees(changed(BEGIN + place, BEGIN + place - 1) for place in range(31, 1200))
    assert not drift(fleet, BEGIN + 1200)


def test_a_new_instance_is_one_more(fleet: Fleet) -> None:
    serve(fleet)
    fleet.sees(changed(BEGIN + 1, BEGIN, i_3="Pending"), script("i-3", "Started"), script("i-3", "Succeeded"))
    fleet.sees(changed(BEGIN + 20, BEGIN + 1), changed(BEGIN + 35, BEGIN + 20))
    assert [a.instance_id for a in drift(fleet, BEGIN + 40)] == ["i-3"]
