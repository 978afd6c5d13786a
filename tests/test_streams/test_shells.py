"""Completion in real shells, at a terminal, by pressing Tab; and the manual pages in a real `man`."""

from __future__ import annotations

import fcntl
import os
import re
import select
import shutil
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.cli.shells import SCRIPTS, script
from streams.reference import commands
from tests.test_streams.serving import Held, served

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60.0
"""No test is about speed: a busy machine starts a Python in many seconds."""
READY = "READY> "
STEPS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()=>][A-Z0-9]?|\x1b\][^\x07]*\x07|\r|\x07|\x08")


@pytest.fixture(scope="module")
def worker() -> Iterator[str]:
    with served(Held()) as address:
        yield address


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the program on its path, the scripts where the guide puts them, and a file."""
    home = tmp_path_factory.mktemp("home")
    places = {
        "bash": ".local/share/bash-completion/completions/hyperpod-state",
        "zsh": ".zfunc/_hyperpod-state",
        "fish": ".config/fish/completions/hyperpod-state.fish",
    }
    for shell, place in places.items():
        (home / place).parent.mkdir(parents=True)
        (home / place).write_text(script(shell))
    (home / "bin").mkdir()
    program = home / "bin" / "hyperpod-state"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m streams.cli "$@"\n')
    program.chmod(0o755)
    (home / "incident.jsonl").write_text("")
    (home / "folder").mkdir()
    (home / ".zshrc").write_text(
        f"PROMPT='{READY}'\nfpath=(~/.zfunc $fpath)\nautoload -Uz compinit && compinit -u\nunset zle_bracketed_paste\n"
    )
    (home / ".bashrc").write_text(f"PS1='{READY}'\nbind 'set enable-bracketed-paste off'\n. ~/{places['bash']}\n")
    return home


def environment(home: Path, worker: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in ("LANG", "LC_ALL")}
    path = f"{home / 'bin'}:{os.environ['PATH']}"
    own = {"HOME": str(home), "PATH": path, "PYTHONPATH": str(ROOT), "HYPERPOD_STATE_SERVER": worker}
    return {**kept, **own, "TERM": "xterm", "XDG_CONFIG_HOME": str(home / ".config")}


class Terminal:
    """A shell at a terminal of its own."""

    def __init__(self, command: list[str], home: Path, worker: str) -> None:
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
        self._process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment(home, worker),
            cwd=home,
            start_new_session=True,
        )
        os.close(slave)
        self.seen = ""
        self.until(READY.strip())

    def type(self, words: str) -> None:
        self.seen = ""
        os.write(self._master, words.encode())

    def until(self, *wanted: str) -> str:
        """What the screen was told, once all of it is there."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            if all(each in self.seen for each in wanted):
                return self.seen
            if select.select([self._master], [], [], 1.0)[0]:
                self.seen += STEPS.sub("", os.read(self._master, 65536).decode(errors="replace"))
        raise AssertionError(f"{wanted} is not all in {self.seen!r}")

    def close(self) -> None:
        self._process.kill()
        self._process.wait(SECONDS)
        os.close(self._master)


COMMANDS = {"bash": ["bash", "--noprofile", "-i"], "zsh": ["zsh", "-i"]}


@pytest.fixture(params=COMMANDS)
def terminal(request: pytest.FixtureRequest, home: Path, worker: str) -> Iterator[Terminal]:
    shell = request.param
    if not shutil.which(shell):
        pytest.skip(f"there is no {shell} here: apt install {shell}")
    terminal = Terminal(COMMANDS[shell], home, worker)
    yield terminal
    terminal.close()


def test_the_first_tab_of_a_shell_completes_a_command(terminal: Terminal) -> None:
    terminal.type("hyperpod-state expl\t")
    terminal.until("explain ")


def test_a_name_comes_from_the_worker_after_any_word_for_its_kind(terminal: Terminal) -> None:
    terminal.type("hyperpod-state describe node i-b\t")
    terminal.until("i-bad ")


def test_what_may_come_next_is_listed(terminal: Terminal) -> None:
    terminal.type("hyperpod-state get \t\t")
    terminal.until("clusters", "groups", "instances", "anomalies", "rollouts")


def test_the_value_of_an_option_is_completed_after_a_space_and_after_an_equals_sign(terminal: Terminal) -> None:
    terminal.type("hyperpod-state get instances --cluster ml-d\t")
    terminal.until("--cluster ml-dev ")
    terminal.type("--phase=rebooti\t")
    terminal.until("--phase=rebooting ")


def test_a_file_that_was_begun_is_completed(terminal: Terminal) -> None:
    terminal.type("hyperpod-state replay inci\t")
    terminal.until("incident.jsonl ")
    terminal.type("--config fol\t")
    terminal.until("folder/")


def test_where_there_is_no_such_program_nothing_is_said(terminal: Terminal) -> None:
    terminal.type("/nowhere/hyperpod-state get \t\tmarker")
    assert "nowhere/hyperpod-state get marker" in terminal.until("marker").replace("\n", "")


def test_fish_completes_commands_names_values_and_files(home: Path, worker: str) -> None:
    if not shutil.which("fish"):
        pytest.skip("there is no fish here: apt install fish")

    def press(line: str) -> dict[str, str]:
        asked = f'complete -C "{line}"'
        done = subprocess.run(
            ["fish", "-c", asked],
            capture_output=True,
            text=True,
            env=environment(home, worker),
            cwd=home,
            check=True,
            timeout=SECONDS,
        )
        assert done.stderr == ""
        return dict(each.partition("\t")[::2] for each in done.stdout.splitlines())

    assert [*press("hyperpod-state get ")] == ["anomalies", "clusters", "groups", "instances", "rollouts"]
    assert press("hyperpod-state get ")["clusters"] == "Clusters and their phase."
    assert [*press("hyperpod-state describe node i-b")] == ["i-bad"]
    assert [*press("hyperpod-state get instances --cluster=ml-d")] == ["--cluster=ml-dev"]
    assert [*press("hyperpod-state replay inci")] == ["incident.jsonl"]
    assert [*press("hyperpod-state worker --data fol")] == ["folder/"]
    assert [*press("hyperpod-state explain zzz")] == []


@pytest.mark.parametrize("shell", SCRIPTS)
def test_a_script_has_no_error_for_its_shell(shell: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"there is no {shell} here: apt install {shell}")
    done = subprocess.run(
        [shell, "-n"], input=script(shell), capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_zsh_says_what_has_to_come_first(home: Path, worker: str) -> None:
    if not shutil.which("zsh"):
        pytest.skip("there is no zsh here: apt install zsh")
    command = ["zsh", "-f", "-c", "source ~/.zfunc/_hyperpod-state"]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment(home, worker), check=False, timeout=SECONDS
    )
    assert done.stderr == "hyperpod-state: completion comes after: autoload -Uz compinit && compinit\n"


@pytest.mark.parametrize("name", commands.man_pages())
def test_man_shows_each_page_and_has_nothing_against_it(name: str) -> None:
    if not shutil.which("man") or not shutil.which("groff"):
        pytest.skip("there is no man here: apt install man-db groff-base")
    given = {**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8", "MANPAGER": "cat"}
    done = subprocess.run(
        ["man", "--warnings", "-l", str(ROOT / name)],
        capture_output=True,
        text=True,
        env=given,
        check=True,
        timeout=SECONDS,
    )
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert Path(name).stem.upper() in lines[0]
