"""Every command of the README is run, in a copy of the repository; what it shows is what comes out.

A block of `console` holds commands after `$ ` and what they print.  In it `…` stands for anything, in a line or as a
line of its own; ages (`12s`, `7h15m`), times and the spaces between columns are not compared.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from streams.broker import free_port
from tests.kafka import Broker

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 400.0  # more than anything here takes; no test is about speed
SETTLE_SECONDS = 30.0
HTTP, KAFKA = "127.0.0.1:8780", "127.0.0.1:19092"
OWN = "kafka-1.example.com:9092,kafka-2.example.com:9092"
COPIED = ("streams", "models", "docs", "tests", "Makefile", "pyproject.toml", "README.md", "LICENSE", ".ci")
MAKE = "make -o .venv/.installed"  # the environment of this test is the installation
TRIAL = "tests/test_models/test_timestamps.py"
"""`make test` inside `make test` has to end somewhere: it runs this file alone."""


@dataclass(frozen=True)
class Command:
    """One command, what the README shows of its output, and the heading it stands under."""

    text: str
    shown: tuple[str, ...]
    section: str


def commands(text: str) -> list[Command]:
    """The commands of all `console` and `sh` blocks, in order; a `sh` block is one command and shows no output."""
    found: list[Command] = []
    section = ""
    for part in re.finditer(r"^#+ ([^\n]+)$|^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        section = part[1] or section
        if part[2] == "sh":
            found.append(Command(part[3].strip(), (), section))
        if part[2] == "console":
            found.extend(_console(part[3], section))
    return found


def _console(block: str, section: str) -> Iterator[Command]:
    """A line with `<<'END'` goes on until END."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        lines = part.rstrip("\n").split("\n")
        length = lines.index("END") + 1 if "<<'END'" in lines[0] else 1
        yield Command("\n".join(lines[:length]), tuple(lines[length:]), section)


def matches(shown: tuple[str, ...], printed: str) -> bool:
    """Whether the output is as shown."""
    pattern = "\n".join(r"(?:.*\n)*?.*" if line.strip() == "…" else _line(line) for line in shown)
    return re.fullmatch(pattern, "\n".join(plain(line) for line in printed.rstrip("\n").split("\n"))) is not None


def _line(line: str) -> str:
    return ".*".join(re.escape(part) for part in plain(line).split("…"))


def plain(line: str) -> str:
    """A line without what changes from run to run."""
    line = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "<time>", line)
    line = re.sub(r"\b(?:\d+[smhd])+\b", "<age>", re.sub(r"\d+ s\b", "<age>", line))
    return re.sub(r" +", " ", line).strip()


ALL = commands((ROOT / "README.md").read_text())


def select(wanted: Callable[[Command], bool]) -> list[Command]:
    return [command for command in ALL if wanted(command)]


def _is_setup(command: Command) -> bool:
    return command.text in ("make run", "make test", "source .venv/bin/activate")


def _is_own(command: Command) -> bool:
    return OWN in command.text


def _is_live(command: Command) -> bool:
    asks = re.search(r" (get|describe|history|sql) |127\.0\.0\.1", command.text)
    return not _is_own(command) and asks is not None


LIVE = select(_is_live)
PLAIN = select(lambda command: not (_is_setup(command) or _is_own(command) or _is_live(command)))


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository once more, so that a demo in the developer's own copy is not disturbed."""
    folder = tmp_path_factory.mktemp("clone")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif (ROOT / name).exists():
            shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


def environment(**more: str) -> dict[str, str]:
    """The user's, with this Python's commands first."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HYPERPOD_STATE_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**inherited, "PATH": path, "NO_COLOR": "1", "COLUMNS": "150", **more}


def run(text: str, folder: Path, **more: str) -> str:
    """What the command prints on standard output; errors and exit codes are the reader's to see as well."""
    command = ["bash", "-c", text]
    done = subprocess.run(
        command, cwd=folder, env=environment(**more), capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert "error:" not in done.stderr, done.stderr
    return done.stdout


def check(command: Command, printed: str) -> None:
    assert matches(command.shown, printed), f"{command.text}\nprints\n{printed}\nand the README shows\n" + "\n".join(
        command.shown
    )


@contextmanager
def long_running(text: str, folder: Path, **more: str) -> Iterator[list[str]]:
    """A command that stays: the lines it has printed so far; it is ended by SIGTERM, all of it."""
    process = subprocess.Popen(
        ["bash", "-c", f"exec {text}"],
        cwd=folder, env=environment(**more), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    lines: list[str] = []
    reader = threading.Thread(target=_read, args=(process, lines))
    reader.start()
    try:
        yield lines
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(SECONDS)
        reader.join(SECONDS)


def _read(process: subprocess.Popen[str], lines: list[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
    process.stdout.close()


def eventually(condition: Callable[[], bool], lines: list[str]) -> None:
    until = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < until, "\n".join(lines)
        time.sleep(0.2)


@pytest.fixture(scope="module")
def demo(clone: Path) -> Iterator[list[str]]:
    """`make run`, once for all commands that need it, with its incident over."""
    with long_running(f"{MAKE} run", clone) as lines:
        eventually(lambda: any("The incident is over" in line for line in lines) or _failed(lines), lines)
        assert not _failed(lines), "\n".join(lines)
        yield lines
    eventually(lambda: any(line.startswith("Stopped") for line in lines), lines)


def _failed(lines: list[str]) -> bool:
    return any(line.startswith(("error:", "make: ***")) for line in lines)


def _addresses(lines: list[str]) -> dict[str, str]:
    """The README's addresses, and those of this demo, which may have found the ports taken."""
    text = "\n".join(lines)
    kafka, url = re.search(r"Kafka at ([^\s,]+)", text), re.search(r"Dashboard +(http://[^/]+)/", text)
    assert kafka, text
    assert url, text
    return {KAFKA: kafka[1], HTTP: urlsplit(url[1]).netloc}


def _at_addresses(text: str, lines: list[str]) -> str:
    for shown, real in _addresses(lines).items():
        text = text.replace(shown, real)
    return text


def test_blocks_are_taken_apart():
    console = "```console\n$ one\nout\n$ two <<'END'\nx\nEND\nmore\n```\n"
    text = f"# A\n{console}## B\n```sh\nthree\nfour\n```\n```json\n{{}}\n```\n"
    assert commands(text) == [
        Command("one", ("out",), "A"),
        Command("two <<'END'\nx\nEND", ("more",), "A"),
        Command("three\nfour", (), "B"),
    ]


def test_only_what_changes_is_not_compared():
    shown = ("PHASE  SINCE", "…", "✔ InService  8m  …ok", "as of 2026-10-05T11:06:40.000Z")
    printed = "PHASE        SINCE\nx\ny\n✔ InService  15s    it is ok\nas of 2027-01-01T00:00:00.000Z\n"
    assert matches(shown, printed)
    assert not matches(shown, printed.replace("InService", "Failed"))
    assert not matches(shown, printed + "more\n")


def test_the_two_commands_are_the_only_setup():
    setup = [command.text for command in ALL if _is_setup(command)]
    assert setup == ["make run", "make test", "source .venv/bin/activate"]


def test_every_command_is_one_that_is_run_here():
    assert len(ALL) == len(LIVE) + len(PLAIN) + len(select(_is_setup)) + len(select(_is_own))
    assert LIVE
    assert PLAIN
    assert len(select(_is_own)) == 1


@pytest.mark.parametrize("command", PLAIN, ids=lambda command: command.text.split("\n")[0])
def test_a_command_prints_what_is_shown(command: Command, clone: Path):
    check(command, run(command.text, clone))


def test_the_tests_run_by_make(clone: Path):
    printed = run(f"source .venv/bin/activate && {MAKE} test ARGS='-n 0 -q -p no:cacheprovider {TRIAL}'", clone)
    assert " passed" in printed


@pytest.mark.kafka
def test_the_demo_says_what_is_shown(demo: list[str]):
    (command,) = select(lambda command: command.text == "make run")
    said = [plain(re.sub(r" \(port \d+ is taken\)", "", line)) for line in demo]
    for line in _at_addresses("\n".join(command.shown), demo).split("\n"):
        assert any(re.fullmatch(_line(line), each) for each in said), f"not said: {line}\n" + "\n".join(demo)


@pytest.mark.kafka
@pytest.mark.parametrize("command", LIVE, ids=lambda command: command.text.split("\n")[0])
def test_a_command_shows_the_demo(command: Command, demo: list[str], clone: Path):
    text = _at_addresses(command.text, demo)
    command = replace(command, shown=tuple(_at_addresses(line, demo) for line in command.shown))
    if text.startswith("curl") and not shutil.which("curl"):
        pytest.skip("there is no curl here")
    server = {"HYPERPOD_STATE_SERVER": f"http://{_addresses(demo)[HTTP]}"}
    printed, until = run(text, clone, **server), time.monotonic() + SETTLE_SECONDS
    while not matches(command.shown, printed) and time.monotonic() < until:  # the last events are still on their way
        printed = run(text, clone, **server)
    check(command, printed)


def test_a_kafka_of_your_own(kafka: Broker, clone: Path, tmp_path: Path):
    """The block as it is, but for names that are nobody's and for a cluster of one broker."""
    (command,) = select(_is_own)
    name, port = f"readme-{uuid.uuid4().hex[:8]}", free_port()
    text = command.text.replace(OWN, kafka.bootstrap).replace("REPLICATION_FACTOR=3", "REPLICATION_FACTOR=1")
    text = text.replace("RAW_TOPIC=", f"RAW_TOPIC={name}.")
    own = ("EVENTS", "TRANSITIONS", "ANOMALIES", "DEADLETTER", "STATUS")
    names = {f"HYPERPOD_STATE_{kind}_TOPIC": f"{name}.{kind.lower()}" for kind in own}
    place = {"HYPERPOD_STATE_DATA_DIR": str(tmp_path / "worker"), "HYPERPOD_STATE_HTTP_PORT": str(port)}
    script = tmp_path / "own.sh"
    script.write_text(text)
    with long_running(f"bash {script}", clone, HYPERPOD_STATE_APP_ID=name, **names, **place) as lines:
        eventually(lambda: _ready(port), lines)


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
