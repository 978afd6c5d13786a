"""What a user of `make bench` can choose, and what is left of a run."""

from __future__ import annotations

import pytest

from benchmarks import __main__ as bench
from benchmarks.contenders.job import Job
from benchmarks.ground import Contender, Failed, of_group
from benchmarks.machine import free_bytes
from benchmarks.measure import Run
from benchmarks.parts import process
from benchmarks.parts.process import expected, fitting, name_of
from benchmarks.parts.sizes import Sizes
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


def test_time_is_shared_among_the_parts_that_are_left():
    everything = list(bench.PARTS)
    assert sum(share for _, share in bench.PARTS.values()) == 40
    assert bench.minutes_of(everything, 40) == bench.PARTS["process"][1]
    assert bench.minutes_of(["real"], 12) == 12
    assert bench.minutes_of(everything, -3) == 0


def test_no_round_is_begun_that_would_not_end_in_time():
    now = [0.0]
    sizes = Sizes(rounds=5, minutes=1, clock=lambda: now[0])
    now[0] = 10.0
    done = []
    for number in sizes.turns():
        done.append(number)
        now[0] += 20.0
    assert done == [0, 1]
    assert sizes.notes == ["Rounds 3 to 5 were left out: 1 minutes were over."]


def test_the_first_round_is_always_made():
    assert list(Sizes(rounds=3, minutes=0).turns()) == [0]
    assert list(Sizes(rounds=3, minutes=60).turns(2)) == [0, 1]


@pytest.fixture
def kept(monkeypatch):
    """What would be written."""
    written = Results()
    monkeypatch.setattr(bench.results, "read", lambda: written)
    monkeypatch.setattr(bench.results, "write", lambda found: None)
    monkeypatch.setattr(bench.page, "write", lambda found: None)
    monkeypatch.setattr(bench.machine, "versions", dict)
    return written


def parts(monkeypatch, **made):
    monkeypatch.setattr(bench, "PARTS", {name: (make, 1) for name, make in made.items()})
    monkeypatch.setenv("BENCH", " ".join(made))


def run_of(name):
    return Run(name, 0, 1.0, "events/s")


def breaks_at_once(sizes):
    raise ConnectionError("no broker\nthe port is taken")
    yield


def breaks_later(sizes):
    yield run_of("worker")
    raise Failed("quix ended with 1")


def measures(sizes):
    yield run_of("worker")
    yield run_of("bare")


def test_what_breaks_one_part_leaves_the_others_and_what_it_had(monkeypatch, capsys, kept):
    parts(monkeypatch, small=breaks_at_once, real=breaks_later, memory=measures)
    assert bench.main([]) == bench.FAILED
    assert {name: len(part.runs) for name, part in kept.parts.items()} == {"real": 1, "memory": 2}
    assert kept.parts["real"].notes == ["Broke off after 1 runs: quix ended with 1"]
    assert capsys.readouterr().err.splitlines()[-1].startswith("Broke off: small, real.")


def test_a_part_that_gives_nothing_keeps_what_was_found_before(monkeypatch, kept):
    parts(monkeypatch, small=measures)
    assert bench.main([]) == 0
    before = kept.parts["small"]
    parts(monkeypatch, small=breaks_at_once)
    assert bench.main([]) == bench.FAILED
    assert kept.parts["small"] is before
    assert before.machine == bench.machine.machine()


def interrupted(sizes):
    yield run_of("worker")
    raise KeyboardInterrupt


def test_who_ends_it_early_keeps_what_was_measured(monkeypatch, kept):
    parts(monkeypatch, small=measures, real=interrupted, memory=measures)
    with pytest.raises(KeyboardInterrupt):
        bench.main([])
    assert {name: (len(part.runs), part.notes) for name, part in kept.parts.items()} == {
        "small": (2, []),
        "real": (1, [bench.UNFINISHED]),
    }


def test_a_rate_of_another_machine_is_none(monkeypatch, kept):
    parts(monkeypatch, real=measures)
    bench.main([])
    assert bench._sizes(kept).rate == 1.0
    monkeypatch.setattr(bench.machine, "machine", lambda: {"cores": "1000"})
    assert bench._sizes(kept).rate == 0.0


def test_every_part_has_its_words_and_every_fleet_its_name():
    assert set(PARTS) == set(bench.PARTS)
    assert [name_of(fleet) for fleet in (1_000, 200_000, 1_000_000)] == ["1k", "200k", "1m"]
    assert {"growth/1k", "growth/200k", "growth/1m"} <= set(LABELS)


def test_a_fleet_that_does_not_fit_is_left_out_and_said():
    sizes = Sizes(fleets=(1_000, 1_000_000))
    assert fitting(sizes, 1 << 30) == [1_000]
    assert sizes.notes == ["1,000,000 instances were left out: they take some 7,812 MiB, and 1,024 are free."]
    assert free_bytes() > 1 << 20


def test_a_small_fleet_is_folded_as_often_as_it_takes_and_a_large_one_once():
    assert expected(1_000, 40_000, {}) == 0
    assert expected(200_000, 40_000, {1_000: 8.0}) == 24
    assert expected(1_000_000, 40_000, {1_000: 8.0, 200_000: 48.0}) == 208
    assert expected(1_000, 40_000, {1_000: 8.0, 200_000: 48.0}) == 8


def grown(monkeypatch, seconds, **given):
    """Every fleet takes so long; what was measured, and the notes."""
    now = [0.0]

    def compute(contender, count, deadline):
        assert deadline >= seconds[contender.name]
        now[0] += seconds[contender.name]
        return {"events": count, "cpu_seconds": 1.0}

    monkeypatch.setattr(process, "compute", compute)
    monkeypatch.setattr(process.machine, "free_bytes", lambda: 1 << 40)
    sizes = Sizes(fleets=(1_000, 200_000, 1_000_000), clock=lambda: now[0], **given)
    return [run.contender for run in process.growth(sizes)], sizes.notes


def test_a_fleet_that_would_take_too_long_is_left_out_and_said(monkeypatch):
    seconds = {"1k": 16, "200k": 48, "1m": 1000}
    made, notes = grown(monkeypatch, seconds, minutes=3, rounds=2)
    assert made == ["1k", "200k", "1k", "200k"]
    assert notes == ["1,000,000 instances were left out: 3 minutes more there were not (MINUTES, FLEETS)."]


def test_the_smallest_fleet_is_measured_however_short_the_time_is(monkeypatch):
    made, notes = grown(monkeypatch, {"1k": 100}, minutes=1, rounds=3)
    assert made == ["1k"]
    assert [note.partition(":")[0] for note in notes] == [
        "200,000 instances were left out",
        "1,000,000 instances were left out",
        "1,000 instances were left out from round 2 on",
    ]


def test_only_the_topics_of_a_run_are_deleted_after_it():
    own = ["worker-0-rows", "worker-0.anomalies", "changelog__worker-0--input--default", "worker-0-rows-changelog"]
    others = ["input-worker-0.1", "input-worker-1", "worker-01-rows", "worker-10.anomalies"]
    assert of_group([*own, *others], "worker-0") == own


def test_a_job_reaches_its_contender_as_it_was_given():
    job = Job("127.0.0.1:9092", "input", "bare-1", "/tmp/x", 4, 100, 25, options={"tuned": True})
    command = Contender("bare", "peers", "small_bare").command(job)
    assert Job.read(command[-1]) == job
