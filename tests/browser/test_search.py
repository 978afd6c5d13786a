"""Anything by its name, from every page, by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from models import public
from tests.browser.conftest import Site, complaints
from tests.test_streams.serving import picture

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(worker: Callable[..., Site]) -> Site:
    made = worker(picture())
    made.held.earlier = {0: made.held.shown}
    return made


def options(page: Page) -> Locator:
    return page.get_by_role("listbox", name="What was found").get_by_role("option")


def test_an_instance_is_found_and_opened_by_keyboard_and_the_moment_stays(page: Page, site: Site) -> None:
    page.goto(f"{site.address}/machines?at=2026-10-05T00:00:00Z")
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="Search")
    expect(box).to_be_focused()
    page.keyboard.type("i-bad")
    expect(options(page).first).to_contain_text("i-bad")
    expect(options(page).first).to_contain_text("Failed")
    assert complaints(page) == []
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site.address}/i/i-bad?at=2026-10-05T00:00:00Z")
    expect(page.get_by_role("dialog")).to_be_hidden()


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        ("ml-dev", "/c/ml-dev"),
        ("cpu", "/c/ml-prod/g/cpu"),
        ("critical lifecycle", "/anomalies?id=a1&status=all"),
        ("slot-9", "/i/slot-9?cluster=arn:aws:sagemaker:us-west-2:123456789012:cluster/abc123"),
    ],
)
def test_each_kind_of_thing_leads_to_its_page(page: Page, site: Site, typed: str, path: str) -> None:
    page.goto(f"{site.address}/pipeline")
    page.get_by_role("button", name="Search").click()
    page.keyboard.type(typed)
    options(page).first.click()
    expect(page).to_have_url(site.address + path)


def test_pages_are_there_before_anything_is_typed_and_arrows_choose(page: Page, site: Site) -> None:
    page.goto(f"{site.address}/pipeline")
    page.keyboard.press("/")  # this page has no filter
    expect(options(page)).to_have_count(5)
    for key in ("ArrowDown", "ArrowDown", "ArrowUp", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    expect(page).to_have_url(f"{site.address}/patterns")


def test_what_is_not_there_is_said_and_escape_leaves_everything_as_it_was(page: Page, site: Site) -> None:
    page.goto(f"{site.address}/anomalies")
    page.keyboard.press("Control+k")
    page.keyboard.type("nothing is called so")
    expect(page.get_by_role("dialog").get_by_role("status")).to_have_text("Nothing is called so.")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page).to_have_url(f"{site.address}/anomalies")


def test_a_part_of_the_fleet_says_that_it_is_one(page: Page, worker: Callable[..., Site]) -> None:
    site = worker(public.Picture())
    site.held.held = {0: True, 1: False}
    page.goto(f"{site.address}/pipeline")
    page.keyboard.press("Control+k")
    page.keyboard.type("x")
    expect(page.get_by_role("dialog").get_by_role("status")).to_have_text("Only what is known was looked at.")
