"""The report over a socket, on the command line, from files and as metrics: the same figures everywhere."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from typing import Any
from urllib.request import urlopen

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from models.explain.times import milliseconds
from models.public import Picture, iso
from models.report import Figures, report
from streams.cli.output import Format
from streams.metrics.figures import SERIES, SHARE, FigureMetrics
from streams.since import since
from streams.web.provider import Readiness
from tests.test_streams.serving import NOW_MS, Held, served
from tests.test_streams.test_lineage_api import ask
from tests.test_streams.told import OVER, SAMPLE, Told, incident, picture_at

DAY_MS = 86_400_000
HALF_PAST_NINE = "2026-10-05T09:30:00Z"


@pytest.fixture(scope="module")
def worker() -> Iterator[str]:
    with incident(OVER) as address:
        yield address


def workers_of(body: dict[str, Any]) -> dict[str, Any]:
    return next(f for f in body["figures"] if (f["by"], f["instance_group"]) == ("instance_group", "workers"))


def test_the_answer_is_the_report_of_the_picture(worker: str) -> None:
    status, body = ask(worker, "/api/v1/report")
    assert status == 200
    assert (body["as_of"], body["lag"]) == (OVER, 0)
    assert body["item"] == report(picture_at(OVER), OVER).model_dump(mode="json")
    figures = workers_of(body["item"])
    assert (figures["instances"], figures["places"], figures["failures"]) == (5, 4, 1)
    assert (figures["mttr_seconds"], figures["lost_hours_unplanned"]) == (940.0, round(940 / 3600, 4))


@pytest.mark.parametrize(
    ("query", "since_", "failures"),
    [
        (f"since={HALF_PAST_NINE}", "2026-10-05T09:30:00.000Z", 1),
        ("since=1h", "2026-10-05T10:06:40.000Z", 0),
        ("since=90m&group=workers&cluster=demo-eks", "2026-10-05T09:36:40.000Z", 1),
    ],
)
def test_a_window_and_a_part_of_the_fleet(worker: str, query: str, since_: str, failures: int) -> None:
    _, body = ask(worker, f"/api/v1/report?{query}")
    assert body["item"]["since"] == since_
    assert workers_of(body["item"])["failures"] == failures
    if "group" in query:
        assert {each["instance_group"] for each in body["item"]["figures"]} == {None, "workers"}


@pytest.mark.parametrize("query", ["cluster=nope", "group=nope"])
def test_of_nobody_nothing_is_told(worker: str, query: str) -> None:
    _, body = ask(worker, f"/api/v1/report?{query}")
    assert (body["item"]["since"], body["item"]["figures"]) == (None, [])


@pytest.mark.parametrize("query", ["since=tomorrow", "since=", "sicne=1h", "limit=5"])
def test_what_is_misspelt_is_400(worker: str, query: str) -> None:
    status, body = ask(worker, f"/api/v1/report?{query}")
    assert status == 400
    assert body["error"]["hint"]


def test_until_ready_it_is_503() -> None:
    with served(Held(state=Readiness(ready=False, message="tables are restored to 43 %"))) as address:
        assert ask(address, "/api/v1/report")[0] == 503


def test_it_is_documented(worker: str) -> None:
    _, body = ask(worker, "/openapi.json")
    assert "up to `as_of`" in body["paths"]["/api/v1/report"]["get"]["description"]
    described = body["components"]["schemas"]["Figures"]["properties"]
    assert set(described) == set(Figures.model_fields)
    assert "Mean time to repair" in described["mttr_seconds"]["description"]
    assert "/api/v1/report" in ask(worker, "/")[1]["routes"]


def test_fail_on_looks_at_what_is_open_at_the_end_of_files_and_of_a_worker(run) -> None:
    ill = ("--at", "2026-10-05T09:43:00Z")
    assert run("report", str(SAMPLE), "--fail-on", "error").code == 0
    assert run("report", str(SAMPLE), *ill, "--fail-on", "error").code == 1
    assert run("report", str(SAMPLE), *ill, "--fail-on", "critical").code == 0
    assert run("report", str(SAMPLE), *ill, "--fail-on", "unhealthy_node", "--group", "workers").code == 1
    assert run("report", str(SAMPLE), *ill, "--fail-on", "unhealthy_node", "--group", "system").code == 0
    with incident("2026-10-05T09:43:00.000Z") as address:
        assert run("report", "--server", address, "--fail-on", "error").code == 1
        assert run("report", "--server", address, "--fail-on", "error", "--group", "system").code == 0


def test_files_and_a_worker_give_the_same_bytes(run, worker: str) -> None:
    for form in ("table", "wide", "json", "yaml", "jsonl"):
        asked = run("report", "--server", worker, "-o", form)
        read = run("report", str(SAMPLE), "-o", form)
        assert (asked.code, read.code, read.err) == (0, 0, "")
        assert asked.out == read.out == run("report", str(SAMPLE), "-o", form).out


def test_of_a_cluster_that_is_not_there_the_zeros_are_not_all_that_is_said(run, worker: str) -> None:
    for source in ((str(SAMPLE),), ("--server", worker)):
        done = run("report", *source, "--cluster", "nope", "-o", "json")
        assert (done.code, done.err) == (0, "note: No cluster is called 'nope': there is demo-eks.\n")
        assert run("report", *source, "--cluster", "demo-eks").err == ""


@pytest.mark.parametrize("form", Format)
def test_in_every_form(run, worker: str, form: Format) -> None:
    done = run("report", "--server", worker, "--since", "3h", "-o", form)
    assert (done.code, done.err) == (0, "")
    if form in (Format.table, Format.wide):
        titles = [line.split(" (")[0] for line in done.out.splitlines() if line.isupper() or line.startswith("BY ")]
        assert titles[:3] == ["BY CLUSTER AND GROUP", titles[1], "BY INSTANCE TYPE"]
        assert "\x1b" not in done.out
    elif form is Format.jsonl:
        lines = [json.loads(line) for line in done.out.splitlines()]
        assert lines[0]["type"] == "window"
        assert {line["type"] for line in lines[1:]} == {"figures", "state"}
    else:
        body = json.loads(done.out) if form is Format.json else yaml.safe_load(done.out)
        assert list(body) == ["since", "until", "complete_since", "notes", "figures", "states", "offenders"]


def test_the_table_says_what_an_operator_reads_first(run) -> None:
    out = run("report", str(SAMPLE)).out
    first, note = out.splitlines()[:2]
    assert first == "2026-10-05T09:00:50Z to 2026-10-05T11:06:40Z (2 h 5 min), complete since 2026-10-05T09:00:50Z"
    assert note.startswith("note: 6 instances or slots go on")
    assert (
        "demo-eks  workers  5          64.9 %     2.7 h         0.3 h           1         0        0     15 min" in out
    )
    assert "unknown  1         0        0     15 min" in out
    assert "Replacing        1      0     15 min" in out


def test_files_are_read_as_of_a_moment(run) -> None:
    body = json.loads(run("report", str(SAMPLE), "--now", "2026-10-05T13:06:40Z", "--since", "1h", "-o", "json").out)
    assert (body["since"], body["until"]) == ("2026-10-05T12:06:40.000Z", "2026-10-05T13:06:40.000Z")
    assert workers_of(body)["availability"] == 1.0


def test_files_are_read_up_to_a_moment(run) -> None:
    at = "2026-10-05T09:55:00.000Z"
    body = json.loads(run("report", str(SAMPLE), "--at", at, "-o", "json").out)
    assert body == report(picture_at(at), at, keep_ms=None).model_dump(mode="json")
    assert (body["until"], workers_of(body)["failures_open"]) == (at, 1)
    assert workers_of(body)["longest_open_seconds"] == 13 * 60


def test_a_worker_is_asked_of_an_earlier_moment(run) -> None:
    then = "2026-10-05T09:55:00.000Z"
    held = Told(shown=picture_at(OVER), as_of=OVER, earlier={milliseconds(then): picture_at(then)})
    with served(held) as address:
        body = json.loads(run("report", "--server", address, "--at", then, "-o", "json").out)
    assert body == report(picture_at(then), then).model_dump(mode="json")


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["--since", "soon"], 2, "give a length of time such as 90m, 24h or 7d"),
        (["--now", "2026-10-05T12:00:00Z"], 2, "--now is for files"),
        (["nowhere.jsonl"], 2, "nowhere.jsonl: no such file"),
        (["--server", "http://127.0.0.1:1"], 3, "no answer from"),
    ],
)
def test_misuse_is_told(run, args: list[str], code: int, words: str) -> None:
    done = run("report", *args)
    assert (done.code, done.out) == (code, "")
    assert words in done.err


def test_of_no_events_a_sentence(run, tmp_path) -> None:
    (tmp_path / "none.jsonl").write_text("")
    assert run("report", str(tmp_path / "none.jsonl")).out == "nothing is known that figures could be of\n"


@pytest.mark.parametrize(
    ("text", "before"),
    [("90m", 90 * 60_000), ("7d", 7 * DAY_MS), ("-1h", 3_600_000), (iso(NOW_MS - 5000), 5000), (str(NOW_MS), 0)],
)
def test_a_beginning_as_people_type_it(text: str, before: int) -> None:
    assert since(text, NOW_MS) == NOW_MS - before


def scraped(address: str) -> dict[tuple[str, ...], float]:
    """Samples by name and label values; the cluster's left out, for there is one."""
    with urlopen(f"{address}/metrics", timeout=10) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    return {
        (sample.name, *(value for name, value in sorted(sample.labels.items()) if not name.startswith("cluster"))):
        sample.value
        for family in families
        for sample in family.samples
    }  # fmt: skip


def test_metrics_have_the_same_figures(worker: str) -> None:
    found, figures = scraped(worker), workers_of(ask(worker, "/api/v1/report")[1]["item"])
    wanted = {
        ("failures", "unknown", "workers"): 1,
        ("failures_unrepaired", "workers"): 0,
        ("mttr_seconds", "workers"): 940,
        ("mtbf_seconds", "workers"): round(figures["mtbf_hours"] * 3600, 1),
        ("lost_node_seconds", "workers", "false"): round(figures["lost_hours_unplanned"] * 3600, 1),
        ("capacity_shortage_ratio", "workers"): 0,
        ("repeat_offenders", "workers"): 0,
        ("phase_median_seconds", "workers", "Replacing"): 900,
        ("rollout_instances", "workers", "rolled_back"): 4,
        ("rollout_batches", "workers"): 2,
        ("rollout_residue", "workers"): 0,
    }
    assert {key: found[f"hyperpod_state_{key[0]}", *key[1:]] for key in wanted} == wanted
    names = {key[0].removeprefix("hyperpod_state_") for key in found}
    assert not names & {"capacity_longest_wait_seconds", "phase_p95_seconds", "rollout_under_way"}


def test_no_metric_names_an_instance_and_every_one_is_documented(worker: str) -> None:
    with urlopen(f"{worker}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    assert "i-0a" not in text
    for series in SERIES.values():
        assert f"# HELP hyperpod_state_{series.name} {series.text}" in text


def test_a_rollout_under_way_shows_until_it_is_over() -> None:
    baking = "2026-10-05T10:30:00.000Z"
    with served(Told(shown=picture_at(baking), as_of=baking)) as address:
        found = scraped(address)
    assert found["hyperpod_state_rollout_under_way", "workers", "Baking"] == 1


def test_the_figures_are_found_once_a_picture_and_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str | None] = []
    clock = 100.0

    def counted(picture: Picture, now: str | None, **asked: Any) -> Any:
        nonlocal clock
        clock += 0.5
        made.append(now)
        return report(picture, now, **asked)

    monkeypatch.setattr("streams.metrics.figures.report", counted)
    metrics, shown = FigureMetrics(clock=lambda: clock), picture_at(OVER)

    def asked(shown: Picture) -> list[Any]:
        asyncio.run(metrics.prepare(shown, OVER))
        return metrics.collect()

    first = asked(shown)
    clock += SHARE * 0.5 - 0.1
    assert asked(picture_at(OVER)) is first
    clock += 0.2
    assert asked(shown) is first
    assert asked(picture_at(OVER)) is not first
    assert made == [OVER, OVER]


def test_a_scrape_does_not_wait_for_figures_that_take_long(monkeypatch: pytest.MonkeyPatch) -> None:
    go, made = threading.Event(), threading.Event()

    def slow(picture: Picture, now: str | None, **asked: Any) -> Any:
        go.wait(30)
        made.set()
        return report(picture, now, **asked)

    monkeypatch.setattr("streams.metrics.figures.report", slow)

    async def story() -> list[int]:
        metrics, shown, counts = FigureMetrics(patience=0.01), picture_at(OVER), []
        for _ in range(2):
            await metrics.prepare(shown, OVER)
            counts.append(len(metrics.collect()))
        go.set()
        while not metrics.collect():
            await metrics.prepare(shown, OVER)
        return counts

    assert asyncio.run(story()) == [0, 0]
    assert made.is_set()


def test_a_fault_in_the_figures_costs_no_other_metric(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr("streams.metrics.figures.report", broken)
    with served(Told(shown=picture_at(OVER), as_of=OVER)) as address:
        found = scraped(address)
    assert found["hyperpod_state_ready",] == 1
    assert not [key for key in found if key[0] == "hyperpod_state_mttr_seconds"]
