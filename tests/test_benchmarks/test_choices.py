"""What a user of `make bench` can choose, and what is left of a run."""

from __future__ import annotations

import pytest

from benchmarks import __main__ as bench
from benchmarks.contenders.job import Job
from benchmarks.ground import Contender, of_group
from benchmarks.parts.process import name_of
from benchmarks.results import Results
from benchmarks.words import LABELS, PARTS


def test_a_part_that_does_not_exist_is_named(monkeypatch, capsys):
    monkeypatch.setenv("BENCH", "small,smal")
    assert bench.main([]) == bench.UNUSABLE
    assert capsys.readouterr().err.startswith("BENCH=smal is no part; there are process, growth, small")


@pytest.mark.parametrize("given", ["many", "0", "-1"])
def test_a_size_that_is_no_number_is_named(monkeypatch, capsys, given):
    monkeypatch.setenv("EVENTS", given)
    with pytest.raises(SystemExit):
        bench._sizes(Results())
    assert f"EVENTS={given} is no number above 0." in capsys.readouterr().err


def test_every_part_has_its_words_and_every_fleet_its_name():
    assert set(PARTS) == set(bench.PARTS)
    assert [name_of(fleet) for fleet in (1_000, 200_000, 1_000_000)] == ["1k", "200k", "1m"]
    assert {"growth/1k", "growth/200k", "growth/1m"} <= set(LABELS)


def test_only_the_topics_of_a_run_are_deleted_after_it():
    own = ["worker-0-rows", "worker-0.anomalies", "changelog__worker-0--input--default", "worker-0-rows-changelog"]
    others = ["input-worker-0.1", "input-worker-1", "worker-01-rows", "worker-10.anomalies"]
    assert of_group([*own, *others], "worker-0") == own


def test_a_job_reaches_its_contender_as_it_was_given():
    job = Job("127.0.0.1:9092", "input", "bare-1", "/tmp/x", 4, 100, 25, options={"tuned": True})
    command = Contender("bare", "peers", "small_bare").command(job)
    assert Job.read(command[-1]) == job
