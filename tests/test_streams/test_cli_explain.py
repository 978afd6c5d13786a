"""`explain`: every word, offline, in every form."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import yaml

from models.explain import explain, words
from streams.cli import main
from streams.cli.output import Format


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Runs `explain` in this process: exit code, output, errors."""

    def call(*args: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["hyperpod-state", "explain", *args])
        code = main()
        return (code, *capsys.readouterr())

    return call


@pytest.mark.parametrize("word", words())
def test_every_word_is_explained(run, word: str):
    code, out, err = run(word.lower())
    assert (code, err) == (0, "")
    headings = [line for line in out.splitlines() if line and not line.startswith(" ")]
    assert len(headings) == len(explain(word))
    assert all(line.startswith(f"{topic.name} (") for line, topic in zip(headings, explain(word), strict=True))


@pytest.mark.parametrize("form", Format)
def test_in_every_form(run, form: Format):
    _, out, _ = run("group/patch", "-o", form)
    if form in (Format.table, Format.wide):
        assert "None, Completed, Failed -> Scheduled on rollout scheduled: PatchScheduled" in out
    elif form is Format.jsonl:
        assert json.loads(out)["type"] == "machine"
    else:
        body = json.loads(out) if form is Format.json else yaml.safe_load(out)
        assert [item["of"] for item in body["items"]] == ["group"]


def test_wide_has_the_example(run):
    assert "example" in run("BakeAlarm", "-o", "wide")[1]
    assert "example" not in run("BakeAlarm")[1]


def test_a_state_and_a_deadline_for_people(run):
    out = run("replace/replacing")[1]
    assert "replacing: slow after 30 min without progress, stuck after 45 min" in out
    assert "None, Replaced, Failed -> Replacing on replacement started" in out
    assert "instance type ml.p5*" in run("terminating")[1]


@pytest.mark.parametrize(
    ("word", "near"), [("replacng", "replacing"), ("bake_alrm", "bake_alarm"), ("%", "give a code")]
)
def test_an_unknown_word_is_2_with_the_closest(run, word: str, near: str):
    code, out, err = run(word)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: nothing here is called '{word}'\n")
    assert near in err


def test_it_asks_nobody_and_loads_no_worker():
    script = (
        "import sys, socket; socket.socket.connect = None; sys.argv = ['hyperpod-state', 'explain', 'stuck'];"
        "from streams.cli import main; code = main();"
        "sys.exit(code or bool({'faust', 'aiokafka', 'fastapi', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, env={**os.environ}, check=False
    )
    assert done.returncode == 0, done.stderr
