"""One control of time: the range is in every address, and what lists and timelines show is of it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from models import public
from tests.browser.conftest import Site, complaints
from tests.test_streams.serving import ARN, anomaly, cluster, group, instance

pytestmark = pytest.mark.browser
NOW = int(time.time()) * 1000
HOUR = 3_600_000


def ago(hours: float) -> str:
    return public.iso(NOW - int(hours * HOUR))


def change(hours: float, machine: str, origin: str, to: str) -> public.HistoryItem:
    name = f"e-{machine}-{to}"
    return public.HistoryItem(time=ago(hours), event_id=name, code="X", machine=machine, from_=origin, to=to)


@pytest.fixture(scope="module")
def site(worker: Callable[..., Site]) -> Site:
    history = (
        change(30, "provision", "Unknown", "Provisioned"),
        change(20, "provision", "Provisioned", "InService"),
        change(3, "reboot", "None", "Rebooting"),
        change(0.5, "reboot", "Rebooting", "Rebooted"),
    )
    item = instance("i-1").model_copy(update={"history": history, "since": ago(0.5)})
    opened = {"opened_at": ago(20), "updated_at": ago(20)}
    old = anomaly("old", status="resolved").model_copy(update={**opened, "resolved_at": ago(19), "title": "An old one"})
    new = anomaly("new", status="resolved").model_copy(update={**opened, "resolved_at": ago(1), "title": "A new one"})
    told = public.History(cluster_arn=ARN, instance_group="p5-train", items=(change(20, "patch", "None", "Scheduled"),))
    return worker(
        public.Picture(
            clusters=(cluster(),),
            instance_groups=(group(),),
            instances=(item,),
            anomalies=public.sort_anomalies([old, new]),
            histories=(told,),
        )
    )


def test_a_range_limits_the_changes_and_the_timeline_and_is_in_every_link(page: Page, site: Site) -> None:
    page.goto(f"{site.address}/i/i-1")
    expect(page.locator("tbody tr")).to_have_count(4)
    expect(page.locator("svg.timeline .bar")).to_have_count(4)
    page.get_by_label("range").select_option("6h")
    expect(page).to_have_url(f"{site.address}/i/i-1?since=6h")
    expect(page.locator("tbody tr")).to_have_count(2)
    # What began before and still lasts is there: in service, then two of the reboot.
    expect(page.locator("svg.timeline .bar")).to_have_count(3)
    page.get_by_role("link", name="p5-train").click()
    expect(page).to_have_url(f"{site.address}/c/ml-prod/g/p5-train?since=6h")
    expect(page.locator("tbody tr", has_text="reboot")).to_have_count(2)
    page.goto(f"{site.address}/c/ml-prod/g/p5-train?since=10m")
    expect(page.get_by_text("Nothing changed in the range that is chosen.")).to_be_visible()
    expect(page.locator("select[name=range] option:checked")).to_have_text("the last 10m")
    assert complaints(page) == []
    page.get_by_role("button", name="All that is kept: 5 changes").click()
    expect(page).to_have_url(f"{site.address}/c/ml-prod/g/p5-train")
    expect(page.get_by_label("range")).to_have_value("")


def test_a_range_has_two_ends_where_two_are_given(page: Page, site: Site) -> None:
    page.goto(f"{site.address}/i/i-1")
    page.get_by_label("range").select_option("another…")
    page.get_by_label("range").fill(f"{ago(4)[:16].replace('T', ' ')} to {ago(2)[:16].replace('T', ' ')}")
    page.get_by_label("range").press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("Rebooting")
    assert f"since={ago(4)[:16]}Z&until={ago(2)[:16]}Z" in page.url
    expect(page.locator("select[name=range] option:checked")).to_have_text(
        f"{ago(4)[5:16].replace('T', ' ')}Z to {ago(2)[5:16].replace('T', ' ')}Z"
    )
    page.reload()
    expect(page.locator("tbody tr")).to_have_count(1)


def test_what_is_no_range_is_marked_and_changes_nothing(page: Page, site: Site) -> None:
    page.goto(f"{site.address}/i/i-1?since=7d")
    page.get_by_label("range").select_option("another…")
    page.get_by_label("range").fill("yesterday")
    page.get_by_label("range").press("Enter")
    expect(page.locator('input[name="since"][aria-invalid="true"]')).to_be_visible()
    assert complaints(page) == []
    page.get_by_label("range").press("Escape")
    expect(page.get_by_label("range")).to_have_value("7d")
    expect(page).to_have_url(f"{site.address}/i/i-1?since=7d")


def test_anomalies_of_a_range_are_those_that_were_there_in_it(page: Page, site: Site) -> None:
    page.goto(f"{site.address}/anomalies?status=all")
    expect(page.locator(".inbox > li")).to_have_count(2)
    page.get_by_label("range").select_option("6h")
    expect(page.locator(".inbox > li")).to_have_count(1)
    expect(page.locator(".inbox > li")).to_contain_text("A new one")
    page.get_by_label("range").select_option("1h")
    expect(page.get_by_text("Nothing matches in the range that is chosen.")).to_be_visible()


def test_a_range_lies_before_the_moment_that_is_looked_at(page: Page, worker: Callable[..., Site], site: Site) -> None:
    (item,) = site.held.shown.instances
    before = item.model_copy(update={"history": item.history[:2]})
    then = worker(site.held.shown)
    then.held.earlier = {0: site.held.shown.model_copy(update={"instances": (before,)})}
    page.goto(f"{then.address}/i/i-1?since=6h&at={ago(18)}")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("InService")
