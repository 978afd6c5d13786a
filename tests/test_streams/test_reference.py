"""The printed pages agree with the tables, and say what they have to."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import TypeAdapter

from models.catalogue import CATALOGUE, EVENT_CODES, FIELD
from models.faults import KINDS
from models.judge.texts import SEVERITY
from models.machines import graph
from models.public import AnomalyKind
from streams.reference import commands, domain, operation
from streams.reference.__main__ import PAGES, main
from streams.reference.setting_examples import example
from streams.settings import Settings
from tests.test_streams.repository import elsewhere

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_tables_say(name):
    assert (ROOT / name).read_text() == PAGES[name](), f"{name} is stale: run `python -m streams.reference`"


def test_every_text_is_listed():
    page = domain.catalogue()
    for each in (*CATALOGUE, *FIELD, *EVENT_CODES.values()):
        assert f"| `{each.code}` |" in page
    assert "95 texts" in page


def test_every_machine_is_drawn_and_listed():
    page = domain.machines()
    assert page.count("![") == len(graph.MACHINES)
    edges = sum(graph.graph(name).number_of_edges() for name in graph.MACHINES)
    assert page.count("\n| `") == edges


def test_every_kind_is_listed_or_said_to_be_absent():
    page = domain.anomalies()
    for kind in AnomalyKind:
        assert (f"| [`{kind}`](../runbooks/{kind}.md) |" in page) == (kind in SEVERITY)
        assert f"`{kind}`" in page


def test_every_kind_says_what_opens_it():
    """Also those that a later version will find, so that a new kind never stops the printing."""
    assert set(domain.OPENS) | {AnomalyKind(kind) for kind in KINDS.values()} == set(AnomalyKind)


def test_every_setting_has_its_variable():
    page = operation.settings()
    for name in Settings.model_fields:
        assert f"| `{name}` | `HYPERPOD_STATE_{name.upper()}` |" in page
    assert "`hyperpod.events.raw`" in page


def test_the_pages_do_not_depend_on_the_environment(monkeypatch):
    before = {name: render() for name, render in PAGES.items()}
    monkeypatch.setenv("HYPERPOD_STATE_BROKERS", "kafka.example.com:9092")
    monkeypatch.setenv("HYPERPOD_STATE_SERVER", "http://example.com")
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("NO_COLOR", "1")
    assert {name: render() for name, render in PAGES.items()} == before


def test_every_command_is_there():
    page = commands.cli()
    for command in ("replay", "worker", "broker", "graph", "get anomalies", "describe", "history", "explain"):
        assert f"## hyperpod-state {command}\n" in page


@pytest.mark.skipif(not shutil.which("groff"), reason="groff reads manual pages, and is not here")
@pytest.mark.parametrize("name", commands.man_pages())
def test_a_manual_page_can_be_read(name):
    command = ["groff", "-man", "-ww", "-Tutf8", "-P-cbou", str(ROOT / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == ""
    for part in ("NAME", "SYNOPSIS", "EXIT STATUS", "SEE ALSO"):
        assert f"\n{part}\n" in done.stdout


def test_a_manual_page_has_every_option_and_no_request_of_its_own_text():
    page = commands.man_pages()["docs/man/hyperpod-state-get-anomalies.1"]()
    for option in (r"\-\-watch", r"\-\-fail\-on SEVERITY|KIND", r"\-\-query JMESPATH", r"\-o, \-\-output"):
        assert option in page
    assert commands._text(".SH \\x\n  y") == "\\&.SH \\ex y"


def test_the_manual_page_of_a_command_that_is_no_more_is_stale(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    elsewhere(tmp_path)
    assert main([]) == 0
    old = tmp_path / "docs" / "man" / "hyperpod-state-old.1"
    old.write_text("")
    assert main(["--check"]) == 1
    assert "hyperpod-state-old.1 is of a command that there is no more" in capsys.readouterr().err
    assert main([]) == 0
    assert not old.exists()


def test_stale_pages_are_named_and_then_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    elsewhere(tmp_path)
    assert main(["--check"]) == 1
    assert "docs/reference/cli.md is stale" in capsys.readouterr().err
    assert not (tmp_path / "docs").exists()
    assert main([]) == 0
    assert main(["--check"]) == 0
    written = (path for path in (tmp_path / "docs").rglob("*") if path.is_file())
    assert {str(path.relative_to(tmp_path)) for path in written} == {name for name in PAGES if name.startswith("docs/")}


def test_elsewhere_it_refuses(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["--check"]) == 2
    assert "root of the repository" in capsys.readouterr().err


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_has_an_example_that_it_would_take(name):
    field = Settings.model_fields[name]
    shown = example(name, field)
    assert shown
    assert shown != str(field.default)
    told = json.loads(shown) if name == "thresholds" else shown
    TypeAdapter(Annotated[field.annotation, field, *field.metadata]).validate_python(told)
