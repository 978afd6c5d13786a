"""Files that are replayed, and how the memory of a process is watched."""

from __future__ import annotations

import sys

import pytest

from benchmarks.ground import Failed
from benchmarks.parts import files
from benchmarks.parts.sizes import Sizes

MB = 1 << 20
HOLDS = """
import os, subprocess, sys, time
held = bytearray(60 << 20)
child = subprocess.Popen([sys.executable, "-c", os.environ["HOLDS"]]) if "child" in sys.argv else None
while not os.path.exists(os.environ["SEEN"]):
    time.sleep(0.01)
"""


def held(monkeypatch, tmp_path, path, least, *argv):
    """Run something that holds memory, and ends once so much of it was seen."""
    seen, resident, known = tmp_path / "seen", files._resident, {}
    monkeypatch.setenv("SEEN", str(seen))
    monkeypatch.setenv("HOLDS", HOLDS)

    def look(pid):
        known[pid] = resident(pid)
        if sum(known.values()) > least:
            seen.touch()
        return known[pid]

    monkeypatch.setattr(files, "_resident", look)
    return files.watched([sys.executable, "-c", HOLDS, *argv], path)


@pytest.fixture
def path(tmp_path):
    made = tmp_path / "few.jsonl"
    files.make(made, 50)
    return made


def test_a_file_has_so_many_events_and_there_is_room_made_for_all_of_them(path):
    lines = path.read_bytes().splitlines()
    assert len(lines) == 50
    assert 0.8 < path.stat().st_size / (50 * files.EVENT_BYTES) <= 1.0


def test_memory_is_that_of_a_process(monkeypatch, tmp_path, path):
    figures = held(monkeypatch, tmp_path, path, 60 * MB)
    assert figures["peak_mb"] > 60
    assert max(figures["mb_by_tenth"]) == figures["peak_mb"]


def test_and_of_what_it_starts(monkeypatch, tmp_path, path):
    assert held(monkeypatch, tmp_path, path, 120 * MB, "child")["peak_mb"] > 120


def test_what_does_not_end_well_is_told_in_its_own_words(path):
    with pytest.raises(Failed, match="ended with 3:\nno room"):
        files.watched([sys.executable, "-c", "import sys; print('no room', file=sys.stderr); sys.exit(3)"], path)


def test_a_disk_that_is_too_small_is_said_before_anything_is_written():
    with pytest.raises(Failed, match=r"files need [\d,]+ MiB in .* \(TMPDIR\)"):
        list(files.measure(Sizes(file_events=10**12)))
