"""The pages of machines and of patterns: who is in which state, what recurs, and where each of it leads."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from models import public
from tests.browser.conftest import Pending, Site, complaints
from tests.test_streams.serving import anomaly, cluster, group, instance, minutes_ago

pytestmark = pytest.mark.browser


class TestMachines:
    def test_a_state_says_how_many_are_in_it_and_leads_to_them(self, page: Page, fleet: Site) -> None:
        living = [each for each in fleet.held.shown.instances if each.phase != "Terminated"]
        state, count = Counter(each.machines["replace"] for each in living).most_common(1)[0]
        page.goto(f"{fleet.address}/machines")
        picture = page.get_by_role("group", name=re.compile("^replace:"))
        picture.get_by_role("link", name=re.compile(rf"{state}\s*{count}")).click()
        expect(page).to_have_url(f"{fleet.address}/machines?machine=instance/replace&state={state}")
        who = page.get_by_role("region", name="Who is in it")
        expect(who.locator("tbody tr")).to_have_count(count)
        who.get_by_role("link").first.click()
        expect(page).to_have_url(re.compile("/i/"))

    def test_groups_and_clusters_have_machines_too(self, page: Page, fleet: Site) -> None:
        page.goto(f"{fleet.address}/machines")
        page.get_by_role("navigation", name="Whose machines").get_by_role("link", name="group").click()
        expect(page.get_by_role("heading", name="network")).to_be_visible()
        expect(page.get_by_role("heading", name="provision")).to_have_count(0)

    def test_the_table_says_the_same_as_the_picture_with_how_long_states_last(self, page: Page, fleet: Site) -> None:
        page.goto(f"{fleet.address}/machines")
        page.get_by_text("provision as a table").click()
        table = page.get_by_role("region", name="provision as a table")
        line = table.get_by_role("row", name=re.compile("Provisioned"))
        expect(line.locator("td").nth(1)).to_have_text(re.compile(r"\d+ (s|min|h)"))
        assert complaints(page) == []

    def test_a_step_that_the_table_lacks_is_said_in_words(self, page: Page, worker: Callable[..., Site]) -> None:
        odd = public.HistoryItem(
            time=minutes_ago(1), event_id="e", code="X", machine="provision", from_="Terminated", to="InService"
        )
        item = instance("i-odd").model_copy(update={"history": (odd,)})
        site = worker(public.Picture(clusters=(cluster(),), instances=(item,)))
        page.goto(f"{site.address}/machines")
        expect(page.locator("li", has_text="Terminated → InService, once")).to_be_visible()
        page.get_by_role("link", name="i-odd").click()
        expect(page).to_have_url(f"{site.address}/i/i-odd")

    def test_a_state_that_is_left_meanwhile_says_so(self, page: Page, worker: Callable[..., Site]) -> None:
        site = worker(public.Picture(clusters=(cluster(),), instances=(instance("i-1"),)))
        page.goto(f"{site.address}/machines?machine=instance/provision&state=Failed")
        expect(page.get_by_text("Nobody is Failed.")).to_be_visible()
        page.goto(f"{site.address}/machines?machine=instance/provision&state=Nonsense")
        expect(page.get_by_text("has no state 'Nonsense'")).to_be_visible()
        assert complaints(page) == []


def incident() -> public.Picture:
    """Three instances that failed together, one that flaps, and a storm that is over."""

    def of(kind: str, made: public.Anomaly) -> public.Anomaly:
        title = f"{made.anomaly_id} it is"
        return made.model_copy(update={"kind": public.AnomalyKind(kind), "title": title})

    together = of("correlated_failure", anomaly("together", "critical"))
    faults = [anomaly(f"m{n}", instance_id=f"i-{n}").model_copy(update={"parent_id": "together"}) for n in range(3)]
    flaps = of("flapping", anomaly("flaps", instance_id="i-9"))
    storm = of("replacement_storm", anomaly("storm", status="resolved"))
    return public.Picture(
        clusters=(cluster(),),
        instance_groups=(group(),),
        instances=public.sort_instances([*(instance(f"i-{n}", "Failed") for n in range(3)), instance("i-9")]),
        anomalies=public.sort_anomalies([together, *faults, flaps, storm]),
    )


@pytest.fixture(scope="module")
def day(worker: Callable[..., Site]) -> Site:
    return worker(incident())


class TestPatterns:
    def test_each_shape_leads_to_its_anomaly_and_to_its_instances(self, page: Page, day: Site) -> None:
        page.goto(f"{day.address}/patterns")
        together = page.locator(".shape", has_text="together it is")
        expect(together).to_contain_text("3 faults in it · lifecycle script")
        expect(together.locator(".ids-line a")).to_have_text(["i-0", "i-1", "i-2"])
        expect(page.locator(".shape", has_text="flaps it is").get_by_role("link", name="i-9")).to_be_visible()
        expect(page.locator(".shape", has_text="storm it is")).to_contain_text("resolved")
        expect(page.locator(".sentence")).to_contain_text("1 group of instances that failed together, 0 storms")
        together.get_by_role("link", name="together it is").click()
        expect(page).to_have_url(f"{day.address}/anomalies?id=together")
        expect(page.get_by_role("list", name="Members").locator("> li")).to_have_count(3)

    def test_a_cell_of_failures_opens(self, page: Page, worker: Callable[..., Site]) -> None:
        shown = incident()
        now = [each.model_copy(update={"opened_at": public.iso(_now())}) for each in shown.anomalies]
        site = worker(shown.model_copy(update={"anomalies": public.sort_anomalies(now)}))
        page.goto(f"{site.address}/patterns")
        page.get_by_role("button", name=re.compile(r"p5-train, .*: 3 failures")).click()
        expect(page.get_by_role("link", name=re.compile("The lifecycle script failed"))).to_have_count(3)
        assert "cell=" in page.url
        page.reload()
        expect(page.get_by_role("link", name=re.compile("The lifecycle script failed"))).to_have_count(3)
        assert complaints(page) == []

    def test_figures_are_those_of_the_report_by_what_is_chosen(self, page: Page, fleet: Site) -> None:
        page.goto(f"{fleet.address}/patterns")
        figures = page.get_by_role("region", name="Figures of reliability")
        expect(figures.locator("tbody tr")).to_have_count(1)
        page.get_by_role("button", name="cluster", exact=True).click()
        expect(figures.locator("tbody tr")).to_have_count(2)
        figures.get_by_role("link").first.click()
        expect(page).to_have_url(re.compile("/c/"))

    def test_a_quiet_fleet_has_nothing_that_recurs(self, page: Page, worker: Callable[..., Site]) -> None:
        site = worker(public.Picture())
        page.goto(f"{site.address}/patterns")
        for text in ("No instances failed together.", "There was no replacement storm.", "Nothing went to and fro."):
            expect(page.get_by_text(text)).to_be_visible()
        expect(page.get_by_text("Nothing failed in the last 24 h.")).to_be_visible()
        expect(page.get_by_text("No place failed more than once.")).to_be_visible()
        assert complaints(page) == []

    def test_where_a_part_lacks_nobody_is_told_that_nothing_recurs(
        self, page: Page, worker: Callable[..., Site]
    ) -> None:
        site = worker(public.Picture())
        site.held.held = {0: True, 1: False}
        page.goto(f"{site.address}/patterns")
        expect(page.get_by_text("No instances failed together, in what is known.")).to_be_visible()
        expect(page.get_by_text("Only what is known: partition 1 not current.").first).to_be_visible()

    def test_loading_and_failing_are_said(self, page: Page, worker: Callable[..., Site]) -> None:
        site = worker(public.Picture(clusters=(cluster(),)))
        held = Pending(page, "**/api/v1/report*")
        page.goto(f"{site.address}/patterns")
        expect(page.get_by_text("Loading the figures")).to_be_visible()
        site.held.state = site.held.state.model_copy(update={"ready": False, "message": "restored to 43 %"})
        site.held.held = {}
        held.go_on()
        expect(page.get_by_text("nothing is known of any partition yet").first).to_be_visible()


def _now() -> int:
    return int(time.time() * 1000) - 60_000
