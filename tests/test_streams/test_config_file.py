"""Settings from a file: what wins over what, and what is said of a file that cannot be meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from streams.config_file import VARIABLE, BadFile
from streams.reference.operation import EXAMPLE
from streams.settings import Settings
from tests.test_streams.told import SAMPLE


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = tmp_path / "hyperpod-state.toml"
    monkeypatch.setenv(VARIABLE, str(found))
    return found


def test_what_is_given_wins_over_variables_and_they_over_the_file(path: Path, monkeypatch: pytest.MonkeyPatch):
    path.write_text('app_id = "file"\nraw_topic = "file"\npartitions = 7\n')
    monkeypatch.setenv("HYPERPOD_STATE_APP_ID", "variable")
    monkeypatch.setenv("HYPERPOD_STATE_RAW_TOPIC", "variable")
    settings = Settings(app_id="given")
    assert (settings.app_id, settings.raw_topic, settings.partitions) == ("given", "variable", 7)


def test_the_example_of_the_reference_means_what_it_says(path: Path):
    path.write_text(EXAMPLE)
    settings = Settings()
    assert (settings.replication_factor, settings.bootstrap[1]) == (3, "kafka-2.example.com:9092")
    thresholds = settings.thresholds
    assert thresholds.deadline("lifecycle_script").stuck == 45
    assert thresholds.deadline("replacing", cluster="research-1", group="p5-a").slow == 60
    assert thresholds.deadline("replacing", cluster="research-1", group="cpu").slow == 30
    assert thresholds.deadline("terminating", instance_type="ml.p6-b200.48xlarge").stuck == 120


def test_a_name_that_there_is_not_is_refused(path: Path):
    path.write_text("partitons = 4\n")
    with pytest.raises(ValidationError, match="partitons"):
        Settings()


def test_a_file_that_is_not_there_or_no_toml_is_named(path: Path):
    with pytest.raises(BadFile, match=r"hyperpod-state\.toml cannot be read: No such file"):
        Settings()
    path.write_text("partitions 4")
    with pytest.raises(BadFile, match=r"hyperpod-state\.toml is not TOML"):
        Settings()


def test_commands_say_so(path: Path, run):
    for content, words in (("partitions 4", "is not TOML"), ("partitions = 0", "greater than or equal to 1")):
        path.write_text(content)
        done = run("topics")
        assert (done.code, done.out) == (2, "")
        assert words in done.err
    path.unlink()
    done = run("worker", "--config", str(path))
    assert (done.code, done.out) == (2, "")
    assert "cannot be read" in done.err
    assert VARIABLE in done.err


def test_replay_takes_the_file_of_a_worker(path: Path, run):
    own = "[deadlines]\nreplacing = { slow = 1, stuck = 2 }\n"
    path.write_text(own)
    alone = run("replay", str(SAMPLE), "--config", str(path), "-o", "json")
    path.write_text('brokers = "kafka:9092"\n' + own.replace("[deadlines]", "[thresholds.deadlines]"))
    whole = run("replay", str(SAMPLE), "--config", str(path), "-o", "json")
    assert whole.out == alone.out
    assert '"kind": "stuck"' in whole.out
