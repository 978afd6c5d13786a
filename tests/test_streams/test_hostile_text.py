"""Names and texts that try to act on a terminal or to forge a log line: shown as what they are, wherever they show."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from models import public_silence
from streams import logs
from streams.cli import letters, output, silence, text
from streams.cli.doctor import _lines as doctor_lines
from streams.cli.errors import CliError, note, report
from streams.cli.manner import Manner
from streams.cli.output import Format, Screen
from streams.deadletter.letters import Letter
from streams.doctor.check import fail
from streams.replay import fed
from streams.web.sql import SqlAnswer, SqlColumn
from tests.test_streams.serving import served
from tests.test_streams.told import NEW, OVER, SAMPLE, Ended, Told

EVIL = "\x1b]0;owned\x07\x1b[31m[red]x[bold]\r\nerror: \u202e\u2066\x9b\x7f\u200b\ufeff\u2028"
"""A title for the terminal, colour, rich's markup, a line of its own, text turned round, and what cannot be seen."""
GROUP, NAME, INSTANCE = f"workers{EVIL}", f"demo-eks{EVIL}", f"{NEW}{EVIL}"
PRETTY = [Format.table, Format.wide]
Run = Callable[..., Ended]


def poisoned(value: Any) -> Any:
    """An event with EVIL in every name, id and text that is shown anywhere."""
    if isinstance(value, dict):
        return {key: _evil(key, poisoned(each)) for key, each in value.items()}
    return [poisoned(each) for each in value] if isinstance(value, list) else value


def _evil(key: str, value: Any) -> Any:
    shown = ("ClusterName", "InstanceGroupName", "InstanceId", "EventId", "NodeLogicalId", "FailureMessage", "EC2Id")
    unknown = key == "Description" and isinstance(value, str) and "system" in value
    return f"{value}{EVIL}" if value and isinstance(value, str) and (key in shown or unknown) else value


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("hostile") / "events.jsonl"
    odd = [{"detail-type": f"odd{EVIL}", "detail": {}}, EVIL]
    lines = [poisoned(json.loads(line)) for line in SAMPLE.read_text().splitlines() if line[-1:] == "}"]
    file.write_text("".join(json.dumps(each) + "\n" for each in [*lines, *odd]))
    return file


class Store:
    """Answers SQL with EVIL in a name and in a value."""

    async def sql(self, query: str) -> SqlAnswer:
        del query
        columns = (SqlColumn(name=f"n{EVIL}", type="VARCHAR"), SqlColumn(name="list", type="VARCHAR[]"))
        items = [{f"n{EVIL}": EVIL, "list": [EVIL]}]
        return SqlAnswer(columns=columns, items=items, cut=True, oldest=OVER, as_of=OVER, lag=0)


@pytest.fixture(scope="module")
def worker(events: Path) -> Iterator[str]:
    with served(Told(shown=fed([str(events)]).picture()), Store()) as address:
        yield address


def harmless(shown: str, *, colours: bool = False) -> None:
    """Nothing but what can be seen, and ends of lines that are ours."""
    plain = text.UNSAFE.sub("?", shown)
    assert plain == shown
    for line in shown.split("\n"):
        if colours:
            line = line.replace("\x1b[0m", "").replace("\x1b[31m", "").replace("\x1b[1m", "")  # noqa: PLW2901
        assert line.isprintable(), line
        assert not line.startswith("error: \\u202e")


ASKED = [
    ("get", "clusters"),
    ("get", "groups"),
    ("get", "instances"),
    ("get", "anomalies", "--status", "all"),
    ("get", "rollouts"),
    ("describe", "cluster", NAME),
    ("describe", "group", GROUP),
    ("describe", "instance", INSTANCE),
    ("history", INSTANCE),
    ("report",),
]


@pytest.mark.parametrize("form", PRETTY)
@pytest.mark.parametrize("words", ASKED, ids=lambda words: "-".join(words[:2])[:20])
def test_no_table_acts_on_a_terminal(run: Run, worker: str, words: tuple[str, ...], form: Format) -> None:
    done = run(*words, "--server", worker, "-o", form)
    assert done.code == 0, done.err
    assert r"\x1b]0;owned\x07" in done.out
    assert "[red]x[bold]" in done.out or "…" in done.out
    harmless(done.out + done.err)


@pytest.mark.parametrize("form", [Format.json, Format.yaml, Format.jsonl])
@pytest.mark.parametrize("words", ASKED, ids=lambda words: "-".join(words[:2])[:20])
def test_json_and_yaml_on_a_terminal_stay_what_they_are_and_are_harmless(
    run: Run, worker: str, words: tuple[str, ...], form: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = run(*words, "--server", worker, "-o", form)
    monkeypatch.setattr(output, "_is_terminal", lambda: True)
    shown = run(*words, "--server", worker, "-o", form)
    assert (plain.code, shown.code) == (0, 0)
    harmless(shown.out)
    if form is Format.yaml:
        assert yaml.safe_load(shown.out) == yaml.safe_load(plain.out)
    else:
        assert _values(shown.out, form) == _values(plain.out, form)


def _values(out: str, form: Format) -> list[Any]:
    return [json.loads(line) for line in out.split("\n") if line] if form is Format.jsonl else [json.loads(out)]


@pytest.mark.parametrize("form", PRETTY)
def test_replay_shows_a_hostile_file(run: Run, events: Path, form: Format) -> None:
    done = run("replay", str(events), "-o", form)
    assert (done.code, r"\x1b]0;owned\x07" in done.out) == (0, True)
    assert "2 ignored, 1 dead-lettered" in done.out
    harmless(done.out + done.err)


def test_replay_says_the_same_in_yaml_as_in_json(run: Run, events: Path) -> None:
    said = json.loads(run("replay", str(events), "-o", "json").out)
    shown = run("replay", str(events), "-o", "yaml").out
    harmless(shown)
    assert yaml.safe_load(shown) == said
    assert GROUP in {each["instance_group"] for each in said["instance_groups"]}


@pytest.mark.parametrize("form", ["table", "json", "yaml", "jsonl", "csv"])
def test_answers_in_sql(run: Run, worker: str, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "_is_terminal", lambda: True)
    done = run("sql", "SELECT 1", "--server", worker, "-o", form, "--no-color")
    assert done.code == 0, done.err
    kept = "\nerror: " if form == "csv" else ""  # a value's own lines, within its quotes
    harmless((done.out.replace(kept, " ") if kept else done.out) + done.err)


@pytest.mark.parametrize(
    "words",
    [
        ("explain", EVIL),
        ("graph", EVIL),
        ("replay", f"/nowhere/{EVIL}"),
        ("describe", "group", EVIL),
        ("history", EVIL),
        ("get", "instances", EVIL),
        ("get", "groups", "--server", f"http://{EVIL}"),
        ("report", "--since", EVIL),
        ("nothing", EVIL),
    ],
    ids=lambda words: words[0],
)
def test_messages_about_hostile_words(run: Run, worker: str, words: tuple[str, ...]) -> None:
    asks = words[0] in ("describe", "history", "get", "report") and "--server" not in words
    done = run(*words, *(("--server", worker) if asks else ()))
    assert done.code in (1, 2, 3)
    assert "Traceback" not in done.err
    shown = done.out + done.err
    if words[0] != "nothing":  # Click's own message about the caller's own words
        harmless(shown)


def test_dead_letters() -> None:
    origin = {"topic": EVIL, "partition": EVIL, "offset": EVIL, "index": EVIL, "replay_of": EVIL}
    letter = Letter(0, 1, EVIL, EVIL, origin, EVIL, 0, 5, EVIL)
    screen = Screen(colour=False, unicode=True, columns=None)
    harmless(letters.tables(list(letters.by_reason([letter])), [letter], screen, wide=True))
    told = letters.story(letters.shown(letter, EVIL.encode()), None)
    head, _, value = told.rpartition("\n\n")
    harmless(head)
    harmless(value.replace("\nerror: ", " "))  # a value keeps its lines, below everything else
    harmless(letters.fed_table([{"key": EVIL, "reason": EVIL, "left_out": EVIL, "fed_to": None}], screen))


def test_silences_and_findings() -> None:
    made = public_silence.Silence(
        silence_id="s-1", until=OVER, created_by=EVIL, reason=EVIL, created_at=OVER, **_matching()
    )
    item = {**made.model_dump(mode="json"), "state": "active"}
    harmless(silence._table([item], OVER, Manner(Format.wide, None, no_color=True)))
    harmless("".join(doctor_lines([fail("feed", EVIL, EVIL)], Screen(False, True, None))))


def _matching() -> dict[str, Any]:
    return {"starts_at": OVER, "matchers": {"instance_group": EVIL}}


def test_notes_and_errors(capsys: pytest.CaptureFixture[str]) -> None:
    note(f"note: {EVIL}")
    report(CliError(EVIL, EVIL))
    harmless(capsys.readouterr().err)


@pytest.mark.parametrize("variable", ["--no-color", "NO_COLOR"])
def test_colour_is_ours_and_can_be_left_out(
    run: Run, worker: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "_is_terminal", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    coloured = run("get", "anomalies", "--server", worker).out
    assert "\x1b[1m" in coloured
    if variable == "NO_COLOR":
        monkeypatch.setenv(variable, "1")
    done = run("get", "anomalies", "--server", worker, *(["--no-color"] if variable == "--no-color" else []))
    assert "\x1b" not in done.out
    harmless(done.out)


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Callable[[str], Callable[[], str]]:
    """Logging as the worker has it."""

    def start(style: str) -> Callable[[], str]:
        logs.setup("info", style)
        return lambda: capsys.readouterr().err

    return start


def _speak(name: str) -> None:
    ours = logs.get(name)
    ours.warning(f"what {EVIL}", cluster=EVIL, why=[EVIL, {EVIL: EVIL}], **{f"key{EVIL}": Path(EVIL)})
    other = logging.getLogger(f"library.{name}")
    other.error("met %s", EVIL)
    try:
        raise ValueError(f"first\n2026-11-27T00:00:00Z [info] forged {EVIL}")
    except ValueError:
        other.exception("broke on %r", EVIL)


def test_text_logs_have_one_line_for_each_record(logged: Callable[[str], Callable[[], str]]) -> None:
    read = logged("text")
    _speak("hostile.text")
    shown = read()
    harmless(shown)
    lines = shown.splitlines()
    records = [line for line in lines if not line.startswith("  | ")]
    assert len(records) == 3, shown
    assert r"\x1b]0;owned\x07" in records[0]
    assert any("forged" in line for line in lines if line.startswith("  | "))


def test_json_logs_have_one_object_for_each_record(logged: Callable[[str], Callable[[], str]]) -> None:
    read = logged("json")
    _speak("hostile.json")
    shown = read()
    harmless(shown)
    found = [json.loads(line) for line in shown.split("\n") if line]
    assert [each["level"] for each in found] == ["warning", "error", "error"]
    assert found[0]["cluster"] == EVIL
    assert "forged" in found[2]["exception"]


@pytest.mark.parametrize("style", ["text", "json"])
def test_a_text_without_end_ends_in_a_log(style: str, logged: Callable[[str], Callable[[], str]]) -> None:
    read = logged(style)
    logs.get(f"hostile.long.{style}").warning("long", cluster="x" * 1_000_000)
    shown = read()
    assert len(shown) < 2 * logs.LONGEST
    assert "992000 characters more" in shown
