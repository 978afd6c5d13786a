"""Every page in a real browser: what it says, in light and dark, wide and narrow, by keyboard, at another moment."""

from __future__ import annotations

import csv
import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from models import public
from streams.web.api import create_api
from streams.web.provider import Readiness
from tests.browser.conftest import Live, Pending, Site, complaints
from tests.test_streams.serving import ARN, OTHER, anomaly, cluster, group, instance, listening

pytestmark = pytest.mark.browser
PLACES = ("fleet", "cluster", "group", "instance", "nothing")
PAGES = (*PLACES, "anomalies", "anomaly", "patterns", "machines", "state", "pipeline")
TOKEN = "a-token-of-enough-length"
EVIL = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'


def settled(page: Page) -> None:
    expect(page.locator("main h1").first).to_be_attached()
    expect(page.locator(".spinner")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_on_any_page_and_none_is_wider_than_its_window(
    browser: Browser, fleet: Site, scheme: Any, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    found = {}
    for name in PAGES:
        page.goto(fleet.address + fleet.pages[name])
        settled(page)
        found[name] = complaints(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    context.close()
    assert {name: told for name, told in found.items() if told} == {}


class TestFleet:
    def test_every_living_instance_has_a_tile_that_leads_to_it(self, page: Page, fleet: Site) -> None:
        page.goto(fleet.address)
        living = [item for item in fleet.held.shown.instances if item.phase != "Terminated"]
        expect(page.locator(".tiles .tile")).to_have_count(len(living))
        chosen = living[0].instance_id
        assert chosen is not None
        tile = page.get_by_role("link", name=re.compile(f"^{chosen}, {living[0].phase}"))
        tile.click()
        expect(page).to_have_url(f"{fleet.address}/i/{chosen}")
        expect(page.locator("h1")).to_contain_text(chosen)

    def test_a_filter_is_in_the_address_and_survives_loading_again(self, page: Page, fleet: Site) -> None:
        page.goto(fleet.address)
        settled(page)
        name = fleet.held.shown.clusters[0].cluster_name
        page.get_by_placeholder("filter").fill(str(name))
        expect(page.locator(".cluster")).to_have_count(1)
        page.reload()
        expect(page.locator(".cluster")).to_have_count(1)
        page.get_by_placeholder("filter").fill("nothing is called so")
        expect(page.get_by_text("Nothing matches")).to_be_visible()
        page.get_by_role("button", name="Take the filter away").click()
        expect(page.locator(".cluster")).to_have_count(2)

    def test_an_empty_fleet_says_what_to_do(self, page: Page, worker: Callable[..., Site]) -> None:
        site = worker(public.Picture())
        page.goto(site.address)
        expect(page.get_by_text("No cluster is known yet.")).to_be_visible()
        expect(page.get_by_text("Nothing is open.")).to_be_visible()
        expect(page.locator(".fresh")).to_contain_text("no events yet")

    def test_an_incident_is_one_line_among_the_newest_and_says_how_many_it_stands_for(
        self, page: Page, worker: Callable[..., Site]
    ) -> None:
        incident = anomaly("p1", "critical").model_copy(update={"title": "Six fail together"})
        members = [
            anomaly(f"m{n}", instance_id=f"i-{n}").model_copy(
                update={"parent_id": "p1", "opened_at": incident.updated_at}
            )
            for n in range(6)
        ]
        other = anomaly("w1", "warning").model_copy(update={"title": "Something else"})
        site = worker(
            public.Picture(clusters=(cluster(),), instance_groups=(group(),), anomalies=(*members, incident, other))
        )
        for place in ("/", "/c/ml-prod", "/c/ml-prod/g/p5-train"):
            page.goto(site.address + place)
            rows = page.locator("main .rows .row")
            expect(rows).to_have_count(2)
            expect(rows.filter(has_text="Six fail together")).to_contain_text("6 members")
            expect(rows.filter(has_text="Something else")).to_be_visible()

    def test_what_is_not_there_leads_to_the_fleet(self, page: Page, worker: Callable[..., Site]) -> None:
        site = worker(public.Picture(clusters=(cluster(),)))
        page.goto(f"{site.address}/c/nope")
        expect(page.locator("main .problem")).not_to_contain_text("/api/")
        page.locator("main .problem").get_by_role("link", name="The fleet").click()
        expect(page.get_by_role("heading", name="ml-prod")).to_be_visible()

    def test_two_clusters_of_one_name_are_told_apart(self, page: Page, worker: Callable[..., Site]) -> None:
        both = public.sort_clusters([cluster(), cluster(OTHER, "ml-prod", "Updating")])
        site = worker(public.Picture(clusters=both))
        page.goto(site.address)
        page.locator(".cluster a", has_text="ml-prod").nth(1).click()
        expect(page.locator("h1")).to_contain_text("Updating")


@pytest.fixture(scope="module")
def incident(worker: Callable[..., Site]) -> Site:
    parent = anomaly("p1", "critical").model_copy(update={"title": "Three instances fail together"})
    members = [anomaly(f"m{n}", "error", instance_id=f"i-{n}").model_copy(update={"parent_id": "p1"}) for n in range(3)]
    late = anomaly("z1", "critical").model_copy(
        update={"opened_at": public.iso(int(time.time() * 1000)), "title": "A newer one"}
    )
    others = [anomaly("w1", "warning"), anomaly("r1", "error", "resolved")]
    shown = public.Picture(
        clusters=(cluster(),),
        instance_groups=(group(),),
        instances=tuple(instance(f"i-{n}", "Failed") for n in range(3)),
        anomalies=public.sort_anomalies([parent, *members, late, *others]),
    )
    return worker(shown)


class TestAnomalies:
    def test_the_worst_comes_first_then_the_oldest_and_members_are_inside(self, page: Page, incident: Site) -> None:
        page.goto(f"{incident.address}/anomalies")
        lines = page.locator(".inbox > li > button .grow")
        expect(lines).to_have_count(3)
        assert [line.split("\n")[0] for line in lines.all_inner_texts()][:2] == [
            "Three instances fail together3 members",
            "A newer one",
        ]
        lines.first.click()
        expect(page.get_by_role("list", name="Members").locator("> li")).to_have_count(3)
        expect(page).to_have_url(f"{incident.address}/anomalies?id=p1")

    def test_a_link_to_a_member_opens_its_incident(self, page: Page, incident: Site) -> None:
        page.goto(f"{incident.address}/anomalies?id=m1")
        expect(page.get_by_role("list", name="Members").locator(".detail")).to_have_count(1)
        detail = page.get_by_role("list", name="Members").locator(".detail")
        expect(detail).to_contain_text("e-2")
        expect(detail).to_contain_text("check first")
        detail.get_by_role("link", name="i-1").click()
        expect(page).to_have_url(f"{incident.address}/i/i-1")

    def test_filters_are_in_the_address(self, page: Page, incident: Site) -> None:
        page.goto(f"{incident.address}/anomalies")
        page.get_by_label("Severity").select_option("warning")
        expect(page.locator(".inbox > li")).to_have_count(1)
        expect(page).to_have_url(f"{incident.address}/anomalies?severity=warning")
        page.get_by_role("button", name="Take filters away").click()
        expect(page.locator(".inbox > li")).to_have_count(3)
        page.get_by_label("Status").select_option("resolved")
        expect(page.locator(".inbox > li")).to_have_count(1)

    def test_what_is_shown_is_saved_and_no_text_of_it_is_a_formula(
        self, page: Page, worker: Callable[..., Site]
    ) -> None:
        titles = ["=1+1", 'a "word", and more', "A third one"]
        told = [anomaly(f"a{n}").model_copy(update={"title": title}) for n, title in enumerate(titles)]
        site = worker(public.Picture(clusters=(cluster(),), anomalies=public.sort_anomalies(told)))
        page.goto(f"{site.address}/anomalies?q=1")
        with page.expect_download() as saved:
            page.get_by_role("button", name="CSV").click()
        lines = list(csv.DictReader(saved.value.path().read_text().splitlines()))
        assert [each["title"] for each in lines] == ["'=1+1"]
        page.get_by_placeholder("words").fill("")
        with page.expect_download() as saved:
            page.get_by_role("button", name="JSON").click()
        assert saved.value.suggested_filename == "anomalies.json"
        assert [each["title"] for each in json.loads(saved.value.path().read_text())] == titles

    def test_the_header_counts_what_is_open(self, page: Page, incident: Site) -> None:
        page.goto(f"{incident.address}/pipeline")
        expect(page.locator("header .open")).to_contain_text("6 open anomalies, 2 critical")


class TestInstance:
    def test_it_begins_with_the_sentence_and_shows_timeline_and_path(self, page: Page, fleet: Site) -> None:
        page.goto(fleet.address + fleet.pages["instance"])
        name = fleet.pages["instance"].removeprefix("/i/")
        expect(page.locator(".sentence")).to_contain_text(f"{name}")
        bars = page.locator("svg.timeline .bar")
        assert bars.count() > 3
        expect(page.locator("svg.diagram .walked").first).to_be_attached()
        expect(page.locator("svg.diagram .state.here")).to_have_count(1)
        bars.first.click()
        expect(page.locator("tr.chosen").first).to_be_visible()
        assert "event=" in page.url
        page.reload()
        expect(page.locator("tr.chosen").first).to_be_visible()

    def test_the_diagram_of_another_machine_is_a_link(self, page: Page, fleet: Site) -> None:
        page.goto(f"{fleet.address}{fleet.pages['instance']}?machine=patch")
        expect(page.get_by_role("button", name="patch", pressed=True)).to_be_visible()
        expect(page.get_by_role("img", name=re.compile("^patch is "))).to_be_visible()

    def test_an_edge_that_the_table_lacks_is_said_in_words(self, page: Page, worker: Callable[..., Site]) -> None:
        odd = public.HistoryItem(
            time="2026-10-05T00:00:00.000Z",
            event_id="e",
            code="X",
            machine="provision",
            from_="Terminated",
            to="InService",
        )
        item = instance("i-odd").model_copy(update={"history": (odd,)})
        site = worker(public.Picture(clusters=(cluster(),), instance_groups=(group(),), instances=(item,)))
        page.goto(f"{site.address}/i/i-odd")
        expect(page.get_by_text("Not in the table: Terminated → InService")).to_be_visible()

    def test_text_of_events_stays_text(self, page: Page, worker: Callable[..., Site]) -> None:
        code = public.HistoryItem(time="2026-10-05T00:00:00.000Z", event_id=EVIL, code=EVIL)
        item = instance("i-1").model_copy(
            update={
                "history": (code,),
                "observed": public.Observed(status="Running", message=EVIL, time=None),
                "instance_group": EVIL,
            }
        )
        bad = anomaly("a", instance_id="i-1").model_copy(
            update={"title": EVIL, "expected": EVIL, "evidence": (EVIL,), "runbook": "javascript:window.hacked=1"}
        )
        shown = public.Picture(
            clusters=(cluster(ARN, EVIL),), instance_groups=(group(EVIL),), instances=(item,), anomalies=(bad,)
        )
        site = worker(shown)
        for path in ("/", "/i/i-1", "/anomalies?id=a"):
            page.goto(site.address + path)
            settled(page)
            expect(page.get_by_text(EVIL).first).to_be_attached()
            assert page.locator("main img").count() == page.locator("main script").count() == 0
            assert page.locator('a[href^="javascript"]').count() == 0
        assert page.evaluate("window.hacked") is None


class TestMoments:
    def test_the_moment_is_in_the_address_of_every_question(self, page: Page, worker: Callable[..., Site]) -> None:
        before = public.Picture(clusters=(cluster(),), instances=(instance("i-old", "Provisioning"),))
        site = worker(public.Picture(clusters=(cluster(),), instances=(instance("i-new"),)))
        site.held.earlier = {int(time.time() * 1000) - 7_200_000: before}
        page.goto(site.address)
        expect(page.locator(".tiles .tile")).to_have_attribute("aria-label", "i-new, InService")
        page.get_by_label("as of").fill("-1h")
        page.get_by_label("as of").press("Enter")
        expect(page.locator(".tiles .tile")).to_have_attribute("aria-label", "i-old, Provisioning")
        assert re.search(r"at=20\d\d-\d\d-\d\dT[\d:]+Z", page.url), "absolute, so that the link means the same later"
        expect(page.locator(".fresh")).to_contain_text("as of")
        page.get_by_role("link", name="Anomalies", exact=True).click()
        assert "at=" in page.url
        page.go_back()
        page.get_by_role("button", name="Live").click()
        expect(page.locator(".tiles .tile")).to_have_attribute("aria-label", "i-new, InService")

    def test_a_moment_that_is_gone_offers_the_oldest(self, page: Page, worker: Callable[..., Site]) -> None:
        oldest = int(time.time() * 1000) - 3_600_000
        site = worker(public.Picture(clusters=(cluster(),)))
        site.held.earlier = {oldest: public.Picture(clusters=(cluster(phase="Creating"),))}
        page.goto(f"{site.address}/?at=-5h")
        page.get_by_role("button", name="Go to the oldest moment").first.click()
        expect(page.locator(".cluster")).to_contain_text("Creating")

    @pytest.mark.parametrize("form", ["{0}", "{1}+02:00", "-1w"])
    def test_a_moment_in_any_form_is_the_same_everywhere_and_stays_it(
        self, page: Page, worker: Callable[..., Site], form: str
    ) -> None:
        now = int(time.time()) - 3600
        plus_two = public.iso((now + 7200) * 1000).removesuffix(".000Z")
        site = worker(public.Picture(clusters=(cluster(),)))
        site.held.earlier = {0: public.Picture(clusters=(cluster(phase="Creating"),))}
        page.goto(site.address)
        page.get_by_label("as of").fill(form.format(now, plus_two))
        page.get_by_label("as of").press("Enter")
        expect(page.locator(".cluster")).to_contain_text("Creating")
        expect(page).to_have_url(re.compile(r"\?at=\d{4}-\d\d-\d\dT[\d:.]+Z$"))
        told = page.url.partition("at=")[2]
        if form != "-1w":
            assert told == public.iso(now * 1000).replace(".000Z", "Z")
        expect(page.locator(".fresh")).to_contain_text(f"as of {told[:19].replace('T', ' ')}Z")


class TestStates:
    def test_old_state_is_red_and_says_how_old(self, page: Page, worker: Callable[..., Site]) -> None:
        site = worker(public.Picture(clusters=(cluster(),)))
        site.held.behind_ms = 600_000
        page.goto(site.address)
        expect(page.locator('.fresh[data-tone="bad"]')).to_contain_text("stale: the state is 10 min old")

    def test_missing_partitions_are_named(self, page: Page, worker: Callable[..., Site]) -> None:
        site = worker(public.Picture(clusters=(cluster(),)))
        site.held.held = {0: True, 1: False}
        page.goto(site.address)
        expect(page.locator('.fresh[data-tone="bad"]')).to_contain_text("partition 1 not current")

    def test_where_a_part_lacks_nobody_is_told_that_nothing_is_open(
        self, page: Page, worker: Callable[..., Site]
    ) -> None:
        site = worker(public.Picture())
        site.held.held = {0: True, 1: False}
        page.goto(site.address)
        expect(page.locator("header .open.unknown")).to_contain_text("? no open anomalies in what is known")
        expect(page.get_by_text("No cluster is in what is known.")).to_be_visible()
        expect(page.get_by_text("Nothing is open in what is known.")).to_be_visible()
        expect(page.get_by_text("Only what is known: partition 1 not current.").first).to_be_visible()
        page.goto(f"{site.address}/anomalies")
        expect(page.get_by_text("Nothing is open that matches in what is known.")).to_be_visible()
        assert complaints(page) == []

    def test_a_worker_that_is_not_ready_says_what_it_waits_for(self, page: Page, worker: Callable[..., Site]) -> None:
        site = worker(public.Picture())
        site.held.state, site.held.held = Readiness(ready=False, message="tables are restored to 43 %"), {}
        page.goto(f"{site.address}/pipeline")
        expect(page.get_by_text("tables are restored to 43 %")).to_be_visible()
        expect(page.locator('.fresh[data-tone="bad"]')).to_contain_text("no state")
        site.held.state, site.held.held = Readiness(ready=True, message="ready"), {0: True}
        expect(page.get_by_text("The counts add up.")).to_be_visible(timeout=15_000)

    def test_a_lost_worker_shows_and_what_was_known_stays(self, page: Page) -> None:
        api = create_api(Live(shown=public.Picture(clusters=(cluster(),), instances=(instance("i-1"),))))
        with listening(api) as address:
            page.goto(address)
            settled(page)
            port = int(address.rpartition(":")[2])
        expect(page.locator('.fresh[data-tone="bad"]')).to_contain_text("disconnected", timeout=40_000)
        expect(page.locator(".tiles .tile")).to_have_count(1)
        expect(page.locator("header .open.unknown")).to_contain_text("in what is known")
        expect(page.get_by_text("Nothing is open in what is known.")).to_be_visible()
        with listening(api, port):
            expect(page.locator('.fresh:not([data-tone="bad"])')).to_be_visible(timeout=40_000)


class TestToken:
    def test_it_is_asked_for_kept_in_the_session_and_never_in_an_address(
        self, page: Page, worker: Callable[..., Site]
    ) -> None:
        site = worker(public.Picture(clusters=(cluster(),)), http_token=TOKEN)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{site.address}/c/ml-prod")
        expect(page.locator(".fresh")).to_contain_text("a token is wanted")
        expect(page.locator("header .open.unknown")).to_be_visible()  # nothing is known, which is not: nothing is open
        page.get_by_label("Token").fill("a-wrong-one")
        page.get_by_role("button", name="Go on").click()
        expect(page.get_by_text("That was not it.")).to_be_visible()
        assert complaints(page) == []
        page.get_by_label("Token").fill(TOKEN)
        page.get_by_role("button", name="Go on").click()
        expect(page.locator("h1")).to_contain_text("ml-prod")
        page.reload()
        expect(page.locator("h1")).to_contain_text("ml-prod")
        assert not any(TOKEN in url for url in asked)
        assert page.evaluate("JSON.stringify(localStorage) + document.cookie").count(TOKEN) == 0
        assert page.evaluate("sessionStorage.getItem('hyperpod-state-token')") == TOKEN

    def test_a_wrong_token_is_sent_once_whatever_the_page_asks(self, page: Page, worker: Callable[..., Site]) -> None:
        site = worker(public.Picture(clusters=(cluster(),)), http_token=TOKEN)
        sent: list[str] = []
        page.on("request", lambda request: sent.append(request.headers.get("authorization", "")))
        page.goto(site.address)
        page.evaluate("sessionStorage.setItem('hyperpod-state-token', 'an-old-one')")
        held = Pending(page, "**/api/v1/summary*")
        page.reload()
        page.wait_for_timeout(1000)  # whatever else is asked has been by now
        held.go_on()
        expect(page.get_by_text("That was not it.")).to_be_visible()
        assert len([each for each in sent if each]) == 1

    def test_what_cannot_be_a_token_is_wrong_and_locks_nothing_up(
        self, page: Page, worker: Callable[..., Site]
    ) -> None:
        site = worker(public.Picture(clusters=(cluster(),)), http_token=TOKEN)
        page.goto(f"{site.address}/pipeline")
        page.get_by_label("Token").fill("ключ-от-двери-и-окна")
        page.get_by_role("button", name="Go on").click()
        expect(page.get_by_text("That was not it.")).to_be_visible()
        page.get_by_label("Token").fill(TOKEN)
        page.get_by_role("button", name="Go on").click()
        expect(page.get_by_text("The counts add up.")).to_be_visible()
        # A link sends no token, so what wants one is none.
        expect(page.get_by_role("link", name="Readiness")).to_be_visible()
        expect(page.locator('main a[href="/metrics"], main a[href="/openapi.json"]')).to_have_count(0)


class TestKeys:
    def test_pages_rows_filter_and_help_are_reached_by_keyboard(self, page: Page, fleet: Site) -> None:
        page.goto(fleet.address)
        settled(page)
        page.keyboard.press("g")
        page.keyboard.press("a")
        expect(page).to_have_url(f"{fleet.address}/anomalies")
        page.keyboard.press("g")
        page.keyboard.press("f")
        settled(page)
        page.keyboard.press("/")
        expect(page.get_by_placeholder("filter")).to_be_focused()
        page.keyboard.press("j")  # a letter of the filter
        expect(page.get_by_placeholder("filter")).to_have_value("j")
        page.keyboard.press("Backspace")
        page.keyboard.press("Escape")
        for key in "jjk":
            page.keyboard.press(key)
        first = page.locator("main [data-row]").first
        expect(first).to_be_focused()
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("/c/"))
        page.keyboard.press("?")
        expect(page.get_by_role("dialog")).to_be_visible()
        assert complaints(page) == []
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()

    def test_the_theme_follows_the_system_and_a_choice_is_kept(self, browser: Browser, fleet: Site) -> None:
        context = browser.new_context(color_scheme="dark")
        page = context.new_page()
        page.goto(fleet.address)
        paper = "getComputedStyle(document.body).backgroundColor"
        dark = page.evaluate(paper)
        page.get_by_role("button", name="Light or dark").click()
        light = page.evaluate(paper)
        assert dark != light
        page.reload()
        assert page.evaluate(paper) == light
        context.close()
