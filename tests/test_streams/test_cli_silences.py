"""Silences on the command line: `replay --silences` and `get anomalies`."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from models.explain.times import milliseconds
from models.public_silence import Silence
from streams import silence_topic
from streams.cli import main
from streams.settings import Settings
from tests.builders import HOUR, MINUTE, START, Node, Site, capacity_error, stamp
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


class Topic:
    """Stands for the topic: the records that were written, the last of an id."""

    def __init__(self) -> None:
        self.records: dict[str, Silence] = {}

    def known(self, settings: Settings) -> list[Silence]:
        assert settings.brokers == "127.0.0.1:9"
        return [self.records[name] for name in sorted(self.records)]

    def write(self, settings: Settings, silences: list[Silence]) -> None:
        assert settings.brokers == "127.0.0.1:9"
        self.records |= {each.silence_id: each for each in silences}


class TestSilence:
    """`silence add|list|expire`, with a topic that is a dictionary."""

    @pytest.fixture
    def topic(self, monkeypatch: pytest.MonkeyPatch) -> Topic:
        topic = Topic()
        monkeypatch.setenv("HYPERPOD_STATE_BROKERS", "127.0.0.1:9")
        monkeypatch.setattr(silence_topic, "known", topic.known)
        monkeypatch.setattr(silence_topic, "write", topic.write)
        return topic

    def test_add_writes_a_record_and_prints_its_id(self, run: Run, topic: Topic) -> None:
        words = ("--cluster", "train-*", "--kind", "stuck", "--until", "90m", "--reason", "rack 7")
        code, out, err = run("silence", "add", *words)
        assert (code, err) == (0, "")
        made = topic.records[out.strip()]
        assert made.matchers == {"cluster": "train-*", "kind": "stuck"}
        assert (made.created_by, made.reason, made.created_at) == (getpass.getuser(), "rack 7", made.starts_at)
        assert milliseconds(made.until) - milliseconds(made.starts_at) == 90 * MINUTE

    def test_it_may_begin_later_and_a_duration_counts_from_then(self, run: Run, topic: Topic) -> None:
        begins = ("--from", "2126-05-04T09:00:00Z", "--by", "ana", "--reason", "")
        for until in ("2h", "2126-05-04T11:00:00Z"):
            out = run("silence", "add", "--group", "gpu", *begins, "--until", until)[1]
            made = topic.records[out.strip()]
            assert (made.starts_at, made.until) == ("2126-05-04T09:00:00.000Z", "2126-05-04T11:00:00.000Z")
            assert made.created_by == "ana"

    @pytest.mark.parametrize(
        ("args", "words"),
        [
            ((), "nothing says what to silence"),
            (("--kind", "stuk"), "no kind is called 'stuk'"),
            (("--severity", "bad"), "no severity is called 'bad'"),
            (("--kind", "stuck", "--until", "soon"), "--until: 'soon' is not a time"),
            (("--kind", "stuck", "--until", "999999999w"), "--until: '+999999999w' is not a time"),
            (("--kind", "stuck", "--until", "-1h"), "would end before it begins"),
            (("--kind", "stuck", "--from", "then"), "--from: 'then' is not a time"),
        ],
    )
    def test_misuse_writes_nothing(self, run: Run, topic: Topic, args: tuple[str, ...], words: str) -> None:
        code, out, err = run("silence", "add", "--reason", "x", "--until", "1h", *args)
        assert (code, out, topic.records) == (2, "", {})
        assert words in err

    def test_list_shows_what_holds_or_will_and_expire_ends_it(self, run: Run, topic: Topic) -> None:
        assert run("silence", "list")[1:] == ("", "No silences.\n")
        record = Silence.model_validate(WHOLE)
        never = record.model_copy(update={"silence_id": "b", "starts_at": "2126-01-01T00:00:00.000Z"})
        for each in (record, never, record.model_copy(update={"silence_id": "a"})):
            topic.records[each.silence_id] = each.model_copy(update={"until": "2126-02-01T00:00:00.000Z"})
        topic.records["s-1"] = record
        rows = [line.split() for line in run("silence", "list", "-o", "wide")[1].splitlines()]
        assert [row[:3] for row in rows[1:]] == [["a", "active", "kind=operation_failed"], ["b", "pending", rows[1][2]]]
        assert run("silence", "expire", "nobody")[0] == 1
        code, out, _ = run("silence", "expire", "a", "b", "s-1")
        assert (code, out) == (0, "a expired\nb expired\ns-1 had expired before\n")
        left = "No silence holds now or will; 3 ended: `hyperpod-state silence list --expired`.\n"
        assert run("silence", "list")[1:] == ("", left)
        assert topic.records["b"].starts_at == topic.records["b"].until
        lines = run("silence", "list", "--expired", "-o", "jsonl")[1].splitlines()
        assert [json.loads(line)["state"] for line in lines] == ["expired"] * 3
        assert topic.records["s-1"] == record

    def test_what_list_prints_is_what_replay_takes(self, run: Run, topic: Topic, events: str, tmp_path: Path) -> None:
        topic.records["s-1"] = Silence.model_validate(WHOLE)
        path = tmp_path / "listed.jsonl"
        path.write_text(run("silence", "list", "--expired", "-o", "jsonl")[1])
        found = json.loads(run("replay", events, "--silences", str(path), "-o", "json")[1])["anomalies"]
        assert [each["silenced_by"] for each in found] == ["s-1"]

    def test_no_broker_is_3(self, run: Run) -> None:
        code, out, err = run("silence", "list", "--brokers", "127.0.0.1:1")
        assert (code, out) == (3, "")
        assert "No Kafka broker answers at 127.0.0.1:1" in err


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
