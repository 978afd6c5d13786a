"""A browser, and workers for it to look at: the real application behind its real doors, with simulated fleets.

Knows: Playwright, the simulator.  Must not know: what pages look like.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

from models import public
from streams.replay import Replay
from streams.settings import Settings
from streams.simulate.run import Faults, simulate
from streams.simulate.run import Settings as Fleet
from streams.web.api import create_api
from streams.web.doors import behind
from streams.web.provider import Freshness, Partition, TopicProgress
from tests.browser.chromium import AXE, found
from tests.test_streams.serving import Held, listening

HOUR_MS = 3_600_000


@dataclass
class Live(Held):
    """A worker that is always of this moment, unless a test says otherwise."""

    behind_ms: int = 0

    def freshness(self) -> Freshness:
        self.as_of = public.iso(int(time.time() * 1000) - self.behind_ms)
        topics = tuple(
            TopicProgress(topic=name, folded=9, committed=9, lag=0, still_seconds=0, stalled=False)
            for name in ("raw", "events")
        )
        part = Partition(partition=0, state="running", lag=0, as_of=self.as_of, topics=topics)
        return Freshness(as_of=self.as_of, lag=0, partitions=(part,))


@dataclass
class Site:
    """A worker's address and what it shows."""

    address: str
    held: Live
    pages: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = found()
    assert path is not None
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def worker() -> Iterator[Callable[..., Site]]:
    """Starts one with a picture, and settings of its doors."""
    with ExitStack() as stack:

        def started(shown: public.Picture, counts: public.Summary | None = None, **settings: Any) -> Site:
            held = Live(shown=shown, **({} if counts is None else {"counts": counts}))
            api = behind(Settings(**settings), create_api(held))
            return Site(stack.enter_context(listening(api)), held)

        yield started


@pytest.fixture(scope="module")
def fleet(worker: Callable[..., Site]) -> Site:
    """Two clusters in the middle of a bad day, with an address of every page."""
    now = int(time.time() * 1000)
    made = simulate(Fleet(seed=7, clusters=2, instances=14, hours=6, faults=Faults.many, start_ms=now - 6 * HOUR_MS))
    job = Replay()
    for _, value in made.delivered.values:
        job.feed("simulated", value)
    site = worker(job.picture(now), job.summary())
    site.pages = addresses(site.held.shown)
    return site


def addresses(shown: public.Picture) -> dict[str, str]:
    """One of each page, of entities that have much to show."""
    longest = max(shown.instances, key=lambda item: len(item.history))
    names = {item.cluster_arn: item.cluster_name for item in shown.clusters}
    rolled = next(iter(shown.rollouts), None)
    arn, name = (longest.cluster_arn, longest.instance_group) if rolled is None else _place(rolled)
    return {
        "fleet": "/",
        "cluster": f"/c/{names[arn]}",
        "group": f"/c/{names[arn]}/g/{name}",
        "instance": f"/i/{longest.instance_id}",
        "anomalies": "/anomalies?status=all",
        "anomaly": f"/anomalies?status=all&id={shown.anomalies[0].anomaly_id}",
        "patterns": "/patterns",
        "machines": "/machines",
        "state": "/machines?machine=instance/provision&state=InService",
        "pipeline": "/pipeline",
        "nothing": "/i/i-nothing",
    }


def _place(rollout: public.RolloutItem) -> tuple[str, str]:
    return rollout.cluster_arn, rollout.instance_group


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1440, "height": 900})
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A tab in which nothing may go wrong unseen: no error in its console, no refusal by the policy of contents."""
    yield from watched(context.new_page())


def watched(tab: Page) -> Iterator[Page]:
    said: list[str] = []
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    yield tab
    # What the worker refuses is a line of the console, too; the page says it in words.
    assert [each for each in said if not each.startswith("Failed to load resource")] == []


class Pending:
    """Questions of a page that wait until they may go on."""

    def __init__(self, page: Page, pattern: str) -> None:
        self._waiting: list[Route] = []
        self._open = False
        page.route(pattern, self._take)

    def go_on(self) -> None:
        """All that wait, and all that come."""
        self._open = True
        for each in self._waiting:
            each.continue_()

    def _take(self, route: Route) -> None:
        if self._open:
            route.continue_()
        else:
            self._waiting.append(route)


def complaints(page: Page) -> list[Mapping[str, Any]]:
    """What axe-core has against the page."""
    page.evaluate(AXE.read_text())
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    told = page.evaluate("rules => axe.run({runOnly: rules})", rules)
    return [
        {"rule": each["id"], "what": each["help"], "where": [node["html"][:200] for node in each["nodes"][:3]]}
        for each in told["violations"]
    ]
