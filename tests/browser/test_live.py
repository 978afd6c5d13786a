"""What changes shows by itself: one stream for all tabs, another tab takes over, asking where there is no stream."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from models import public
from streams.web.api import create_api
from tests.browser.conftest import Live, Pending, Site
from tests.test_streams.serving import cluster, instance, listening

pytestmark = pytest.mark.browser
SOON = 20_000


def shown(phase: str) -> public.Picture:
    return public.Picture(clusters=(cluster(),), instances=(instance("i-1", phase),))


def streams(tab: Page) -> list[str]:
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url) if "/stream" in request.url else None)
    return asked


def tile(tab: Page, phase: str) -> Any:
    return expect(tab.locator(f'.tiles .tile[aria-label="i-1, {phase}"]'))


def test_a_change_shows_without_loading_again(page: Page, worker: Callable[..., Site]) -> None:
    site = worker(shown("Provisioning"))
    page.goto(site.address)
    tile(page, "Provisioning").to_be_visible()
    site.held.shown = shown("InService")
    tile(page, "InService").to_be_visible(timeout=SOON)


def test_ten_tabs_share_one_stream_and_the_next_takes_over(
    context: BrowserContext, worker: Callable[..., Site]
) -> None:
    site = worker(shown("Provisioning"))
    tabs = [context.new_page() for _ in range(10)]
    asked = [streams(tab) for tab in tabs]
    for tab in tabs:
        tab.goto(site.address)
    for tab in tabs:
        tile(tab, "Provisioning").to_be_visible(timeout=SOON)
    time.sleep(1.5)
    assert [len(each) for each in asked] == [1] + [0] * 9
    site.held.shown = shown("LifecycleScript")
    for tab in tabs:
        tab.bring_to_front()
        tile(tab, "LifecycleScript").to_be_visible(timeout=SOON)
    tabs[0].close()
    site.held.shown = shown("InService")
    for tab in tabs[1:]:
        tab.bring_to_front()
        tile(tab, "InService").to_be_visible(timeout=SOON)
    assert sum(len(each) for each in asked[1:]) == 1


def test_a_change_before_the_first_summary_is_not_missed(page: Page, worker: Callable[..., Site]) -> None:
    site = worker(shown("Provisioning"))
    held = Pending(page, "**/api/v1/{summary,stream}*")
    page.goto(site.address)
    tile(page, "Provisioning").to_be_visible()
    site.held.shown = shown("InService")
    held.go_on()
    tile(page, "InService").to_be_visible(timeout=SOON)


def test_counts_move_where_nothing_of_the_fleet_does(page: Page, worker: Callable[..., Site]) -> None:
    site = worker(shown("InService"))
    page.goto(f"{site.address}/pipeline")
    expect(page.locator(".sum dd").first).to_have_text("10")
    site.held.counts = site.held.counts.model_copy(update={"read": 11, "duplicate": 3})
    expect(page.locator(".sum dd").first).to_have_text("11", timeout=SOON)


def test_where_there_is_no_stream_it_asks(page: Page, worker: Callable[..., Site]) -> None:
    site = worker(shown("Provisioning"))
    page.route("**/api/v1/stream", lambda route: route.fulfill(status=503, body='{"error":{}}'))
    page.goto(site.address)
    tile(page, "Provisioning").to_be_visible()
    site.held.shown = shown("InService")
    tile(page, "InService").to_be_visible(timeout=SOON)


def test_a_connection_that_broke_is_taken_up_where_it_was(page: Page) -> None:
    held = Live(shown=shown("Provisioning"))
    api = create_api(held)
    told: list[str | None] = []
    page.on("request", lambda each: told.append(each.headers.get("last-event-id")) if "/stream" in each.url else None)
    with listening(api) as address:
        page.goto(address)
        tile(page, "Provisioning").to_be_visible()
        port = int(address.rpartition(":")[2])
    expect(page.locator('.fresh[data-tone="bad"]')).to_be_visible(timeout=40_000)
    held.shown = shown("InService")
    with listening(api, port):
        tile(page, "InService").to_be_visible(timeout=40_000)
    assert len(told) > 1
    assert told[-1] is not None
