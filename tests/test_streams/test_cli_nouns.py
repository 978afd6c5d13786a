"""What kinds are called: the singular and short words of kubectl mean the same everywhere, and stand nowhere twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from streams.cli.app import app
from streams.cli.nouns import NOUNS
from tests.test_streams.told import NEW, OVER, Ended, incident

Run = Callable[..., Ended]
OTHERS = [(word, each.plural) for each in NOUNS for word in each.others]
SINGULAR = {"instance": NEW, "group": "workers", "cluster": "demo-eks"}


@pytest.fixture(scope="module")
def told() -> Iterator[str]:
    with incident(OVER) as address:
        yield address


@pytest.mark.parametrize(("word", "plural"), OTHERS)
def test_get_knows_a_kind_by_every_word(run: Run, worker: str, word: str, plural: str) -> None:
    usual = run("get", plural, "--server", worker)
    for said in (word, word.upper()):
        assert run("get", said, "--server", worker) == usual
    assert run("get", word, "--help").out.startswith(f"Usage: hyperpod-state get {plural} ")


def test_get_with_a_name_says_the_singular_as_kubectl_does(run: Run, worker: str) -> None:
    done = run("get", "instance", "i-bad", "--server", worker, "-o", "jsonl")
    assert (done.code, done.err, done.out.count("\n")) == (0, "", 1)
    done = run("get", "anomaly", "nope", "--server", worker)
    assert (done.code, done.out) == (1, "")
    assert "`hyperpod-state get anomalies`" in done.err


@pytest.mark.parametrize("one", SINGULAR)
def test_describe_and_history_know_a_kind_by_every_word(run: Run, told: str, one: str) -> None:
    name = SINGULAR[one]
    described = run("describe", one, name, "--server", told)
    assert described.code == 0
    lived = run("history", name, "--kind", one, "--server", told)
    assert lived.code == 0
    (own,) = (each for each in NOUNS if each.one == one)
    for word in (own.plural, *own.others):
        assert run("describe", word, name, "--server", told) == described
        assert run("history", name, "--kind", word, "--server", told) == lived
        assert run("history", word, name, "--server", told) == lived


def test_an_anomaly_is_described_by_every_word(run: Run, worker: str) -> None:
    usual = run("describe", "anomaly", "a1", "--server", worker)
    assert usual.code == 0
    assert run("describe", "anomalies", "a1", "--server", worker) == usual
    assert run("describe", "an", "a1", "--server", worker) == usual


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("get", "instnaces"), "did you mean instances?"),
        (("get", "pods"), "say one of clusters, groups, instances, anomalies, rollouts"),
        (("describe", "pod", "x"), "say instance, group, cluster or anomaly"),
        (("describe", "rollouts", "x"), "`hyperpod-state get rollouts`"),
        (("describe", NEW), "say instance, group, cluster or anomaly"),
        (("history", "x", "--kind", "anomaly"), "say instance, group or cluster"),
        (("history", "x", "y"), "give one: `hyperpod-state history [KIND] NAME`"),
        (("history", "group", "x", "--kind", "cluster"), "are different kinds"),
        (("history", "ro", "x"), "see `hyperpod-state get rollouts`"),
        (("history", "anomaly", "x"), "see `hyperpod-state describe anomaly ID`"),
    ],
)
def test_a_word_that_is_not_meant_is_misuse_with_the_way_out(run: Run, words: tuple[str, ...], said: str) -> None:
    done = run(*words, "--server", "http://127.0.0.1:1") if words[0] == "history" else run(*words)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_no_command_stands_twice(run: Run) -> None:
    command: Any = get_command(app)
    assert list(command.commands["get"].commands) == [each.plural for each in NOUNS]
    pages = Path(__file__).resolve().parents[2] / "docs" / "man"
    assert not [each.one for each in NOUNS if (pages / f"hyperpod-state-get-{each.one}.1").exists()]


def test_the_words_are_said_in_help_and_in_the_guide(run: Run) -> None:
    guide = (Path(__file__).resolve().parents[2] / "docs" / "cli.md").read_text()
    help_ = " ".join(run("get", "--help").out.split()).replace("- ", "-")  # lines break behind hyphens
    for each in NOUNS:
        assert ", ".join(each.others) in help_
        assert f"| `{each.plural}` | {', '.join(f'`{word}`' for word in each.others)} |" in guide


def test_no_word_is_of_two_kinds() -> None:
    words = [word for each in NOUNS for word in (each.plural, *each.others)]
    assert len(words) == len(set(words))
