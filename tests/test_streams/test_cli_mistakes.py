"""Mistakes of somebody who was woken up: each gets a message that names the thing and the way out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from models.machines.graph import MACHINES
from streams.web.api import create_api
from streams.web.auth import TokenRequired
from tests.test_streams.serving import ARN, OTHER, Held, listening
from tests.test_streams.test_cli import shell
from tests.test_streams.told import Ended

Run = Callable[..., Ended]
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "words",
    [("get", "instances", ""), ("describe", "instance", " "), ("history", ""), ("history", "group", "")],
    ids=str,
)
def test_an_empty_name_is_a_variable_that_is_not_set(run: Run, worker: str, words: tuple[str, ...]) -> None:
    done = run(*words, "--server", worker)
    assert (done.code, done.out) == (2, "")
    assert done.err == "error: the name is empty\n  is a variable of your shell not set?\n"


def test_a_name_of_other_bytes_is_misuse(run: Run, worker: str) -> None:
    done = run("get", "instances", b"i-\xff".decode(errors="surrogateescape"), "--server", worker)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: i-\\udcff is not UTF-8\n")


@pytest.mark.parametrize(
    "server", ["http://[::1", "http://127.0.0.1:99999", "http://127.0.0.1:x", "127.0.0.1:8780", ""]
)
def test_an_address_that_is_none_is_misuse(run: Run, server: str) -> None:
    done = run("get", "clusters", "--server", server)
    assert (done.code, done.out) == (2, "")
    assert f"{server!r} is not an address such as http://127.0.0.1:8780" in done.err


def test_a_name_that_several_have_is_narrowed_by_an_option_of_the_command(run: Run, worker: str) -> None:
    done = run("history", "group", "p5-train", "--server", worker)
    assert (done.code, done.out) == (2, "")
    assert f"give one: --cluster {ARN}, {OTHER}" in done.err
    of_one = run("history", "group", "p5-train", "--cluster", ARN, "--server", worker)
    assert of_one.code == 0, of_one.err


def test_no_token_and_a_wrong_one_are_told_apart(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(TokenRequired(create_api(Held()), "right")) as address:
        done = run("get", "clusters", "--server", address)
        assert (done.code, done.out) == (2, "")
        assert "the worker answers only who sends its token\n  give it in HYPERPOD_STATE_HTTP_TOKEN" in done.err
        monkeypatch.setenv("HYPERPOD_STATE_HTTP_TOKEN", "wrong")
        assert "the token is not the worker's" in run("get", "clusters", "--server", address).err
        monkeypatch.setenv("HYPERPOD_STATE_HTTP_TOKEN", "right")
        assert run("get", "clusters", "--server", address).code == 0


def test_graph_alone_names_the_machines(run: Run) -> None:
    done = run("graph")
    assert (done.code, done.out) == (2, "")
    assert all(machine in done.err for machine in MACHINES)


def test_help_that_nobody_reads_is_no_problem() -> None:
    done = shell('{ sleep 2; "$PY" -m streams.cli get --help; } | true')
    assert (done.returncode, done.stderr) == (0, "")


def test_no_option_writes_into_the_files_of_a_shell(run: Run) -> None:
    assert "completion" not in run("--help").out.partition("Commands:")[0]
