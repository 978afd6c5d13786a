"""From an anomaly to what to do about it: one click from every page, offline, and back."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from models import public
from streams.runbooks.places import address
from tests.browser.conftest import Site, complaints
from tests.test_streams.serving import anomaly, cluster, group, instance

pytestmark = pytest.mark.browser
ITEM = anomaly("p1", "critical", instance_id="i-1")
PLACES = ("/", "/c/ml-prod", "/c/ml-prod/g/p5-train", "/i/i-1", "/anomalies", "/anomalies?id=p1")


@pytest.fixture(scope="module")
def site(worker: Callable[..., Site]) -> Site:
    return worker(
        public.Picture(
            clusters=(cluster(),), instance_groups=(group(),), instances=(instance("i-1", "Failed"),), anomalies=(ITEM,)
        )
    )


@pytest.mark.parametrize("place", PLACES)
def test_it_is_one_click_from_wherever_an_anomaly_is_shown(page: Page, site: Site, place: str) -> None:
    page.goto(site.address + place)
    link = page.get_by_role("link", name="Runbook: lifecycle script failed").first
    expect(link).to_have_attribute("href", address(ITEM.model_dump(mode="json")))
    link.click()
    expect(page.get_by_role("heading", name="lifecycle_script_failed")).to_be_visible()
    expect(page.get_by_text("--log-stream-name LifecycleConfig/p5-train/i-1")).to_be_visible()
    page.go_back()
    expect(page).to_have_url(site.address + place)


def test_a_member_of_an_incident_has_its_own(page: Page, worker: Callable[..., Site]) -> None:
    incident = anomaly("p1", "critical").model_copy(update={"kind": public.AnomalyKind.CORRELATED_FAILURE})
    members = [anomaly(f"m{n}", instance_id=f"i-{n}").model_copy(update={"parent_id": "p1"}) for n in range(3)]
    site = worker(public.Picture(clusters=(cluster(),), anomalies=(incident, *members)))
    page.goto(f"{site.address}/anomalies?id=p1")
    inside = page.get_by_role("list", name="Members").get_by_role("link", name="Runbook: lifecycle script failed")
    expect(inside).to_have_count(3)
    page.get_by_role("link", name="Runbook: correlated failure").first.click()
    page.get_by_role("link", name="This anomaly").click()
    expect(page.get_by_role("list", name="Members").locator("> li")).to_have_count(3)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_axe_finds_nothing_nothing_is_asked_of_elsewhere_and_no_page_is_wider_than_its_window(
    page: Page, site: Site, scheme: str, width: int
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for path in ("/runbooks", "/runbooks/feed_silent", address(ITEM.model_dump(mode="json"))):
        page.goto(site.address + path)
        assert complaints(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    assert {urlsplit(each).netloc for each in asked} == {urlsplit(site.address).netloc}
