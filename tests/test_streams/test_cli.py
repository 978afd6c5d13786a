"""The command line: what it prints where, and how it ends."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import yaml

from models import public
from models.machines.graph import MACHINES
from streams import times
from streams.cli import output, table, text
from streams.cli import replay as replay_command
from streams.cli.document import show
from streams.cli.manner import Manner
from streams.cli.output import Format, Screen
from streams.cli.progress import Progress
from streams.cli.times import age
from streams.web.provider import Readiness
from tests.test_streams.serving import NOW, Held, anomaly, instance, picture, served
from tests.test_streams.told import Ended

ALL_FORMATS = [str(form) for form in Format]
KINDS = {"clusters": 2, "groups": 3, "instances": 8, "anomalies": 2}
WIDE_SCREEN = Screen(colour=False, unicode=True, columns=None)


Run = Callable[..., Ended]


def document() -> public.Document:
    shown = picture()
    letters = (public.DeadLetterItem(reason="not_json", origin="a.jsonl:3", data="eA=="),)
    return public.Document(summary=Held().counts, dead_letters=letters, **dict(shown))


@dataclass
class Told:
    """A document as a replay tells it."""

    whole: public.Document

    @property
    def summary(self) -> public.Summary:
        return self.whole.summary

    def items(self, name: str) -> Iterator[bytes]:
        return (item.model_dump_json(indent=2).encode() for item in getattr(self.whole, name))


@pytest.mark.parametrize("form", ALL_FORMATS)
@pytest.mark.parametrize("kind", KINDS)
def test_get_prints_every_kind_in_every_form(run: Run, worker: str, kind: str, form: str) -> None:
    done = run("get", kind, "--server", worker, "-o", form)
    assert done.code == 0, done.err
    if form in ("table", "wide"):
        assert len(done.out.splitlines()) == 1 + KINDS[kind]
        assert "\x1b" not in done.out
    elif form == "jsonl":
        assert len([json.loads(line) for line in done.out.splitlines()]) == KINDS[kind]
    else:
        body = json.loads(done.out) if form == "json" else yaml.safe_load(done.out)
        assert (len(body["items"]), body["as_of"], body["continue"]) == (KINDS[kind], NOW, None)


def test_get_takes_names_filters_and_the_server_from_the_environment(
    run: Run, worker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYPERPOD_STATE_SERVER", worker)
    done = run("get", "instances", "i-bad", "slot-9", "-o", "jsonl")
    assert [json.loads(line)["phase"] for line in done.out.splitlines()] == ["Provisioning", "Failed"]
    assert len(run("get", "instances", "--phase", "failed", "-o", "jsonl").out.splitlines()) == 1
    assert len(run("get", "anomalies", "--status", "all", "-o", "jsonl").out.splitlines()) == 3
    assert len(run("get", "anomalies", "--severity", "critical", "-o", "jsonl").out.splitlines()) == 1
    assert len(run("get", "groups", "--cluster", "ml-dev", "-o", "jsonl").out.splitlines()) == 1
    assert run("get", "clusters", "ml-dev").out.startswith("CLUSTER")


def test_get_follows_all_pages(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.client.asking.PAGE", 2)
    with served(Held()) as address:
        done = run("get", "instances", "--server", address, "-o", "jsonl")
    assert len(done.out.splitlines()) == KINDS["instances"]


def test_a_name_that_is_not_there_is_a_problem(run: Run, worker: str) -> None:
    done = run("get", "instances", "i-bad", "i-none", "--server", worker, "-o", "jsonl")
    assert (done.code, len(done.out.splitlines())) == (1, 1)
    assert done.err.startswith("error: not found: i-none")


@pytest.mark.parametrize(("severity", "code"), [("critical", 1), ("warning", 1), ("info", 1)])
def test_fail_on_looks_at_open_anomalies(run: Run, worker: str, severity: str, code: int) -> None:
    assert run("get", "anomalies", "--server", worker, "--fail-on", severity).code == code
    calm = ("get", "anomalies", "--server", worker, "--severity", "error", "--status", "all")
    assert run(*calm, "--fail-on", severity).code == 0


def test_fail_on_takes_kinds_and_several_words(run: Run, worker: str) -> None:
    anomalies = ("get", "anomalies", "--server", worker)
    assert run(*anomalies, "--fail-on", "lifecycle_script_failed").code == 1
    assert run(*anomalies, "--fail-on", "stuck").code == 0
    assert run(*anomalies, "--fail-on", "stuck", "--fail-on", "critical").code == 1
    done = run(*anomalies, "--fail-on", "stock")
    assert (done.code, done.out) == (2, "")
    assert "'stock' is neither a severity nor a kind" in done.err


def test_no_worker_no_readiness_and_no_address(run: Run) -> None:
    done = run("get", "instances", "--server", "http://127.0.0.1:1")
    assert (done.code, done.out) == (3, "")
    assert "hyperpod-state worker" in done.err
    with served(Held(state=Readiness(ready=False, message="tables are restored to 43 %"))) as address:
        done = run("get", "instances", "--server", address)
    assert done.code == 3
    assert "43 %" in done.err
    assert run("get", "instances", "--server", "file:///etc/passwd").code == 2


@pytest.mark.parametrize(
    "args",
    [
        ("nope",),
        ("replay",),
        ("replay", "x", "--at", "someday"),
        ("replay", "x", "-o", "xml"),
        ("get", "anomalies", "--status", "odd"),
        ("get", "anomalies", "--severity", "odd"),
        ("get", "anomalies", "--fail-on", "odd"),
        ("graph", "patch"),
        ("graph", "nope"),
        ("worker", "--brokers", ","),
        ("broker", "--port", "0"),
    ],
)
def test_misuse_is_2_with_the_way_out_on_standard_error(run: Run, args: tuple[str, ...]) -> None:
    done = run(*args)
    assert (done.code, done.out) == (2, "")
    assert re.search("error: ", done.err, re.IGNORECASE)


def test_graph_takes_bare_names_where_they_mean_one_machine(run: Run) -> None:
    assert run("graph", "provision").out == run("graph", "instance/provision").out
    done = run("graph", "patch")
    assert "group/patch, instance/patch" in done.err
    for machine in MACHINES:
        assert run("graph", machine).out.startswith("stateDiagram")
    assert run("graph", "provision", "-o", "dot").out.startswith("digraph")
    assert run("graph", "provision", "-o", "svg").out.startswith("<svg")


def test_the_graph_list_in_the_error_is_complete(run: Run) -> None:
    done = run("graph", "nope")
    assert all(machine in done.err for machine in MACHINES)


def test_every_help_has_the_exit_codes(run: Run) -> None:
    alone = ("replay", "get", "graph", "broker", "worker", "describe", "history", "explain")
    for args in ((), ("get", "anomalies"), *((name,) for name in alone)):
        done = run(*args, "--help")
        assert done.code == 0
        assert "Exit codes: 0 ok, 1 problems found, 2 usage, 3 unavailable." in done.out


def test_what_cannot_happen_is_a_message_not_a_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> list[str]:
        raise ZeroDivisionError("bad\x1b[2Jthing")

    monkeypatch.setattr("models.machines.graph.resolve", broken)
    done = run("graph", "patch")
    assert done.code == 3
    assert done.err.startswith("error: ZeroDivisionError: bad\\x1b[2Jthing")


def test_a_file_that_is_not_there_is_misuse(run: Run) -> None:
    done = run("replay", "nowhere.jsonl")
    assert (done.code, done.out) == (2, "")
    assert done.err == "error: nowhere.jsonl: no such file. Check the path, or give - to read standard input.\n"


def test_a_file_that_cannot_be_read_is_misuse() -> None:
    error = FileNotFoundError(2, "No such file or directory", "nope.jsonl")
    wrong = replay_command.unreadable(error, ["nope.jsonl"])
    assert (wrong.code, str(wrong)) == (2, "nope.jsonl: No such file or directory")
    assert replay_command.unreadable(OSError(5, "Input/output error"), ["a.jsonl"]).code == 3


def test_ctrl_c_is_130_and_quiet(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> list[str]:
        raise KeyboardInterrupt

    monkeypatch.setattr("models.machines.graph.resolve", interrupted)
    assert run("graph", "patch") == Ended(130, "", "")


def shell(script: str, **env: str) -> subprocess.CompletedProcess[str]:
    command = ["bash", "-o", "pipefail", "-c", script]
    given = {**os.environ, "PY": sys.executable, **env}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=given, check=False)


def test_a_reader_that_goes_away_is_no_error() -> None:
    code = "from streams.cli import output; output.write(b'x' * 10_000_000); output.write('y' * 10_000_000)"
    done = shell(f'"$PY" -c "{code}" | head -c 1')
    assert (done.returncode, done.stderr) == (0, "")


def test_a_full_disk_is_told() -> None:
    done = shell('"$PY" -m streams.cli graph provision > /dev/full')
    assert done.returncode == 3
    assert done.stderr.startswith("error: standard output:")


@pytest.mark.parametrize("args", ["--help", "graph provision", "replay --help"])
def test_light_commands_do_not_load_the_worker(args: str) -> None:
    code = (
        f"import sys; sys.argv = ['hyperpod-state', *'{args}'.split()]; from streams.cli import main; main(); "
        "heavy = {'faust', 'aiokafka', 'kafka', 'mode', 'fastapi', 'uvicorn', 'rocksdict', 'rich', 'duckdb'}; "
        "heavy &= set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = shell(f'"$PY" -c "{code}"')
    assert done.returncode == 0, done.stderr


def test_a_shell_that_completes_does_not_wait_for_what_only_commands_need() -> None:
    code = "import sys; import streams.cli.app; print({'networkx', 'asyncio', 'yaml'} & {*sys.modules})"
    assert shell(f'"$PY" -c "{code}"').stdout == "set()\n"


def test_an_ascii_terminal_gets_ascii_glyphs(worker: str) -> None:
    done = shell(f'"$PY" -m streams.cli get instances --server {worker}', PYTHONIOENCODING="ascii", COLUMNS="80")
    assert done.returncode == 0, done.stderr
    assert "x Failed" in done.stdout


@pytest.mark.parametrize("form", Format)
def test_the_document_in_every_form(form: Format, capsys: pytest.CaptureFixture[str]) -> None:
    show(Told(document()), Manner(form, None, True), NOW)
    out = capsys.readouterr().out
    if form is Format.json:
        assert out.encode() == public.dumps(document())
    elif form is Format.yaml:
        assert out == output.yaml_text(document().model_dump(mode="json"))
    elif form is Format.jsonl:
        kinds = [json.loads(line)["type"] for line in out.splitlines()]
        assert (kinds[0], kinds[-1], len(kinds)) == ("summary", "dead_letter", 1 + 2 + 3 + 8 + 3 + 1)
    else:
        assert out.startswith("read 10: 6 applied, 2 duplicate, 1 ignored, 1 dead-lettered\n")
        for part in ("INSTANCES (8)", "✖ Failed", "↻ Provisioning", "OPEN ANOMALIES (2)", "1 not_json"):
            assert part in out


@pytest.mark.parametrize("form", [Format.json, Format.yaml])
def test_an_empty_document_has_all_its_lists(form: Format, capsys: pytest.CaptureFixture[str]) -> None:
    empty = public.Document(summary=public.Summary())
    show(Told(empty), Manner(form, None, True), None)
    wanted = output.yaml_text(empty.model_dump(mode="json")) if form is Format.yaml else public.dumps(empty).decode()
    assert capsys.readouterr().out == wanted


def test_a_reader_that_goes_away_ends_the_printing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "write", lambda _: False)
    parts = iter([b"x" * output.AT_ONCE, b"never asked for"])
    output.write_parts(parts)
    assert list(parts) == [b"never asked for"]


def test_the_document_table_fits_80_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    real = instance("i-0123456789abcdef0", "LifecycleScript")
    found = anomaly("a", instance_id=real.instance_id).model_copy(update={"title": "Very long " * 20})
    whole = public.Document(summary=Held().counts, instances=(real,), anomalies=(found,))
    show(Told(whole), Manner(Format.table, None, True), NOW)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) == 80
    assert any("↻ LifecycleScript" in line and "Very long" in line for line in lines)


def test_nothing_in_the_data_acts_on_the_terminal() -> None:
    rows = [[table.Cell("a\x1b[31m\n\u202eb"), table.Cell("\x9b\x7f")]]
    shown = table.render(["ONE", "TWO"], rows, WIDE_SCREEN)
    assert shown.splitlines()[1] == "a\\x1b[31m\\x0a\\u202eb  \\x9b\\x7f"
    raw = json.dumps({"a": "\x9b\u202e\x7f\x1b é"}, ensure_ascii=False)
    assert json.loads(text.json_for_terminal(raw)) == json.loads(raw)
    assert text.json_for_terminal(raw) == '{"a": "\\u009b\\u202e\\u007f\\u001b é"}'


def test_tables_align_wide_characters_and_colour_whole_words() -> None:
    rows = [[table.Cell("日本"), table.phase("Failed"), table.Cell("x" * 50)]]
    plain = table.render(["NAME", "PHASE", "WHY"], rows, Screen(False, True, 40)).splitlines()
    assert plain[1] == "日本  ✖ Failed  " + "x" * 23 + "…"
    coloured = table.render(["NAME", "PHASE", "WHY"], rows, Screen(True, True, 40))
    assert "\x1b[31m✖ Failed\x1b[0m" in coloured


def test_colour_only_on_a_terminal_that_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    assert not output.screen(False).colour
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert output.screen(False).colour
    assert not output.screen(True).colour
    monkeypatch.setenv("NO_COLOR", "1")
    assert not output.screen(False).colour


@pytest.mark.parametrize(
    ("given", "ms"),
    [
        ("2026-05-04T10:11:00Z", 1_777_889_460_000),
        ("2026-05-04T10:11:00.250", 1_777_889_460_250),
        ("2026-05-04T12:11:00+02:00", 1_777_889_460_000),
        ("2026-05-04", 1_777_852_800_000),
        ("1777889460", 1_777_889_460_000),
        ("1777889460000", 1_777_889_460_000),
        ("1777889460.25", 1_777_889_460_250),
        ("now", 1_777_889_460_000),
        ("-10m", 1_777_888_860_000),
        ("+1.5h", 1_777_894_860_000),
    ],
)
def test_times(given: str, ms: int) -> None:
    assert times.parse(given, 1_777_889_460.0) == ms


@pytest.mark.parametrize("given", ["", "x", "10", "-10", "-10y", "2026-13-01", "nan", "1e999", "-999999999w"])
def test_no_times(given: str) -> None:
    with pytest.raises(ValueError, match="is not a time"):
        times.parse(given, 1_777_889_460.0)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0s"), (119, "119s"), (120, "2m"), (7199, "119m"), (12_000, "3h20m"), (200_000, "2d7h"), (-5, "0s")],
)
def test_ages(seconds: int, words: str) -> None:
    assert age(public.iso(0), public.iso(seconds * 1000)) == words


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class Log(io.StringIO):
    encoding = "utf-8"


def test_progress_draws_on_terminals_and_speaks_every_few_seconds_elsewhere() -> None:
    now = [0.0]
    for stream, shown in ((Terminal(), "█"), (io.StringIO(), "reading  50%")):
        now[0] = 0.0
        with Progress("reading", stream, lambda: now[0]) as progress:
            progress(1, 100)
            assert stream.getvalue() == ""
            now[0] = 6.0
            progress(50, 100)
            progress(51, 100)
        assert stream.getvalue().count("50%") == 1
        assert shown in stream.getvalue()
    now[0] = 0.0
    far = Log()
    with Progress("reading", far, lambda: now[0], "bytes") as progress:
        progress(0, 100_000_000)
        now[0] = 10.0
        progress(10_000_000, 100_000_000)
        now[0] = 700.0
        progress(11_000_000, 100_000_000)
        now[0] = 800.0
        progress(11_000_000, None)
    assert far.getvalue().splitlines() == [
        "reading  10%, 1.0 MB/s, about 90 s left",
        "reading  11%, 0.0 MB/s, about 94 min left",
        "reading … 13 min, 0.0 MB/s",
    ]
    now[0] = 0.0
    quick = Terminal()
    with Progress("reading", quick, lambda: now[0]) as progress:
        progress(100, 100)
    assert quick.getvalue() == ""
