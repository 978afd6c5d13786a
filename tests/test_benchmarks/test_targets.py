"""Medians, ratios, and what is made of them."""

from __future__ import annotations

import pytest

from benchmarks import results
from benchmarks.measure import Run, best_of, limit_of, middle, percentile, ratio_of
from benchmarks.page import text
from benchmarks.page import write as write_page
from benchmarks.results import Part, Results
from benchmarks.targets import TARGETS, Target, judge


def runs(**values: list[float]) -> list[Run]:
    return [
        Run(name, number, value, "events/s") for name, found in values.items() for number, value in enumerate(found)
    ]


def part(found: list[Run]) -> Part:
    return placed(found, "2")


def placed(found: list[Run], cores: str) -> Part:
    where = {"cores": cores}, {"python": "3.11"}
    return Part("abc", "2026-11-27T04:00Z", "make bench BENCH=small", (0.1, 1.9), *where, [], found)


def test_a_ratio_is_one_of_medians_and_its_spread_one_of_rounds():
    found = ratio_of(runs(ours=[10, 30, 20], theirs=[10, 10, 20]), "ours", "theirs")
    assert found is not None
    assert found.ratio == 2.0
    assert found.spread == (1.0, 3.0)


def test_the_best_of_several_has_the_highest_median():
    assert best_of(runs(one=[1, 9, 1], two=[2, 2, 2]), ("one", "two", "absent")) == "two"
    assert best_of([], ("one",)) is None


def test_what_has_no_run_has_no_middle():
    assert middle([], "one") is None
    assert ratio_of(runs(one=[1]), "one", "two") is None
    assert limit_of([], "one", 5.0) is None


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.99, 99), (0.999, 100), (1.0, 100)])
def test_a_percentile_is_one_of_the_figures(share, expected):
    assert percentile(list(range(1, 101)), share) == expected


def test_a_target_is_met_missed_or_not_measured():
    aims = (
        Target("met", "small", "ours", ("slow", "theirs"), 1.5),
        Target("missed", "small", "ours", ("theirs",), 3.0),
        Target("absent", "small", "ours", ("nobody",), 1.0),
        Target("other part", "real", "ours", ("theirs",), 1.0),
    )
    found = judge({"small": runs(ours=[20.0], theirs=[10.0], slow=[1.0])}, aims)
    assert [(each.name, each.ratio, each.met, each.against) for each in found] == [
        ("met", 2.0, True, "theirs"),
        ("missed", 2.0, False, "theirs"),
        ("absent", None, None, "nobody"),
        ("other part", None, None, "theirs"),
    ]


def test_a_limit_is_met_by_what_needs_less():
    aim = Target("memory", "memory", "resident", most=2048)
    less, more = (judge({"memory": runs(resident=[value])}, (aim,))[0] for value in (1024.0, 4096.0))
    assert (less.ratio, less.met) == (2.0, True)
    assert (more.ratio, more.met) == (0.5, False)


def test_every_target_has_a_name_of_its_own():
    assert len({target.name for target in TARGETS}) == len(TARGETS)


def test_results_are_read_as_they_were_written(tmp_path):
    found = Results()
    found.put("small", part(runs(worker=[2.0], bare=[1.0])))
    path = tmp_path / "results.json"
    results.write(found, path)
    assert results.read(path) == found
    assert results.read(tmp_path / "none.json") == Results()


def test_results_of_another_form_are_refused_by_name(tmp_path):
    path = tmp_path / "results.json"
    results.write(Results(schema=99), path)
    with pytest.raises(ValueError, match=r"results\.json is of form 99"):
        results.read(path)


def test_the_page_says_what_was_met_missed_and_not_measured(tmp_path):
    found = Results()
    found.put("small", part(runs(worker=[80.0], bare=[100.0], kafka_streams=[70.0])))
    told = text(found)
    assert "| small step: worker ÷ bare checkpointed client | 0.75 | **0.80** | 0.80–0.80 | ✔ met |" in told
    assert "| small step: worker ÷ Kafka Streams, at least once | 1.3 | **1.14** | 1.14–1.14 | ✘ missed |" in told
    assert "| small step: worker ÷ Quix Streams | 1.4 | not measured | | |" in told
    assert "Not measured yet: real" in told
    write_page(found, tmp_path)
    assert (tmp_path / "performance/small.svg").read_text().startswith("<svg")
    assert (tmp_path / "performance.md").read_text() == told


def test_parts_of_several_machines_are_told_apart():
    found = Results()
    for name, cores in (("small", "2"), ("real", "64"), ("process", "2")):
        found.put(name, placed(runs(worker=[80.0]), cores))
    assert "| | small, process | real |\n|---|---|---|\n| cores | 2 | 64 |\n| python | 3.11 | 3.11 |" in text(found)


def test_a_limit_says_its_unit():
    aim = Target("latency", "latency", "single_api", (), 1.0, 250, "ms")
    assert judge({"latency": runs(single_api=[125.0])}, (aim,))[0].against == "250 ms"


def test_the_committed_verdicts_and_page_are_those_of_the_committed_runs():
    found = results.read()
    assert judge({name: each.runs for name, each in found.parts.items()}) == found.targets
    assert (results.PATH.parent.parent / "docs/performance.md").read_text() == text(found)
