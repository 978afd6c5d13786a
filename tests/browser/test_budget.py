"""What the dashboard may weigh: bytes that are sent, things that are on a page.  Times are measured, not tested."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from streams.web.page import built
from tests.browser.conftest import Site
from tests.browser.large import fleet

pytestmark = pytest.mark.browser
MOST = 300_000
SENT = """() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
  .map(each => [new URL(each.name).pathname, each.transferSize])"""


def test_all_files_of_the_dashboard_are_small() -> None:
    assert sum(len(each.packed or each.plain) for each in built().values()) < 100_000


def test_the_first_page_of_two_thousand_instances_is_all_there_for_less_than_300_kb(
    page: Page, worker: Callable[..., Site]
) -> None:
    site = worker(fleet(2000, clusters=4, changes=20), http_rate=0)
    page.goto(site.address)
    expect(page.locator(".tiles .tile")).to_have_count(2000, timeout=20_000)
    expect(page.locator(".spinner")).to_have_count(0)
    sent = page.evaluate(SENT)
    assert {path for path, _ in sent} >= {"/", "/api/v1/fleet", "/api/v1/anomalies"}
    assert 0 < sum(size for _, size in sent) < MOST, sent
