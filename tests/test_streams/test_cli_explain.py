"""`explain`: every word, offline, in every form."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import yaml

from models.explain import every, explain, words
from models.public import AnomalyKind
from streams.cli import main
from streams.cli.explain_lists import SORTS
from streams.cli.nouns import NOUNS, Noun
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
    ("word", "near"),
    [
        ("replacng", "replacing"),
        ("bake_alrm", "bake_alarm"),
        ("phasse", "phases"),
        ("anomalys", "anomalies"),
        ("%", "`hyperpod-state explain` lists what can be explained"),
    ],
)
def test_an_unknown_word_is_2_with_the_closest(run, word: str, near: str):
    code, out, err = run(word)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: nothing here is called '{word}'\n")
    assert near in err


def test_alone_it_lists_everything_that_can_be_explained(run):
    code, out, err = run()
    assert (code, err) == (0, "")
    codes = {topic.name for topic in every(("code",))}
    assert not [word for word in words() if word not in codes and word not in out.split()]
    assert f"codes ({len(codes)})" in out
    listed = {topic.name for topic in every(("code",)) if f"\n{topic.name} " in run("codes")[1]}
    assert listed == codes
    assert [item["name"] for item in json.loads(run("-o", "json")[1])["items"]] == [
        topic.name for kind, _ in SORTS.values() for topic in every((kind,))
    ]


def test_alone_it_fits_the_screen(run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "60")
    assert max(map(len, run()[1].splitlines())) <= 80, "headings are sentences, the rest is wrapped"
    assert max(len(line) for line in run()[1].splitlines() if line.startswith("  ")) <= 60


@pytest.mark.parametrize("sort", SORTS)
def test_each_sort_of_words_is_listed_with_meanings(run, sort: str):
    code, out, err = run(sort)
    assert (code, err) == (0, "")
    topics = every((SORTS[sort][0],))
    assert len(out.splitlines()) == 1 + len(topics)
    assert all(topic.meaning in line for topic, line in zip(topics, out.splitlines()[1:], strict=True))
    assert len(run(sort, "-o", "jsonl")[1].splitlines()) == len(topics)


@pytest.mark.parametrize("sort", SORTS)
def test_a_sort_of_words_may_be_named_in_the_singular(run, sort: str):
    assert run(SORTS[sort][0]) == run(sort)


def test_what_may_be_meant_is_quoted_as_a_word_of_the_program_is_none_of_the_sentence(run):
    assert "did you mean `None`?" in run("nonsense")[2]


def test_a_list_of_kinds_says_how_bad_and_one_of_deadlines_how_long(run):
    assert "▲ warning" in run("kinds")[1]
    assert "45 min" in run("deadlines")[1]


def test_what_opens_a_kind_can_be_told_without_the_list_of_its_codes(run):
    told = [topic.meaning for topic in every(("kind",))]
    assert len({*told}) == len(told) == len(AnomalyKind), "in a list, and in `describe anomaly`, it stands alone"
    assert all(meaning.startswith("Opens when ") for meaning in told)


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.plural)
def test_each_kind_of_thing_has_its_words(run, noun: Noun):
    code, out, err = run(noun.plural)
    assert (code, err) == (0, "")
    if noun.one in ("instance", "group", "cluster"):
        found = every(("phase", "machine"), noun.one)
        assert [line.split()[0] for line in out.splitlines()[1:]] == [topic.name for topic in found]
        assert run(noun.one) == (code, out, err)


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
