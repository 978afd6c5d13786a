"""What is said to a sink, and what is not: folding, handing over, filters, restarts."""

from __future__ import annotations

from typing import Any

import pytest

from models.judge.texts import title
from models.public_anomaly import AnomalyKind, Severity
from streams.alerts.due import Action, Page, due, heard
from streams.alerts.filters import Filter, matcher
from streams.alerts.picture import Picture, Taken
from tests.test_streams.alerting import Desk, anomaly, resolved, retracted, taken


def test_an_anomaly_opens_one_page_and_its_end_closes_it():
    desk = Desk()
    desk.write(anomaly())
    assert desk.deliver() == ["open a"]
    desk.write(resolved())
    assert desk.deliver() == ["close a"]
    assert desk.kept == {"oncall": {}}


def test_a_restart_says_nothing_again():
    desk = Desk()
    desk.write(anomaly("a"), anomaly("b"))
    desk.deliver()
    desk.restart()
    assert desk.deliver() == []
    desk.write(resolved("b"))
    desk.restart()
    assert desk.deliver() == ["close b"]


def test_more_evidence_is_no_news_but_a_higher_severity_is():
    desk = Desk()
    desk.write(anomaly("a", kind="stuck", severity="warning"))
    desk.deliver()
    desk.write(anomaly("a", 2, kind="stuck", severity="warning", count=7, evidence=["e1", "e2"]))
    assert desk.deliver() == []
    desk.write(anomaly("a", 3, kind="stuck", severity="critical"))
    assert desk.deliver() == ["update a"]


COUNTING = [
    ("unhealthy_node", "NvidiaErrorTerminate", "NvidiaErrorTerminate"),
    ("operation_failed", None, None),
    ("correlated_failure", "3 instances with AMI ami-1", "4 instances with AMI ami-1"),
    ("replacement_storm", "5 replacements, 5 or more in 24 h", "12 replacements, 5 or more in 24 h"),
    ("flapping", "Failed of provision", "Failed of provision"),
]


def counted(kind: str, detail: str | None, count: int) -> str:
    return title(AnomalyKind(kind), code="ProvisionFailed", machine=None, state=None, detail=detail, count=count)


@pytest.mark.parametrize(("kind", "few", "more"), COUNTING)
def test_that_a_title_counts_more_is_no_news(kind: str, few: str | None, more: str | None):
    desk = Desk()
    titles = [counted(kind, few, 1), counted(kind, few, 3), counted(kind, more, 12)]
    said = []
    for revision, text in enumerate(titles, 1):
        desk.write(anomaly("a", revision, title=text))
        said += desk.deliver()
    assert len(set(titles)) == 3
    assert said == ["open a"]


@pytest.mark.parametrize(("kind", "few", "more"), COUNTING)
def test_a_title_that_tells_of_something_else_is_news(kind: str, few: str | None, more: str | None):
    desk = Desk()
    desk.write(anomaly("a", title=counted(kind, few, 2)))
    desk.deliver()
    desk.write(anomaly("a", 2, title=counted(kind, "Xid 94", 2) if few else "Instance creation failed"))
    assert desk.deliver() == ["update a"]


def test_what_was_over_before_it_could_be_said_is_not_said():
    desk = Desk()
    desk.write(anomaly())
    desk.write(resolved())
    assert desk.deliver() == []


def test_members_are_not_paged_while_their_incident_is_open():
    desk = Desk()
    desk.write(anomaly("a", parent_id="i"), anomaly("b", parent_id="i"), anomaly("i", severity="critical"))
    (message,) = desk.courier.due()
    assert (message.key, message.members, message.named) == ("i", 2, ("i-a", "i-b"))
    assert desk.deliver() == ["open i"]


def test_pages_of_members_close_once_the_incident_has_its_own_and_not_before():
    desk = Desk()
    desk.write(anomaly("a"), anomaly("b"))
    desk.deliver()
    desk.write(anomaly("i", severity="critical"), anomaly("a", 2, parent_id="i"), anomaly("b", 2, parent_id="i"))
    assert [each.key for each in desk.courier.due()] == ["i"]
    assert desk.deliver() == ["open i", "close a", "close b"]


def test_a_member_that_outlives_its_incident_is_paged_itself():
    desk = Desk()
    desk.write(anomaly("i"), anomaly("a", parent_id="i"))
    desk.deliver()
    desk.write(resolved("i"))
    assert desk.deliver() == ["open a", "close i"]


def test_a_member_of_a_member_is_folded_under_the_topmost():
    desk = Desk()
    desk.write(anomaly("i"), anomaly("a", parent_id="i"), anomaly("b", parent_id="a"))
    assert desk.deliver() == ["open i"]
    assert desk.courier._known is not None
    assert [each.anomaly_id for each in desk.courier._known[1].members["i"]] == ["a", "b"]


def test_parents_in_a_circle_explain_nothing():
    desk = Desk()
    desk.write(anomaly("a", parent_id="b"), anomaly("b", parent_id="a"), anomaly("c", parent_id="a"))
    assert desk.deliver() == ["open a", "open b"]


def test_a_member_whose_incident_is_beneath_the_least_severity_is_paged():
    desk = Desk(Filter(least=Severity.ERROR))
    desk.write(anomaly("i", severity="warning"), anomaly("a", parent_id="i"))
    assert desk.deliver() == ["open a"]


def test_who_silences_an_incident_has_silenced_its_members():
    desk = Desk()
    desk.write(anomaly("i", silenced_by="s1"), anomaly("a", parent_id="i"))
    assert desk.deliver() == []


def test_a_superseded_anomaly_hands_its_open_page_over():
    desk = Desk()
    desk.write(anomaly("old"))
    desk.deliver()
    desk.write(retracted("old", "new"), anomaly("new", 2, title="Node old is Unhealthy"))
    (message,) = desk.courier.due()
    assert (message.action, message.key, message.why) == (Action.UPDATE, "old", "takes the place of old")
    assert desk.deliver() == ["update old"]
    desk.restart()
    assert desk.deliver() == []
    desk.write(resolved("new", 3))
    assert desk.deliver() == ["close old"]


def test_a_chain_of_successors_hands_over_to_the_last():
    desk = Desk()
    desk.write(anomaly("a"))
    desk.deliver()
    desk.write(retracted("a", "b"), retracted("b", "c"), anomaly("c"))
    assert desk.deliver() == ["update a"]
    assert desk.service.open == {"a": "c"}


def test_an_heir_that_is_not_on_the_topic_yet_is_waited_for_but_not_for_ever():
    desk = Desk(patience_ms=120_000)
    desk.write(anomaly("old"))
    desk.deliver()
    desk.write(retracted("old", "new"), written_ms=round(desk.now * 1000))
    assert desk.deliver() == []
    desk.now += 60
    desk.write(anomaly("new"))
    assert desk.deliver() == ["update old"]


def test_an_heir_that_never_comes_lets_the_page_close():
    desk = Desk(patience_ms=120_000)
    desk.write(anomaly("old"))
    desk.deliver()
    desk.write(retracted("old", "new"), written_ms=round(desk.now * 1000))
    desk.now += 121
    assert desk.deliver() == ["close old"]


def test_two_that_have_one_heir_leave_one_page():
    desk = Desk()
    desk.write(anomaly("a"), anomaly("b"))
    desk.deliver()
    desk.write(retracted("a", "c"), retracted("b", "c"), anomaly("c"))
    assert desk.deliver() == ["update a", "close b"]


def test_one_that_comes_back_while_its_heir_has_its_page_gets_another():
    desk = Desk()
    desk.write(anomaly("a"))
    desk.deliver()
    desk.write(retracted("a", "b"), anomaly("b"))
    desk.deliver()
    desk.write(anomaly("a", 7))
    assert desk.deliver() == ["open a.7"]
    desk.write(resolved("a", 8), resolved("b", 8))
    assert desk.deliver() == ["close a", "close a.7"]


def test_a_silence_closes_the_page_and_its_end_opens_it_again():
    desk = Desk()
    desk.write(anomaly())
    desk.deliver()
    desk.write(anomaly("a", 2, silenced_by="s1"))
    assert desk.courier.due()[0].why == "silenced by s1"
    assert desk.deliver() == ["close a"]
    desk.write(anomaly("a", 3))
    assert desk.deliver() == ["open a"]


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (Filter(least=Severity.CRITICAL), "it is error, and this sink is told of critical at the least"),
        (Filter(never=(matcher({"cluster": "train-*"}),)), "this sink is not told of such any more (only, never)"),
        (Filter(only=(matcher({"cluster": "prod-*"}),)), "this sink is not told of such any more (only, never)"),
    ],
)
def test_a_page_that_other_settings_close_says_which(rule: Filter, why: str):
    desk = Desk()
    desk.write(anomaly())
    desk.deliver()
    desk.rule = rule
    desk.restart()
    assert [each.why for each in desk.courier.due()] == [why]


@pytest.mark.parametrize(
    ("rule", "heard"),
    [
        (Filter(), ["a", "b", "d"]),
        (Filter(least=Severity.ERROR), ["a", "d"]),
        (Filter(least=Severity.INFO, planned=True, silenced=True), ["a", "b", "c", "d", "e", "f"]),
        (Filter(only=(matcher({"kind": "s*"}), matcher({"cluster": "prod-*"}))), ["b", "d"]),
        (Filter(never=(matcher({"cluster": "prod-*"}),)), ["a", "b"]),
        (Filter(only=(matcher({"cluster": "train-*", "kind": "stuck"}),)), ["b"]),
    ],
)
def test_each_sink_hears_what_its_filter_lets_through(rule: Filter, heard: list[str]):
    desk = Desk(rule)
    desk.write(
        anomaly("a"),
        anomaly("b", kind="stuck", severity="warning"),
        anomaly("c", severity="info"),
        anomaly("d", cluster_name="prod-1"),
        anomaly("e", planned=True),
        anomaly("f", silenced_by="s1"),
    )
    desk.deliver()
    assert sorted(desk.service.open) == heard


class Counted(dict[str, Page]):
    """Pages, and how often all of them were looked at."""

    looks = 0

    def values(self) -> Any:
        self.looks += 1
        return super().values()


@pytest.mark.parametrize("number", [3, 30])
def test_many_folded_or_superseded_pages_are_each_looked_at_as_often_as_few(number: int):
    picture, names = Picture(), [f"{kind}{each}" for kind in "ab" for each in range(number)]
    pages = Counted((name, Page(name, anomaly(name))) for name in names)
    records = [anomaly("i"), *(anomaly(name, 2, parent_id="i") for name in names[:number])]
    records += [retracted(name, f"{name}.heir") for name in names[number:]]
    records += [anomaly(f"{name}.heir") for name in names[number:]]
    for record in records:
        picture.take(taken(record))
    found = due(picture, heard(picture, Filter()), pages, Filter(), 0, 0)
    assert len(found) == 1 + number
    assert pages.looks == 2


def test_the_worst_is_said_first():
    desk = Desk()
    desk.write(anomaly("a", severity="warning"), anomaly("b", severity="critical"), anomaly("c"))
    assert desk.deliver() == ["open b", "open c", "open a"]


def test_a_record_that_is_gone_closes_its_page():
    desk = Desk()
    desk.write(anomaly())
    desk.deliver()
    desk.delete("a")
    assert desk.deliver() == ["close a"]


def test_a_record_of_a_later_version_leaves_what_was_known():
    picture = Picture()
    assert picture.take(taken(anomaly()))
    assert not picture.take(Taken("a", b'{"schema_version":"2"}'))
    assert not picture.take(Taken("b", b"\xff"))
    assert [each.anomaly_id for each in picture.opened()] == ["a"]
