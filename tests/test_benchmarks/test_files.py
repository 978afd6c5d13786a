"""Files that are replayed, and how the memory of a process is watched."""

from __future__ import annotations

import sys

import pytest

from benchmarks.ground import Failed
from benchmarks.parts import files
from benchmarks.parts.sizes import Sizes

HOLDS = "import subprocess, sys, time\nheld = bytearray({mb} << 20)\n{more}\ntime.sleep(0.5)"


def holding(mb: int, more: str = "") -> list[str]:
    return [sys.executable, "-c", HOLDS.format(mb=mb, more=more)]


@pytest.fixture
def path(tmp_path):
    made = tmp_path / "few.jsonl"
    files.make(made, 50)
    return made


def test_a_file_has_so_many_events_of_about_the_size_that_room_is_made_for(path):
    lines = path.read_bytes().splitlines()
    assert len(lines) == 50
    assert 0.9 < path.stat().st_size / (50 * files.EVENT_BYTES) <= 1.0


def test_memory_is_that_of_a_process_and_of_what_it_starts(path):
    alone = files.watched(holding(60), path)
    child = f"subprocess.run({holding(60)!r})"
    assert 60 < alone["peak_mb"] < 120 < files.watched(holding(60, child), path)["peak_mb"]
    assert max(alone["mb_by_tenth"]) == alone["peak_mb"]


def test_what_does_not_end_well_is_told_in_its_own_words(path):
    with pytest.raises(Failed, match="ended with 3:\nno room"):
        files.watched([sys.executable, "-c", "import sys; print('no room', file=sys.stderr); sys.exit(3)"], path)


def test_a_disk_that_is_too_small_is_said_before_anything_is_written():
    with pytest.raises(Failed, match=r"files need [\d,]+ MiB in .* \(TMPDIR\)"):
        list(files.measure(Sizes(file_events=10**12)))
