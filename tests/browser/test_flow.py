"""Can I believe this page? The way of the data, part by part: what waits, how fast it goes, what has stopped."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import Locator, Page, expect

from models import public
from streams.web.provider import Freshness
from tests.browser.conftest import Live, Site, complaints
from tests.test_streams.serving import cluster

pytestmark = pytest.mark.browser


def part(page: Page, name: str) -> Locator:
    """One part, by its heading."""
    return page.locator(".stop", has=page.get_by_role("heading", name=name, exact=True))


@pytest.fixture
def site(worker: Callable[..., Site]) -> Site:
    return worker(public.Picture(clusters=(cluster(),)))


def moves(held: Live, read: int, written: int) -> None:
    """So many values were read since, and so many records written to each topic."""
    counts = held.counts
    held.counts = counts.model_copy(update={"read": counts.read + read, "applied": counts.applied + read})
    held.worked.checkpoints["events"].wrote.update({"transitions": written})


def test_every_part_is_named_in_order_with_a_word_for_how_it_is(page: Page, site: Site) -> None:
    page.goto(f"{site.address}/pipeline")
    way = page.get_by_role("list", name="The way of the data, step by step")
    expect(way.get_by_role("heading")).to_have_text(
        ["raw", "read", "events", "apply", "tables", "transitions", "anomalies", "deadletter"]
    )
    for name in ("read", "apply"):
        expect(part(page, name)).to_contain_text("running")
        expect(part(page, name)).to_contain_text("1 of 1 partition, 1 worker")
    for name in ("raw", "events"):
        expect(part(page, name)).to_contain_text("nothing waits")
    expect(part(page, "deadletter")).to_contain_text("▲ 1")


def test_rates_are_told_once_there_is_something_to_compare_with(page: Page, site: Site) -> None:
    page.goto(f"{site.address}/pipeline")
    expect(page.get_by_text("Rates are being measured")).to_be_visible()
    for _ in range(8):
        page.wait_for_timeout(1000)
        moves(site.held, read=100, written=20)
        if page.get_by_text("Rates are of the last").is_visible():
            break
    expect(page.get_by_text(re.compile(r"Rates are of the last \d+ s"))).to_be_visible(timeout=30_000)
    expect(part(page, "read").locator(".rate")).to_have_text(re.compile(r"^[\d.,]+ values/(s|min)$"))
    expect(part(page, "transitions").locator(".rate")).to_have_text(re.compile(r"^[\d.,]+ records/(s|min)$"))
    expect(part(page, "anomalies").locator(".rate")).to_have_text("no records")


def test_what_waits_and_what_has_stopped_is_said_where_it_is(page: Page, worker: Callable[..., Site]) -> None:
    site = worker(public.Picture(clusters=(cluster(),)))
    whole = site.held.freshness

    def stuck() -> Freshness:
        told = whole()
        (only,) = told.partitions
        raw, events = only.topics
        topics = (raw, events.model_copy(update={"lag": 1200, "stalled": True, "still_seconds": 90}))
        return told.model_copy(
            update={"lag": 1200, "partitions": (only.model_copy(update={"state": "stalled", "topics": topics}),)}
        )

    site.held.freshness = stuck  # type: ignore[method-assign]
    page.goto(f"{site.address}/pipeline")
    expect(part(page, "events")).to_contain_text("✖ 1,200 records wait")
    expect(part(page, "apply")).to_contain_text("stalled")
    expect(part(page, "raw")).to_contain_text("✔ nothing waits")
    assert complaints(page) == []


def test_partitions_that_nobody_has_are_missed(page: Page, site: Site) -> None:
    site.held.worked = replace(site.held.worked, partitions={"raw": 1, "events": 4})
    page.goto(f"{site.address}/pipeline")
    expect(part(page, "apply")).to_contain_text("unowned")
    expect(part(page, "apply")).to_contain_text("1 of 4 partitions")
    expect(part(page, "read")).to_contain_text("running")
