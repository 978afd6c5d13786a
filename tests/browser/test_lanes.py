"""The timeline of a cluster and of a group: a lane each, only what is in view is here, dragging chooses a stretch."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from models import public
from tests.browser.conftest import Pending, Site, complaints
from tests.browser.large import arn, fleet
from tests.test_streams.serving import cluster, group

pytestmark = pytest.mark.browser
SOON = 20_000
PAINTED = """() => {
  const canvas = document.querySelector('.lanes canvas');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((value, i) => i % 4 === 3 && value > 0).length / (data.length / 4);
}"""
"""The share of a canvas that is not empty."""


@pytest.fixture(scope="module")
def many(worker: Callable[..., Site]) -> Site:
    """A thousand instances over seven days."""
    return worker(fleet(1000), http_rate=0)


@pytest.fixture(scope="module")
def few(worker: Callable[..., Site]) -> Site:
    return worker(fleet(4, changes=9))


def opened(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.locator(".lanes canvas").first).to_be_visible(timeout=SOON)


def test_of_a_thousand_lanes_only_those_in_view_are_asked_for_and_here(page: Page, many: Site) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/timeline" in request.url else None)
    opened(page, f"{many.address}/c/cluster-0")
    expect(page.get_by_text("1,000 lanes")).to_be_visible()
    assert len(asked) == 1
    assert page.locator(".lanes li").count() == 100
    page.evaluate("document.querySelector('.lanes-scroll').scrollTop = 1e6")
    expect(page.locator(".lanes li").last).to_contain_text(f"i-{999:017x}", timeout=SOON)
    assert page.locator(".lanes li").count() <= 200
    assert len(asked) <= 3, "what was only scrolled past is not asked for"
    assert len(set(asked)) == len(asked)


def test_lanes_are_painted(page: Page, few: Site) -> None:
    opened(page, f"{few.address}/c/cluster-0/g/group-0")
    painted = page.evaluate(PAINTED)
    assert painted > 0.5


def test_a_lane_is_a_link_and_says_in_words_what_it_shows(page: Page, few: Site) -> None:
    opened(page, f"{few.address}/c/cluster-0")
    line = page.locator(".lanes li").nth(1)
    expect(line).to_contain_text(re.compile("InService, then .*Patching"))
    line.get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"/i/i-0+1$"))


def test_dragging_chooses_the_stretch_and_a_button_leads_back(page: Page, few: Site) -> None:
    opened(page, f"{few.address}/c/cluster-0")
    canvas = page.locator(".lanes canvas")
    canvas.scroll_into_view_if_needed()
    at: Any = canvas.bounding_box()
    page.mouse.move(at["x"] + 200, at["y"] + 10)
    expect(page.locator(".pointed")).to_contain_text(re.compile("i-0+0 .*about 20"))
    page.mouse.down()
    page.mouse.move(at["x"] + 400, at["y"] + 12, steps=4)
    expect(page.locator(".dragged")).to_be_visible()
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"\?since=20.*Z&until=20.*Z$"))
    expect(page.get_by_text("4 lanes, 20")).to_be_visible(timeout=SOON)
    page.get_by_role("button", name="All that is kept").first.click()
    expect(page).to_have_url(f"{few.address}/c/cluster-0")


def test_a_click_on_a_lane_leads_to_its_instance(page: Page, few: Site) -> None:
    opened(page, f"{few.address}/c/cluster-0")
    page.locator(".lanes canvas").click(position={"x": 300, "y": 36})
    expect(page).to_have_url(re.compile(r"/i/i-0+1$"))


def test_long_silences_are_folded_and_say_how_long_they_were(page: Page, worker: Callable[..., Site]) -> None:
    shown = fleet(6, changes=20, days=0.1)
    early = [
        each.model_copy(
            update={
                "instance_id": f"{each.instance_id}b",
                "history": tuple(
                    one.model_copy(update={"time": one.time.replace(one.time[:4], str(int(one.time[:4]) - 1), 1)})
                    for one in each.history
                ),
            }
        )
        for each in shown.instances[:3]
    ]
    site = worker(shown.model_copy(update={"instances": public.sort_instances([*shown.instances, *early])}))
    opened(page, f"{site.address}/c/cluster-0")
    expect(page.locator(".axis .fold text", has_text=re.compile(r"^36\d d$"))).to_have_count(1)


def test_the_lanes_say_loading_nothing_and_trouble(page: Page, worker: Callable[..., Site]) -> None:
    site = worker(public.Picture(clusters=(cluster(arn(0), "cluster-0"),), instance_groups=(group(),)))
    held = Pending(page, "**/timeline*")
    page.goto(f"{site.address}/c/cluster-0")
    expect(page.get_by_text("Loading the timeline")).to_be_visible()
    held.go_on()
    expect(page.get_by_text("No instance was there.")).to_be_visible()
    page.goto(f"{site.address}/c/cluster-0?since=2h&changed=1")
    expect(page.get_by_text("No instance changed in the range that is chosen.")).to_be_visible()
    assert complaints(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_and_the_page_is_no_wider_than_its_window(
    browser: Browser, few: Site, scheme: Any, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    opened(page, f"{few.address}/c/cluster-0")
    assert complaints(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
