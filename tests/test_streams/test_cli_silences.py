"""Silences on the command line: `replay --silences` and `get anomalies`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from streams.cli import main
from tests.builders import HOUR, START, Node, Site, capacity_error, stamp
from tests.test_streams.serving import Held, anomaly, picture, served

Run = Callable[..., tuple[int, str, str]]
WHOLE = {"silence_id": "s-1", "matchers": {"kind": "operation_failed"}, "created_by": "me", "reason": "a drill"}
WHOLE |= {"starts_at": stamp(START), "until": stamp(START + HOUR), "created_at": stamp(START)}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*args: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["hyperpod-state", *args])
        code = main()
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def events(tmp_path: Path) -> str:
    path = tmp_path / "events.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in capacity_error(Node(Site(), "gpu", "i-1"), START)))
    return str(path)


@pytest.fixture
def silences(tmp_path: Path) -> Callable[..., str]:
    def write(*records: Any) -> str:
        path = tmp_path / "silences.jsonl"
        path.write_text("".join(each if isinstance(each, str) else json.dumps(each) + "\n" for each in records))
        return str(path)

    return write


class TestReplay:
    """The same records as on the topic, one a line."""

    def test_an_open_anomaly_carries_the_silence_and_stays_visible(
        self, run: Run, events: str, silences: Callable[..., str]
    ) -> None:
        other = {**WHOLE, "silence_id": "s-0", "matchers": {"group": "cpu"}}
        file = silences(other, "\n", {**WHOLE, "until": stamp(START)}, WHOLE)
        found = json.loads(run("replay", events, "--silences", file, "-o", "json")[1])["anomalies"]
        assert [each["silenced_by"] for each in found] == ["s-1"]
        without = json.loads(run("replay", events, "-o", "json")[1])["anomalies"]
        assert found == [{**each, "silenced_by": "s-1"} for each in without]
        late = run("replay", events, "--silences", file, "--now", stamp(START + HOUR), "-o", "json")[1]
        assert [each["silenced_by"] for each in json.loads(late)["anomalies"] if each["kind"] != "stuck"] == [None]
        table = run("replay", events, "--silences", file)[1]
        assert "SILENCED" in table
        assert "SILENCED" not in run("replay", events)[1]

    @pytest.mark.parametrize(
        ("record", "words"),
        [
            ("{\n", "silences.jsonl:1: record: Invalid JSON"),
            ({**WHOLE, "matchers": {"knid": "stuck"}}, "no matcher is called knid"),
            ({**WHOLE, "until": "tomorrow"}, "until: "),
        ],
    )
    def test_a_broken_record_is_named_by_its_line(
        self, run: Run, events: str, silences: Callable[..., str], record: Any, words: str
    ) -> None:
        code, out, err = run("replay", events, "--silences", silences(record))
        assert (code, out) == (2, "")
        assert words in err

    def test_a_file_that_is_not_there(self, run: Run, events: str) -> None:
        code, _, err = run("replay", events, "--silences", "nowhere.jsonl")
        assert (code, err) == (2, "error: nowhere.jsonl: No such file or directory\n")


class TestGet:
    """Silenced anomalies are shown as such, and can be asked for."""

    @pytest.fixture
    def worker(self) -> Iterator[str]:
        shown = picture()
        quiet = anomaly("a0").model_copy(update={"silenced_by": "s-1"})
        with served(Held(shown=shown.model_copy(update={"anomalies": (quiet, *shown.anomalies)}))) as address:
            yield address

    def test_by_flag(self, run: Run, worker: str) -> None:
        def ids(*args: str) -> list[str]:
            out = run("get", "anomalies", "--server", worker, "-o", "jsonl", *args)[1]
            return [json.loads(line)["anomaly_id"] for line in out.splitlines()]

        assert ids("--silenced") == ["a0"]
        assert ids("--not-silenced") == ["a1", "a3"]
        assert ids() == ["a0", "a1", "a3"]

    def test_in_tables(self, run: Run, worker: str) -> None:
        head, first, *_ = run("get", "anomalies", "--server", worker)[1].splitlines()
        assert head.split()[:2] == ["SEVERITY", "SILENCED"]
        assert "yes" in first.split()[:3]
        head, first, *_ = run("get", "anomalies", "--server", worker, "-o", "wide")[1].splitlines()
        assert "SILENCED BY" in head
        assert "s-1" in first
