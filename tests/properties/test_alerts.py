"""Whatever happens to anomalies, and wherever the process or the service breaks, people see what is wrong, once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from models.public_anomaly import Severity
from streams.alerts.due import Message, heard
from streams.alerts.filters import Filter
from streams.alerts.post import Later, Refused, Unheard
from tests.test_streams.alerting import Desk, anomaly

NAMES = "abi"
RULES = (
    Filter(),
    Filter(least=Severity.ERROR),
    Filter(least=Severity.INFO, planned=True, silenced=True),
)


class Killed(BaseException):
    """kill -9."""


changes = st.fixed_dictionaries(
    {
        "name": st.sampled_from(NAMES),
        "status": st.sampled_from(("open", "open", "open", "resolved", "retracted", "retracted", "gone")),
        "severity": st.sampled_from(("warning", "error", "critical")),
        "parent_id": st.sampled_from((None, None, None, "i", "a")),
        "superseded_by": st.sampled_from(NAMES),
        "silenced_by": st.sampled_from((None, None, None, "s1")),
        "planned": st.sampled_from((False, False, False, True)),
    }
)
faults = st.sampled_from(
    ("none", "none", "killed before", "killed after", "down", "broken", "timeout", "refused", "restart")
)
steps = st.lists(st.tuples(st.lists(changes, max_size=3), st.lists(faults, max_size=4)), max_size=12)


def _change(name: str, status: str = "open", **more: Any) -> dict[str, Any]:
    usual = {"severity": "warning", "parent_id": None, "superseded_by": "a", "silenced_by": None, "planned": False}
    return {"name": name, "status": status, **usual, **more}


HANDED_OVER_AND_ENDED = [
    ([_change("b", parent_id="i"), _change("i")], []),
    ([_change("i", "retracted", superseded_by="b")], ["killed after"]),
    ([_change("i", "resolved")], ["down"]),
]
"""Nobody knows whether `i`'s page stands for `b` by now, and its end cannot be told."""


@given(steps, st.sampled_from(RULES))
@example(HANDED_OVER_AND_ENDED, Filter(least=Severity.WARNING))
def test_at_most_one_page_of_each_anomaly_at_any_time_and_in_the_end_what_is_open(
    story: list[tuple[list[dict[str, Any]], list[str]]], rule: Filter
):
    desk = Desk(rule)
    revisions = iter(range(1, 10_000))
    for told, broken in story:
        for change in told:
            _apply(desk, change, next(revisions))
        _go(desk, iter(broken))
    _settle(desk)
    known = heard(desk.picture, rule)
    assert sorted(desk.service.open.values()) == sorted(known.alone)
    assert {page.anomaly.anomaly_id for page in desk.kept.get("oncall", {}).values()} == set(known.alone)
    desk.restart()
    assert desk.deliver() == []


def _apply(desk: Desk, change: dict[str, Any], revision: int) -> None:
    """The service's own check (`Service.hear`) is that no anomaly ever has two pages."""
    fields = dict(change)
    name, status = fields.pop("name"), fields["status"]
    if status == "gone":
        desk.delete(name)
        return
    if status != "retracted" or fields["superseded_by"] == name:
        fields["superseded_by"] = None
    if fields["parent_id"] == name:
        fields["parent_id"] = None
    desk.write(anomaly(name, revision, **fields))


def _go(desk: Desk, broken: Iterator[str]) -> None:
    """Delivers what is due; each message meets the next fault, and none after the last."""
    told: dict[int, str] = {}

    def fault(point: str) -> Callable[[Message], None]:
        def meet(message: Message) -> None:
            kind = told.setdefault(len(told), next(broken, "none")) if point == "before" else told[len(told) - 1]
            _break(kind, point)

        return meet

    desk.mouth.before, desk.mouth.after = fault("before"), fault("after")
    with suppress(Killed):
        asyncio.run(desk.courier.drain())
        return
    desk.restart()


def _break(kind: str, point: str) -> None:
    if kind == f"killed {point}":
        raise Killed
    if (kind, point) == ("restart", "before"):
        raise Killed
    if (kind, point) == ("down", "before"):
        raise Unheard(kind)
    if (kind, point) in (("broken", "before"), ("timeout", "after")):
        raise Later(kind)
    if (kind, point) == ("refused", "before"):
        raise Refused(kind)


def _settle(desk: Desk) -> None:
    """Everything works again, also what was refused."""
    desk.restart()
    desk.mouth.before = desk.mouth.after = lambda message: None
    desk.deliver()
