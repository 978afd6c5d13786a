"""The shipped sample, the demo's fleet and its housekeeping, without Kafka; tests/broker/test_demo.py plays it."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from models.catalogue import Names, classify
from models.explain.times import milliseconds
from models.public import Anomaly, Document
from streams.demo import fleet, incident, stage, telling
from streams.demo.__main__ import main
from streams.demo.records import CLUSTER_EVENT, FORMS
from streams.replay import Replay, replay
from tests.test_streams.alerting import Desk

DATA = Path(incident.__file__).parent / "data"
STEPS = [step for act in incident.ACTS for delivery in act.deliveries for step in delivery.steps]
NOW_MS = 1_800_000_000_000
BEGAN_MS, SPEED = NOW_MS + 12_000, 30.0
WATCHED = 5 * fleet.HOUR
"""Simulated: the incident, the update that rolls back, and some of what comes later."""


@pytest.fixture(scope="module")
def document() -> Document:
    return replay([str(DATA / "incident.jsonl")])


@pytest.fixture(scope="module")
def tale() -> fleet.Tale:
    return fleet.tale(NOW_MS, WATCHED)


@pytest.fixture(scope="module")
def told(tale: fleet.Tale, tmp_path_factory: pytest.TempPathFactory) -> Document:
    """What the worker must make of the demo, its live part at the moments at which it would be told."""
    live = (each for _, each in telling.live(tale, BEGAN_MS, SPEED) if isinstance(each, bytes))
    path = tmp_path_factory.mktemp("fleet") / "values.jsonl"
    path.write_bytes(b"\n".join([*telling.past(tale), *live]))
    return replay([str(path)])


def test_the_shipped_sample_is_the_story():
    assert (DATA / "incident.jsonl").read_text() == incident.sample()


def test_every_text_of_the_story_is_in_the_catalogue():
    for step in STEPS:
        if step.detail_type == CLUSTER_EVENT:
            event = step.detail["EventDetails"]
            names = Names(event["ClusterName"], event.get("InstanceGroupName"), event.get("InstanceId"))
            assert classify(event["Description"], names), event["Description"]


def test_no_two_events_of_the_story_share_their_moment():
    """It is what event ids are made of."""
    by_moment = {step.at: step for step in STEPS}
    assert all(by_moment[step.at] == step for step in STEPS)


def test_the_story_counts_up(document):
    summary = document.summary
    assert summary.read == len(STEPS)
    assert (summary.duplicate, summary.ignored, summary.dead_lettered) == (
        1,
        {"SageMaker Training Job State Change": 1},
        1,
    )
    assert (summary.late, summary.unrecognized) == (0, 0)
    assert [letter.reason for letter in document.dead_letters] == ["not_json"]


def test_the_story_ends_well(document):
    groups = {item.instance_group: item for item in document.instance_groups}
    workers = groups["workers"]
    assert (workers.phase, workers.machines["rollback"], workers.machines["patch"]) == (
        "InService",
        "RolledBack",
        "Failed",
    )
    phases = {item.instance_id: item.phase for item in document.instances}
    assert phases.pop(incident.W3.instance) == "Terminated"
    assert phases[incident.W3B.instance] == "InService"
    assert set(phases.values()) == {"InService"}
    assert len(phases) == 6


def test_everything_that_went_wrong_is_over(document):
    kinds = {str(anomaly.kind) for anomaly in document.anomalies}
    assert kinds == {"unhealthy_node", "bake_alarm", "rollback_started"}
    assert {str(anomaly.status) for anomaly in document.anomalies} == {"resolved"}


def test_every_form_of_delivery_occurs():
    forms = {delivery.form for act in incident.ACTS for delivery in act.deliveries}
    assert forms == set(FORMS)


def test_something_arrives_out_of_order():
    told = [step.at for step in STEPS]
    assert told != sorted(told)


def test_captured_payloads_say_what_they_said():
    """What is open of them is what AWS's examples are about; the Slurm cluster is in service again."""
    found = replay([str(DATA / "captured.jsonl")])
    kinds = {(str(anomaly.kind), str(anomaly.status)) for anomaly in found.anomalies}
    assert kinds == {("operation_failed", "open"), ("unhealthy_node", "open"), ("clock_suspect", "resolved")}
    phases = {item.instance_group: item.phase for item in found.instance_groups}
    assert (phases["controller-machine"], phases["worker-group-1"]) == ("InService", "Deleted")


def test_the_fleet_is_three_clusters_of_two_hundred_instances(tale: fleet.Tale):
    assert {cluster["orchestrator"] for cluster in tale.truth["clusters"]} == {"eks", "slurm"}
    assert (len(tale.truth["clusters"]), len(tale.truth["instance_groups"])) == (3, 9)
    assert 190 <= tale.instances <= 210


def test_the_same_fleet_is_told_every_time(tale: fleet.Tale):
    again = fleet.tale(NOW_MS, WATCHED)
    assert telling.past(again) == telling.past(tale)
    assert list(telling.live(again, BEGAN_MS, SPEED)) == list(telling.live(tale, BEGAN_MS, SPEED))


def test_nothing_is_raised_but_what_is_true_of_the_fleet(tale: fleet.Tale, told: Document):
    def key(kind: str, group: str | None, instance: str | None, slot: str | None, status: str) -> tuple[object, ...]:
        return kind, group, instance, slot, status

    true = Counter(
        key(each["kind"], each["instance_group"], each["instance_id"], each["node_logical_id"], each["status"])
        for each in tale.truth["faults"]
    )
    found = Counter(
        key(str(each.kind), each.instance_group, each.instance_id, each.node_logical_id, str(each.status))
        for each in told.anomalies
    )
    assert found == true
    assert {each["status"] for each in tale.truth["faults"]} == {"resolved"}


def test_the_fleet_ends_as_it_truly_is(tale: fleet.Tale, told: Document):
    assert {(group.instance_group, group.phase) for group in told.instance_groups} == {
        (group["instance_group"], group["phase"]) for group in tale.truth["instance_groups"]
    }
    assert Counter(str(each.phase) for each in told.instances) == Counter(
        each["phase"] for each in tale.truth["instances"]
    )


def crowd(told: Document) -> tuple[Anomaly, list[Anomaly]]:
    """The incident, and what is folded under it."""
    (found,) = (each for each in told.anomalies if each.kind == "correlated_failure")
    return found, [each for each in told.anomalies if each.parent_id == found.anomaly_id]


def test_the_incident_opens_within_half_a_minute_and_heals_within_three(told: Document):
    incident, members = crowd(told)
    kinds = {"unhealthy_node": len(fleet.BROKEN), "lifecycle_script_failed": 1}
    assert Counter(str(each.kind) for each in members) == kinds
    assert milliseconds(incident.opened_at) - BEGAN_MS < 30_000
    assert 30_000 < milliseconds(incident.resolved_at or "") - BEGAN_MS < 180_000


def test_nobody_planned_the_incident(told: Document):
    incident, members = crowd(told)
    assert [each.planned for each in (incident, *members)] == [False] * (len(members) + 1)


def test_a_sink_of_default_settings_has_one_page_of_each_problem_and_it_closes_itself(tale: fleet.Tale, told: Document):
    """What is open is found after every value, as a worker finds it."""
    desk, job, known, ended = Desk(), Replay(), dict[str, Anomaly](), 0
    for value in telling.past(tale):
        job.feed("past", value)
    for at_ms, each in telling.live(tale, BEGAN_MS, SPEED):
        if isinstance(each, bytes):
            job.feed("live", each)
        elif each.done:
            ended += 1
        if ended < 2:
            show(desk, job.picture(at_ms).anomalies, known)
    show(desk, job.picture().anomalies, known)
    incident, _ = crowd(told)
    (alarm,) = (each for each in told.anomalies if each.kind == "bake_alarm")
    problems = [incident.anomaly_id, alarm.anomaly_id]
    assert desk.service.said == [f"{action} {problem}" for problem in problems for action in ("open", "close")]


def show(desk: Desk, anomalies: Sequence[Anomaly], known: dict[str, Anomaly]) -> None:
    """The topic gets what has changed, and the sink is told."""
    now = {each.anomaly_id: each for each in anomalies}
    assert known.keys() <= now.keys(), "nothing is taken back"
    for name, each in now.items():
        if each != known.get(name):
            desk.write(each)
    known.update(now)
    desk.deliver()


def test_what_is_said_to_people_names_the_incident_and_its_end(tale: fleet.Tale):
    texts = [each.text for _, each in telling.live(tale, BEGAN_MS, SPEED) if isinstance(each, fleet.Mark)]
    assert "3 machines of p5-train break down" in texts[0]
    assert texts[2].startswith("The incident is over: p5-train has 48 of 48")


@pytest.mark.parametrize("speed", [1.0, 30.0, 600.0])
def test_live_moments_rise_and_do_not_run_away(tale: fleet.Tale, speed: float):
    moments = [at for at, each in telling.live(tale, BEGAN_MS, speed) if isinstance(each, bytes)]
    assert all(before < later for before, later in pairwise(moments))
    assert moments[0] >= BEGAN_MS


def test_the_feed_is_as_untidy_as_real_ones(told: Document):
    summary = told.summary
    assert summary.duplicate > 10
    assert summary.ignored == {"SageMaker Training Job State Change": 1}
    assert [letter.reason for letter in told.dead_letters] == ["not_json"]
    assert (summary.late, summary.unrecognized) == (0, 0)


def test_a_folder_of_somebody_else_is_left_alone(tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("years of work")
    assert main(["--data", str(tmp_path)]) == 3
    assert "holds something else" in capsys.readouterr().err
    assert (tmp_path / "thesis.txt").exists()


def test_two_demos_in_one_folder_are_refused(tmp_path, capsys):
    with stage.folder(tmp_path):
        assert main(["--data", str(tmp_path)]) == 3
    assert "Another demo is playing" in capsys.readouterr().err


def test_a_former_demo_is_removed_at_the_start(tmp_path):
    with stage.folder(tmp_path):
        (tmp_path / "kafka").mkdir()
        (tmp_path / "kafka" / "lock").touch()
    with stage.folder(tmp_path):
        assert not (tmp_path / "kafka").exists()


def test_a_former_demo_that_is_still_ending_is_not_disturbed(tmp_path, monkeypatch):
    monkeypatch.setattr(stage, "FORMER_SECONDS", 0.0)
    with stage.folder(tmp_path):
        (tmp_path / "kafka").mkdir()
    with (tmp_path / "kafka" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(stage.StageError, match="former demo"), stage.folder(tmp_path):
            pass
    assert (tmp_path / "kafka").exists()


def test_what_goes_wrong_later_is_not_put_down_to_the_folder(tmp_path):
    with pytest.raises(TimeoutError), stage.folder(tmp_path):
        raise TimeoutError


def test_a_folder_that_cannot_be_made_is_named(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert main(["--data", str(tmp_path / "file" / "below")]) == 3
    assert str(tmp_path / "file" / "below") in capsys.readouterr().err


def test_a_taken_port_is_exchanged():
    with socket.create_server((stage.HOST, 0)) as taken:
        port = taken.getsockname()[1]
        assert stage.port_or_other(port) != port
    assert stage.port_or_other(port) == port


def test_the_users_settings_do_not_reach_the_worker(tmp_path, monkeypatch):
    """A broker in production must never be given made-up events."""
    monkeypatch.setenv("HYPERPOD_STATE_BROKERS", "kafka.example.com:9092")
    monkeypatch.setenv("HYPERPOD_STATE_RAW_TOPIC", "prod")
    given = stage.Worker(tmp_path / "worker", "127.0.0.1:1", 2)._environment()
    ours = {name: value for name, value in given.items() if name.startswith("HYPERPOD_STATE_")}
    assert ours["HYPERPOD_STATE_BROKERS"] == "127.0.0.1:1"
    assert set(ours) == {f"HYPERPOD_STATE_{name}" for name in ("BROKERS", "DATA_DIR", "HTTP_HOST", "HTTP_PORT")}


def test_a_worker_that_cannot_start_is_explained(tmp_path):
    """Its data folder is a file, so it refuses."""
    (tmp_path / "worker").touch()
    with pytest.raises(stage.StageError, match="ended by itself"), stage.Worker(tmp_path / "worker", "127.0.0.1:1", 2):
        pass


@pytest.mark.parametrize("words", [["--port", "-1"], ["--port", "x"], ["--speed", "0"], ["--speed", "nan"], ["more"]])
def test_misuse_is_explained(words, capsys):
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_help_says_what_becomes_of_the_data():
    done = subprocess.run(
        [sys.executable, "-m", "streams.demo", "--help"], capture_output=True, text=True, env={**os.environ}, check=True
    )
    assert "removed at the start" in done.stdout
    assert "Ctrl-C" in done.stdout
