"""`alerts test`, and what `--once` comes to: pages that are opened and closed, whatever comes between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from streams.alerts.book import Notes
from streams.alerts.courier import Sink
from streams.alerts.due import Action, Message
from streams.alerts.filters import Filter
from streams.alerts.post import Later, Refused, Unheard
from streams.alerts.run import Desk
from streams.alerts.tally import Tally
from streams.alerts.trial import trial
from streams.settings import Settings
from tests.test_streams.alerting import Mouth, Plain, Service, anomaly, taken


def sink(service: Service, after: Callable[[Message], None] = lambda message: None) -> Sink:
    return Sink("oncall", Filter(), Plain(), Mouth(service, after=after))


def failing(error: BaseException) -> Callable[[Message], None]:
    def fail(message: Message) -> None:
        if message.action is Action.OPEN:
            raise error

    return fail


def actions(service: Service) -> list[str]:
    return [each.split()[0] for each in service.said]


def test_a_trial_opens_a_page_and_closes_it():
    service = Service()
    results = asyncio.run(trial([sink(service)], 0))
    assert [(each["action"], each["error"]) for each in results] == [("open", None), ("close", None)]
    assert (actions(service), service.open) == (["open", "close"], {})


def test_a_page_of_which_nobody_knows_whether_it_was_opened_is_closed():
    service = Service()
    results = asyncio.run(trial([sink(service, failing(Later("no answer within 10 s")))], 3600))
    assert [(each["action"], each["error"]) for each in results] == [("open", "no answer within 10 s"), ("close", None)]
    assert service.open == {}


@pytest.mark.parametrize("error", [Unheard("no route"), Refused("400: no")])
def test_a_page_that_cannot_have_been_opened_is_not_closed(error: Exception):
    service = Service()
    asyncio.run(trial([sink(service, failing(error))], 3600))
    assert actions(service) == ["open"]


def test_a_trial_that_is_interrupted_closes_what_it_opened():
    service = Service()

    async def story() -> None:
        work = asyncio.create_task(trial([sink(service)], 3600))
        while not service.said:
            await asyncio.sleep(0)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    asyncio.run(story())
    assert (actions(service), service.open) == (["open", "close"], {})


@pytest.mark.parametrize(("fault", "done"), [(lambda message: None, True), (failing(Refused("400: no")), False)])
def test_once_tells_whether_everything_was_said(fault: Callable[[Message], None], done: bool):
    ready = [sink(Service(), fault)]
    desk = Desk(Settings(), Notes(), ready, Tally(["oncall"]))
    desk.take([taken(anomaly())])
    assert asyncio.run(desk.once()) is done
