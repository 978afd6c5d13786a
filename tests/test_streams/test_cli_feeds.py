"""`replay` on files with heartbeats: what a silent feed looks like to whoever runs it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from streams.cli import main
from tests.builders import HOUR, MINUTE, START, Event, Node, Site, heartbeat, provisioned, stamp

SITE = Site()


def written(folder: Path, events: list[Event]) -> str:
    path = folder / "events.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return str(path)


def replayed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *args: str) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["hyperpod-state", "replay", *args])
    code = main()
    return code, capsys.readouterr().out


@pytest.fixture
def story(tmp_path: Path) -> str:
    """An instance is born; the feed speaks for half an hour, is silent for an hour, and speaks once more."""
    beats = [heartbeat(START + minutes * MINUTE) for minutes in (*range(0, 31, 5), 90)]
    return written(tmp_path, [*provisioned(Node(SITE, "gpu", "i-1"), START), *beats, beats[0]])


def document(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *args: str
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    code, out = replayed(capsys, monkeypatch, *args, "-o", "json")
    assert code == 0
    found: dict[str, Any] = json.loads(out)
    return found, [each for each in found["anomalies"] if each["kind"] == "feed_silent"]


def test_heartbeats_are_counted_and_move_the_watermark(
    story: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found, silent = document(capsys, monkeypatch, story)
    values = len(Path(story).read_text().splitlines())
    summary = found["summary"]
    assert (summary["read"], summary["applied"], summary["duplicate"]) == (values, values - 1, 1)
    assert summary["watermark"] == stamp(START + 90 * MINUTE)
    assert [item["cluster_arn"] for item in found["clusters"]] == [SITE.arn]
    (gap,) = silent
    assert (gap["status"], gap["opened_at"]) == ("resolved", stamp(START + 45 * MINUTE))
    assert gap["resolved_at"] == stamp(START + 90 * MINUTE)


def test_the_clock_alone_makes_a_feed_silent(
    story: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, at = document(capsys, monkeypatch, story, "--at", stamp(START + 50 * MINUTE))
    _, later = document(capsys, monkeypatch, story, "--now", stamp(START + 3 * HOUR))
    assert [each["status"] for each in at] == ["open"]
    assert [each["status"] for each in later] == ["resolved", "open"]
    assert at[0]["anomaly_id"] == later[0]["anomaly_id"]


def test_the_limit_comes_from_the_configuration(
    story: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "thresholds.toml"
    path.write_text("feed_silent_minutes = 61\n")
    assert document(capsys, monkeypatch, story, "--config", str(path))[1] == []


def test_it_fails_on_critical(story: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    now = stamp(START + 3 * HOUR)
    code, out = replayed(capsys, monkeypatch, story, "--now", now, "--fail-on", "critical")
    assert code == 1
    assert "no heartbeat from account 111122223333 in us-west-2" in out
