"""A replay by several processes prints what one prints, to the byte; and says so where one of them ends."""

from __future__ import annotations

import gzip
import json
import random
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.fold import Limits
from models.public import Document, dumps
from models.public_silence import Silence
from streams import replay
from streams.counts import MOST_NAMES, OTHERS
from streams.replay import LISTS, CrewError, Replay, Terms, Told, crew, process, reconstruct, spool
from streams.replay.spool import Spool
from streams.simulate.delivery import Habits
from streams.simulate.run import Settings, simulate
from tests.fuzz.seeds import seeds
from tests.test_streams.told import Ended

Line = dict[str, Any] | list[Any]


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other processes are worth it for whatever there is."""
    monkeypatch.setattr(replay, "WORTH_IT", 0)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All that a file may hold: a fleet, plain and in wrappings, heartbeats, answers without a time, nonsense."""
    habits = Habits(duplicates=0.1, disorder=0.2, wrapped=True)
    made = simulate(Settings(seed=4, clusters=3, instances=4, hours=4, habits=habits, polls=120))
    plain = simulate(Settings(seed=5, clusters=3, instances=4, hours=4))
    chance = random.Random(6)
    lines = [value for _, value in made.delivered.values] + [value for _, value in plain.delivered.values] + [*seeds()]
    told = [json.loads(value) for _, value in plain.delivered.values]
    arns = sorted({value["resources"][0] for value in told if "resources" in value})
    for hour in range(60):
        place = chance.randrange(len(lines))
        lines.insert(place, json.dumps(heartbeat(hour, chance.choice(["us-west-2", "eu-west-1"]))).encode())
        lines.insert(place, json.dumps({"ClusterArn": chance.choice([*arns, f"x{hour}"]), **SAYS}).encode())
        lines.insert(place, json.dumps([{"ClusterArn": arn, **SAYS} for arn in chance.sample(arns, 3)]).encode())
        lines.insert(place, json.dumps({"detail-type": f"Type {hour}", "detail": {}}).encode())
    path = tmp_path_factory.mktemp("mixed") / "mixed.jsonl"
    path.write_bytes(b"\n".join(lines))
    return path


SAYS = {"ClusterName": "x", "ClusterStatus": "Updating"}
"""An answer of the API that tells no time."""


def heartbeat(hour: int, region: str) -> Line:
    stamp = f"2026-10-0{5 + hour // 24}T{hour % 24:02d}:00:00Z"
    feed = {"account": "111122223333", "region": region}
    kind = {"source": "hyperpod-state", "detail-type": "HyperPod State Heartbeat"}
    return {**kind, **feed, "time": stamp, "detail": {}}


def whole(told: Told) -> bytes:
    lists = {name: [json.loads(item) for item in told.items(name)] for name in LISTS}
    return dumps(Document.model_validate({"summary": told.summary, **lists}))


def by(jobs: int, path: Path, terms: Terms, now_ms: int | None = None) -> bytes:
    with reconstruct([str(path)], terms, now_ms=now_ms, jobs=jobs) as told:
        return whole(told)


SILENCE = Silence(
    silence_id="s",
    matchers={"kind": "*"},
    starts_at="2026-10-05T00:00:00.000Z",
    until="2026-10-06T00:00:00.000Z",
)
TERMS = {
    "as they come": Terms(),
    "at a moment": Terms(at_ms=1_791_158_400_000 + 3 * 3_600_000),
    "silenced, in narrow bounds": Terms(
        limits=Limits(lateness_ms=600_000, keep=2, ceiling_events=8), silences=(SILENCE,)
    ),
}


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("terms", TERMS.values(), ids=[*TERMS])
def test_several_processes_tell_what_one_tells(mixed: Path, terms: Terms) -> None:
    job = Replay(at_ms=terms.at_ms, limits=terms.limits, silences=terms.silences)
    for number, line in enumerate(mixed.read_bytes().split(b"\n"), 1):
        if line.strip():
            job.feed(f"{mixed}:{number}", line)
    wanted = dumps(job.document())
    assert {name: by(jobs, mixed, terms) == wanted for name, jobs in (("one", 1), ("three", 3))} == {
        "one": True,
        "three": True,
    }


@pytest.mark.usefixtures("eager")
def test_the_command_prints_the_same_bytes_in_every_form(run: Callable[..., Ended], mixed: Path) -> None:
    for form in ("json", "jsonl", "table"):
        one = run("replay", str(mixed), "--jobs", "1", "-o", form, "--now", "2026-10-08T00:00:00Z")
        two = run("replay", str(mixed), "--jobs", "2", "-o", form, "--now", "2026-10-08T00:00:00Z")
        assert one.out == two.out
        assert (one.code, two.code) == (0, 0)


def test_what_is_small_starts_no_process(mixed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "COMMAND", ("never started",))
    assert by(2, mixed, Terms()) == by(1, mixed, Terms())


def test_a_pipe_shows_how_large_it_is_by_being_read(mixed: Path) -> None:
    script = (
        "import sys, hashlib; from streams import replay; from tests.test_streams.test_replay_jobs import whole\n"
        "replay.WORTH_IT = int(sys.argv[1])\n"
        "if __name__ == '__main__':\n"
        "    with replay.reconstruct(['-'], replay.Terms(), jobs=2) as told:\n"
        "        print(hashlib.sha256(whole(told)).hexdigest())\n"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", script, str(worth)], input=mixed.read_bytes(), capture_output=True, check=True
        ).stdout
        for worth in (1 << 30, 1 << 10)
    ]
    assert told[0] == told[1]


def test_a_gzipped_file_is_taken_for_larger_than_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b"{}\n" * 100_000))
    monkeypatch.setattr(replay, "WORTH_IT", 2 * path.stat().st_size)
    monkeypatch.setattr(process, "COMMAND", (sys.executable, "-c", "import sys; sys.exit(7)"))
    with pytest.raises(CrewError, match="ended with code 7"):
        by(2, path, Terms())


@pytest.mark.usefixtures("eager")
def test_a_process_that_is_killed_is_named(
    run: Callable[..., Ended], mixed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = f"import os, sys; sys.stdin.buffer.read(9000); os.kill(os.getpid(), {signal.SIGKILL.value})"
    monkeypatch.setattr(process, "COMMAND", (sys.executable, "-c", killed))
    done = run("replay", str(mixed), "--jobs", "2")
    assert (done.code, done.out) == (3, "")
    assert re.fullmatch(
        r"error: process [12] of 2 of the replay was killed \(SIGKILL\), as the system does when memory runs out: "
        r"see dmesg, and try fewer with --jobs\n",
        done.err,
    )


@pytest.mark.usefixtures("eager")
def test_a_value_that_is_not_whose_it_was_taken_for_stops_the_replay(
    mixed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew, "cluster_of", lambda raw: "another" if b"EventDetails" in raw else None)
    with pytest.raises(CrewError, match=r"cannot go on: Misrouted: .*mixed.jsonl:\d+ is of .*, not of another"):
        by(2, mixed, Terms())


def test_a_process_whose_replay_is_gone_ends() -> None:
    left = subprocess.Popen(process.COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    left.communicate(timeout=30)
    assert left.returncode == 0


@pytest.mark.usefixtures("eager")
def test_judging_is_told_as_it_goes(mixed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[tuple[int, int | None]] = []
    with reconstruct([str(mixed)], Terms(), jobs=1, judging=lambda done, total: heard.append((done, total))) as told:
        assert heard == [(done, len(heard)) for done in range(1, len([*told.items("clusters")]) + 1)]


def test_dead_letters_go_to_the_disk_in_the_order_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "IN_MEMORY", 100)
    job = Replay()
    for number in range(50):
        job.feed(f"a:{number}", b"not json")
        if number == 20:
            assert len(job.document().dead_letters) == 21
    assert [letter.origin for letter in job.document().dead_letters] == [f"a:{number}" for number in range(50)]


def test_past_so_many_types_that_are_ignored_all_new_ones_are_one() -> None:
    job = Replay()
    for number in range(MOST_NAMES + 30):
        job.feed("a", json.dumps({"detail-type": f"Type {number}", "detail": {}}).encode())
    ignored = job.summary().ignored
    assert (len(ignored), ignored[OTHERS]) == (MOST_NAMES + 1, 30)


def test_a_full_disk_is_told_by_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "r+b", buffering=0) as full:
        kept = Spool(full)
        with pytest.raises(OSError, match="TMPDIR names another place") as told:
            kept.append(b"x")
        assert told.value.strerror == "No space left on device"
