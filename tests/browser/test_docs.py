"""The page that describes the API: read offline, without a token, by keyboard and by whoever needs contrast."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from models import public
from tests.browser.conftest import Site, complaints

pytestmark = pytest.mark.browser
TOKEN = "a-token-of-enough-length"


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 400)])
def test_axe_finds_nothing_and_the_page_is_not_wider_than_its_window(
    page: Page, worker: Callable[..., Site], scheme: str, width: int
) -> None:
    site = worker(public.Picture(), http_token=TOKEN)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(f"{site.address}/docs")
    expect(page.get_by_role("heading", name="GET /api/v1/anomalies", exact=True)).to_be_attached()
    assert page.evaluate("getComputedStyle(document.body).display") == ("grid" if width > 800 else "block")
    assert complaints(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert {urlsplit(each).path for each in asked} == {"/docs", "/docs/style.css"}


def test_links_lead_to_operations_and_fields(page: Page, worker: Callable[..., Site]) -> None:
    page.goto(f"{worker(public.Picture()).address}/docs")
    page.get_by_role("navigation").get_by_role("link", name="/api/v1/anomalies", exact=True).click()
    expect(page.get_by_role("heading", name="GET /api/v1/anomalies", exact=True)).to_be_in_viewport()
    page.get_by_role("link", name="Page_Anomaly_").first.click()
    expect(page.get_by_role("heading", name="Page_Anomaly_")).to_be_in_viewport()
    example = page.locator("details", has_text='"anomaly_id"').first
    expect(example.locator("code")).to_be_hidden()
    example.locator("summary").click()
    expect(example.locator("code")).to_be_visible()
