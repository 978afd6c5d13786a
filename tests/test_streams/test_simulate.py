"""The simulator itself: the same bytes for the same seed, deliveries as asked for, a command that says what it did."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from streams.cli import main
from streams.replay import Replay, replay
from streams.simulate.delivery import Habits
from streams.simulate.kernel import Kernel, Story, after, together
from streams.simulate.live import BadFile, Live, Remembered
from streams.simulate.output import Values, produce
from streams.simulate.run import Faults, Settings, Simulation, Told, simulate
from streams.simulate.texts import TEXTS, say
from streams.simulate.truth import Fault, Truth
from streams.simulate.world import Cluster, Metadata

if TYPE_CHECKING:
    from tests.kafka import Broker

SMALL = {"seed": 7, "clusters": 2, "instances": 8, "hours": 4, "faults": Faults.many}
Run = Callable[..., tuple[int, str, str]]


def made(**changes: Any) -> Simulation:
    return simulate(Settings(**{**SMALL, **changes}))


def fed(simulation: Simulation) -> Any:
    job = Replay()
    for _, value in simulation.delivered.values:
        job.feed("simulated", value)
    return job.document(simulation.truth["now_ms"])


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs a command line in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def call(*args: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["hyperpod-state", "simulate", *args])
        return main(), *capsys.readouterr()

    return call


def test_the_same_seed_gives_the_same_bytes_and_another_one_others() -> None:
    habits = Habits(duplicates=0.2, disorder=0.3, loss=0.1, wrapped=True)
    first, again, other = made(habits=habits), made(habits=habits), made(habits=habits, seed=8)
    assert first == again
    assert first.delivered.values != other.delivered.values


def test_what_a_feed_does_to_events_changes_nothing_about_what_happened() -> None:
    plain, rough = made(), made(habits=Habits(duplicates=0.3, disorder=0.5, loss=0.2, wrapped=True))
    counts = ("delivered", "distinct")
    assert {k: v for k, v in plain.truth.items() if k not in counts} == {
        k: v for k, v in rough.truth.items() if k not in counts
    }


def test_the_truth_tells_slots_only_where_events_do() -> None:
    assert None not in {node["node_logical_id"] for node in made().truth["instances"]}
    null = made(metadata=Told.null).truth["instances"]
    assert {node["node_logical_id"] for node in null} == {None}
    assert None not in {node["instance_id"] for node in null}


def test_plain_delivery_is_one_envelope_a_value_in_the_order_of_time() -> None:
    simulation = made()
    envelopes = [json.loads(value) for _, value in simulation.delivered.values]
    assert len(envelopes) == simulation.truth["events"] == simulation.truth["delivered"]
    assert {"SageMaker HyperPod Cluster Event", "SageMaker HyperPod Cluster State Change"} <= {
        envelope.get("detail-type") for envelope in envelopes
    }


def test_duplicates_are_counted_as_such() -> None:
    simulation = made(habits=Habits(duplicates=0.5, disorder=0.5, wrapped=True))
    summary = fed(simulation).summary
    assert summary.applied == simulation.truth["distinct"] == simulation.truth["events"]
    assert summary.duplicate == simulation.truth["delivered"] - simulation.truth["events"] > 0


def test_lost_events_are_not_delivered_and_hurt_nobody() -> None:
    simulation = made(habits=Habits(loss=0.3))
    assert simulation.truth["distinct"] < simulation.truth["events"] * 0.8
    assert fed(simulation).summary.applied == simulation.truth["distinct"]


def test_event_times_come_in_every_form() -> None:
    kinds = set()
    for _, value in made(clusters=3).delivered.values:
        record = json.loads(value).get("detail", {}).get("EventDetails", {})
        when = record.get("EventTime")
        kinds.add("seconds" if isinstance(when, int) and when < 10**11 else f"{type(when).__name__} {'T' in str(when)}")
    assert kinds == {"seconds", "int False", "str False", "str True", "NoneType False"}


@pytest.mark.parametrize(("told", "has"), [(Told.full, {True}), (Told.null, {False}), (Told.absent, set())])
def test_metadata_are_full_null_or_absent(told: Told, has: set[bool]) -> None:
    seen = set()
    for _, value in made(metadata=told).delivered.values:
        record = json.loads(value).get("detail", {}).get("EventDetails", {})
        if record.get("ResourceType") == "Instance" and "EventDetails" in record:
            seen.add(record["EventDetails"]["EventMetadata"]["Instance"] is not None)
    assert seen == has


def test_polls_show_every_cluster_so_often() -> None:
    times = [at for at, value in made(polls=10).delivered.values if "ClusterNodeSummaries" in json.loads(value)]
    assert len(times) >= 2 * 4 * 60 / 10 * 0.9
    assert not [value for _, value in made().delivered.values if "ClusterNodeSummaries" in json.loads(value)][10:]


def test_mixed_metadata_differ_by_cluster() -> None:
    assert [cluster["metadata"] for cluster in made(clusters=3, metadata=Told.mixed).truth["clusters"]] == list(
        Metadata
    )


def test_the_truth_speaks_of_every_trouble_it_knows() -> None:
    made_up = [simulate(Settings(seed, faults=Faults.many)) for seed in (1, 2)]
    kinds = {fault["kind"] for simulation in made_up for fault in simulation.truth["faults"]}
    assert kinds >= {
        "operation_failed", "lifecycle_script_failed", "replacement_failed", "patch_failed", "patch_skipped",
        "bake_alarm", "rollback_started", "unhealthy_node", "repair_not_started", "flapping", "replacement_storm",
        "correlated_failure", "slurm_drift", "resource_leak", "orchestration_ready_lost", "stuck", "zombie",
        "unrecognized_event", "clock_suspect",
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_every_sentence_can_be_said_in_any_wording(name: str) -> None:
    names = dict.fromkeys(
        ("c", "cid", "g", "i", "op", "status", "subnet", "zone", "sg", "ami", "cr", "strategy", "alarms", "seconds",
         "drift", "fault", "repair", "lost", "ready", "total", "groups"), "x-1"
    )  # fmt: skip
    told = {say(name, Random(seed), share=1.0, may_omit_id=True, **names) for seed in range(50)}
    assert not any("%" in text or "{" in text or "  " in text or text != text.strip() for text in told)


def test_stories_side_by_side_take_as_long_as_the_longest() -> None:
    kernel, marks = Kernel(), []

    def story(name: str, wait: int) -> Story:
        yield wait
        marks.append((kernel.now, name))

    def whole() -> Story:
        yield from together(story("slow", 30), after(5, story("quick", 10)))
        marks.append((kernel.now, "both"))

    kernel.spawn(whole(), after=100)
    kernel.run()
    assert marks == [(115, "quick"), (130, "slow"), (130, "both")]


def test_truth_counts_a_fault_that_comes_again_and_begins_anew_after_its_end() -> None:
    truth, cluster = Truth(), Cluster("c", "c1", "us-west-2", True, Metadata.full, 0)
    for at in (1, 2):
        truth.open(at, Fault("slurm_drift", cluster, None, None, at))
    truth.close(3, Fault("slurm_drift", cluster, None, None, 3))
    truth.open(4, Fault("slurm_drift", cluster, None, None, 4))
    assert [(fault.opened, fault.resolved, fault.times) for fault in truth.faults] == [(1, 3, [1, 2]), (4, None, [4])]


def test_the_command_writes_values_and_truth(run: Run) -> None:
    options = ("--clusters", "2", "--instances", "5", "--hours", "2", "--duplicates", "0.1", "--wrapped")
    code, out, err = run("--seed", "3", *options, "--out", "a.jsonl", "--truth", "truth.json")
    truth = json.loads(Path("truth.json").read_bytes())
    assert (code, out) == (0, "")
    assert f"{truth['events']} events" in err
    document = replay(["a.jsonl"], now_ms=truth["now_ms"])
    assert document.summary.read == truth["delivered"]
    assert {c.cluster_arn: c.phase for c in document.clusters} == {
        c["cluster_arn"]: c["phase"] for c in truth["clusters"]
    }


def test_the_same_command_writes_the_same_files_gzipped_or_not(run: Run) -> None:
    options = ("--clusters", "1", "--instances", "4", "--hours", "1")
    for name in ("a.jsonl", "a.jsonl.gz", "b.jsonl.gz"):
        assert run(*options, "--out", name)[0] == 0
    assert Path("a.jsonl.gz").read_bytes() == Path("b.jsonl.gz").read_bytes()
    assert gzip.decompress(Path("a.jsonl.gz").read_bytes()) == Path("a.jsonl").read_bytes()


def test_it_begins_when_asked_to_and_stops_at_its_limit(run: Run) -> None:
    run("--clusters", "1", "--instances", "4", "--hours", "1", "--start", "2026-01-02T03:00:00Z", "--limit", "5",
        "--out", "a.jsonl")  # fmt: skip
    lines = Path("a.jsonl").read_text().splitlines()
    assert len(lines) == 5
    assert json.loads(lines[0])["time"].startswith("2026-01-02T03:")


HOUR_MS = 3_600_000


def lived(path: Path, hours: list[int], wanted: Settings) -> Values:
    """What a run hands out that looks every ten seconds, from one hour of the fleet to another."""
    sent: Values = []
    live = Live(wanted, Remembered(path, wanted))
    for ms in range(hours[0] * HOUR_MS, hours[-1] * HOUR_MS + 1, 10_000):
        now = wanted.start_ms + ms
        live.step(now, sent.extend)
        assert all(at <= now for at, _ in sent)
    return sent


def test_a_fleet_goes_on_as_time_goes_by_and_is_the_same_when_it_is_begun_again(tmp_path: Path) -> None:
    wanted = Settings(7, clusters=2, instances=8, faults=Faults.many, polls=5)
    whole = lived(tmp_path / "whole", [0, 30], wanted)
    parts = [lived(tmp_path / "parts", hours, wanted) for hours in ([3, 5], [5, 6], [29, 30])]
    assert len(parts[0]) > len(parts[1]) > 20
    assert sorted(whole) == sorted(value for part in parts for value in part)
    assert max(at for at, _ in whole) > wanted.start_ms + 29 * HOUR_MS
    assert lived(tmp_path / "parts", [30, 30], wanted) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is not what `simulate --live` has written"),
        ("[]", "is not what `simulate --live` has written"),
        (None, "is of another fleet, with other clusters, seed. Remove it"),
    ],
)
def test_a_file_that_is_of_another_fleet_or_none_is_refused(tmp_path: Path, text: str | None, says: str) -> None:
    path = tmp_path / "fleet.json"
    if text is None:
        Remembered(path, Settings(1)).note(5)
    else:
        path.write_text(text)
    with pytest.raises(BadFile, match=says):
        Remembered(path, Settings(2, clusters=5))
    with pytest.raises(BadFile, match="No such file"):
        Remembered(tmp_path / "nowhere" / "fleet.json", Settings(1))


def test_a_run_that_ended_before_anything_was_told_is_gone_on_from_all_the_same(tmp_path: Path) -> None:
    begun = Remembered(tmp_path / "fleet.json", Settings(1, start_ms=5_000))
    again = Remembered(tmp_path / "fleet.json", Settings(1, start_ms=9_000))
    assert (again.begins, again.told) == (begun.begins, begun.told) == (5_000, 4_999)


def told_any(path: Path) -> bool:
    """Whether a run has handed out anything yet."""
    found = json.loads(path.read_text()) if path.exists() else {"begins": 0, "told": -1}
    return bool(found["told"] >= found["begins"])


def test_the_command_goes_on_until_it_is_ended_and_tells_nothing_twice(kafka: Broker, tmp_path: Path) -> None:
    from tests.kafka import consume, new_topic

    topic, path = new_topic(kafka.bootstrap), tmp_path / "fleet.json"
    options = ("--clusters", "1", "--instances", "4", "--start=-3h", "--brokers", kafka.bootstrap, "--topic", topic)
    command = [sys.executable, "-m", "streams.cli", "simulate", *options, "--live", str(path)]
    for _ in range(2):
        before = path.stat().st_mtime_ns if path.exists() else 0
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        assert "a fleet since 20" in process.stderr.readline()
        until = time.monotonic() + 60
        while not told_any(path) and time.monotonic() < until:
            time.sleep(0.2)
        time.sleep(3)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, process.stderr.read()
        process.stderr.close()
        assert path.stat().st_mtime_ns >= before
    values = [record.value for record in consume(kafka.bootstrap, topic)]
    assert len(values) == len(set(values)) > 20


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "nowhere to deliver to"),
        (("--out", "a", "--speed", "fast"), "is not a speed"),
        (("--out", "a", "--start", "soon"), "is not a time"),
        (("--out", "a", "--live", "b"), "--live is for Kafka"),
        (("--brokers", "127.0.0.1:1", "--live", "b", "--speed", "60x"), "has neither a pace nor an end"),
    ],
)
def test_misuse_is_told_and_ends_with_2(run: Run, words: tuple[str, ...], said: str) -> None:
    code, _, err = run(*words)
    assert code == 2
    assert said in err


def test_an_absent_kafka_is_told_and_ends_with_3() -> None:
    options = ("--clusters", "1", "--instances", "1", "--hours", "1", "--brokers", "127.0.0.1:1")
    command = [sys.executable, "-m", "streams.cli", "simulate", *options]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stdout) == (3, "")
    assert "No Kafka broker answers at 127.0.0.1:1" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_values_arrive_in_a_real_kafka(kafka: Broker) -> None:
    from tests.kafka import consume, new_topic

    values, topic = made().delivered.values[:50], new_topic(kafka.bootstrap)
    assert produce(values, {"bootstrap_servers": kafka.bootstrap}, topic, speed=100_000.0) == 50
    assert [record.value for record in consume(kafka.bootstrap, topic)] == [value for _, value in values]
