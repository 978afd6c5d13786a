"""`--query`: a part of any document; a wrong expression is shown with the place where it is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import yaml

from tests.test_streams.told import SAMPLE, Ended

Run = Callable[..., Ended]


def test_an_expression_means_the_same_in_every_form(run: Run, worker: str) -> None:
    words = ("get", "anomalies", "--server", worker, "--query", "items[?severity=='critical'].anomaly_id")
    assert json.loads(run(*words).out) == ["a1"]
    assert json.loads(run(*words, "-o", "json").out) == ["a1"]
    assert yaml.safe_load(run(*words, "-o", "yaml").out) == ["a1"]
    assert run(*words, "-o", "jsonl").out == '"a1"\n'


def test_lines_are_the_elements_of_a_list_and_nothing_is_no_line(run: Run, worker: str) -> None:
    words = ("get", "instances", "--server", worker, "-o", "jsonl", "--query")
    assert len(run(*words, "items[].{id: instance_id, phase: phase}").out.splitlines()) == 8
    assert run(*words, "length(items)").out == "8\n"
    assert run(*words, "nothing").out == ""
    assert run("get", "instances", "--server", worker, "--query", "nothing").out == "null\n"


def test_a_replay_is_one_document_for_it(run: Run) -> None:
    done = run("replay", str(SAMPLE), "--query", "{read: summary.read, failed: anomalies[?status=='open'].kind}")
    assert json.loads(done.out) == {"read": 120, "failed": []}


def test_exit_codes_do_not_depend_on_what_is_picked(run: Run, worker: str) -> None:
    words = ("get", "anomalies", "--server", worker, "--fail-on", "critical", "--query", "nothing")
    assert run(*words).code == 1


@pytest.mark.parametrize(
    ("expression", "column", "reason"),
    [
        ("items[?severity=='critical]", 18, "Unclosed ' delimiter"),
        ("items[?", 8, "the expression ends too early"),
        ("items[].title name", 15, "Unexpected token: name"),
        ("items[?begins_with(kind, 'a')]", 8, "there is no function begins_with()"),
        ("items | sort_by(@, &length(nope(x)))", 28, "there is no function nope()"),
    ],
)
def test_a_wrong_expression_is_shown_with_the_place(run: Run, expression: str, column: int, reason: str) -> None:
    done = run("get", "anomalies", "--query", expression)
    assert (done.code, done.out) == (2, "")
    lines = done.err.splitlines()
    place = next(number for number, line in enumerate(lines) if f"{reason} at column {column}:" in line)
    assert lines[place + 1].strip() == expression
    assert lines[place + 2].index("^") - lines[place + 1].index(expression[0]) == column - 1


def test_what_does_not_fit_the_data_is_misuse(run: Run, worker: str) -> None:
    done = run("get", "anomalies", "--server", worker, "--query", "length(lag)")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: --query 'length(lag)' does not fit the document: ")
    assert run("get", "anomalies", "--server", worker, "--query", "").code == 2


def test_csv_has_no_parts(run: Run) -> None:
    assert run("sql", "SELECT 1", "-o", "csv", "--query", "items").code == 2


def test_a_machine_is_data_too(run: Run) -> None:
    body = json.loads(run("graph", "group/rollback", "-o", "json").out)
    assert {"from": "None", "to": "RollingBack", "on": "rollback started"} in body["edges"]
    assert json.loads(run("graph", "group/rollback", "--query", "states[0]").out) == "None"
