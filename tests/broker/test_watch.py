"""`--watch` beside a real worker that is killed and started again: each change is told once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.broker.lab import Lab, event

if TYPE_CHECKING:
    from tests.kafka import Broker


@pytest.fixture
def lab(kafka: Broker, tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(kafka.bootstrap, tmp_path)
    yield lab
    lab.stop()


@contextmanager
def watching(lab: Lab, *words: str) -> Iterator[tuple[subprocess.Popen[bytes], Path, Path]]:
    """The command at work, and the files that its output and its notes go to."""
    out, err = lab.folder / "watch.out", lab.folder / "watch.err"
    server = {"HYPERPOD_STATE_SERVER": f"http://127.0.0.1:{lab.port}"}
    command = [sys.executable, "-m", "streams.cli", "get", *words, "--watch"]
    with out.open("wb") as data, err.open("wb") as notes:
        process = subprocess.Popen(command, env={**os.environ, **server}, stdout=data, stderr=notes)
        try:
            yield process, out, err
        finally:
            process.kill()
            process.wait(30)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]


def test_each_change_is_told_once_though_the_worker_is_killed(lab: Lab) -> None:
    lab.start()
    lab.wait_for(lambda: "tables restored" in lab.log(), "the worker")
    lab.produce([event(1, 1, 0), event(1, 2, 0)])
    lab.wait_for(lambda: lab.behind() == 0, "the first events")
    with watching(lab, "instances", "-o", "jsonl") as (process, out, err):
        lab.wait_for(lambda: len(lines(out)) == 2, "the list")
        lab.stop(signal.SIGKILL)
        lab.wait_for(lambda: "asking again until it answers" in err.read_text(), "the note that nobody answers")
        lab.start()
        lab.wait_for(lambda: "it answers again" in err.read_text(), "the note that somebody does")
        lab.produce([event(1, 1, 1), event(1, 3, 0)])
        lab.wait_for(lambda: len(lines(out)) >= 4, "what changed")
        lab.wait_for(lambda: lab.behind() == 0, "the last events")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    told = [(each["change"], each["instance_id"][-1], each["phase"]) for each in lines(out)]
    assert told[:2] == [("listed", "1", "Provisioning"), ("listed", "2", "Provisioning")]
    assert sorted(told[2:]) == [("changed", "1", "LifecycleScript"), ("new", "3", "Provisioning")]
    notes = err.read_text().splitlines()
    assert len(notes) == 2, notes
