"""Every command that prints data prints it as JSON, and as YAML and lines where it offers them: all of them, by name.

A command that is new here has to be added, or `test_no_command_is_forgotten` fails.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from typer.main import get_command

from streams.cli.app import app
from tests.broker.lab import Lab, arn, event
from tests.test_streams.told import SAMPLE, Ended, runner

if TYPE_CHECKING:
    from tests.kafka import Broker

Run = Callable[..., Ended]
INSTANCE = "i-00010000000000001"
READERS: dict[str, Callable[[str], Any]] = {
    "json": json.loads,
    "yaml": yaml.safe_load,
    "jsonl": lambda text: [json.loads(line) for line in text.splitlines()],
}
CASES = {
    "replay": ("replay", str(SAMPLE)),
    "describe": ("describe", "instance", "{instance}"),
    "history": ("history", "{instance}"),
    "report": ("report",),
    "sql": ("sql", "SELECT 1 AS one"),
    "explain": ("explain", "stuck"),
    "topics": ("topics",),
    "doctor": ("doctor",),
    "audit": ("audit",),
    "backfill": ("backfill", "--from-files", str(SAMPLE), "--out", "{folder}/out", "--state", "{folder}/state"),
    "rebuild": ("rebuild", "--tables", "new{form}"),
    "graph": ("graph", "provision"),
    "get clusters": ("get", "clusters"),
    "get groups": ("get", "groups"),
    "get instances": ("get", "instances"),
    "get anomalies": ("get", "anomalies", "--status", "all"),
    "get rollouts": ("get", "rollouts"),
    "deadletter list": ("deadletter", "list"),
    "deadletter show": ("deadletter", "show", "{letter}"),
    "deadletter replay": ("deadletter", "replay", "--all", "--dry-run"),
    "silence list": ("silence", "list"),
    "alerts list": ("alerts", "list"),
    "alerts test": ("alerts", "test"),
}
SINK = """
[alerts]
[[alerts.sinks]]
name = "nobody"
type = "webhook"
url = "http://127.0.0.1:1/"
"""


def offered() -> Iterator[tuple[str, list[str]]]:
    """Every command that takes `-o`, and the forms that are data."""

    def below(command: Any, words: list[str]) -> Iterator[tuple[str, list[str]]]:
        for name, each in getattr(command, "commands", {}).items():
            yield from below(each, [*words, name])
        for option in command.params:
            if "-o" in option.opts:
                with command.make_context("x", [], resilient_parsing=True) as context:
                    forms = option.get_help_record(context)[0].partition("<")[2].rstrip(">").split("|")
                yield " ".join(words), [form for form in forms if form in READERS]

    yield from below(get_command(app), [])


FORMS = [(name, form) for name, forms in offered() for form in forms]


@pytest.fixture(scope="module")
def lab(kafka: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A worker that has read some events and a broken value, and has a store."""
    lab = Lab(kafka.bootstrap, tmp_path_factory.mktemp("forms"), settle_seconds=0, store="true")
    (lab.folder / "alerts.toml").write_text(SINK)
    lab.start()
    try:
        lab.produce([b"broken", *(event(1, number, step) for step in range(3) for number in range(1, 8))])
        lab.wait_for(lambda: lab.behind() == 0 and bool(lab.read("deadletter")), "the events")
        yield lab
    finally:
        lab.stop()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], lab: Lab) -> Run:
    call = runner(monkeypatch, capsys)
    for name, value in lab.env().items():
        if name.startswith("HYPERPOD_STATE_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("HYPERPOD_STATE_SERVER", f"http://127.0.0.1:{lab.port}")
    monkeypatch.setenv("HYPERPOD_STATE_CONFIG", str(lab.folder / "alerts.toml"))
    return call


def test_no_command_is_forgotten() -> None:
    assert {name for name, _ in offered()} == set(CASES)
    assert all("json" in forms for _, forms in offered())


@pytest.mark.parametrize(("name", "form"), FORMS, ids=[" ".join(each) for each in FORMS])
def test_it_prints_data_in_every_form(run: Run, lab: Lab, name: str, form: str) -> None:
    if name == "alerts list":
        assert run("topics", "--create").code == 0
    letter = ""
    if "{letter}" in CASES[name]:
        letter = json.loads(run("deadletter", "list", "-o", "json").out)["items"][0]["key"]
    words = [word.format(instance=INSTANCE, letter=letter, form=form, folder=lab.folder / form) for word in CASES[name]]
    done = run(*words, "-o", form)
    assert done.code in (0, 1), done.err
    assert "Traceback" not in done.err
    body = READERS[form](done.out)
    assert isinstance(body, list if form == "jsonl" else dict)
    if name != "rebuild":  # tables of that name are there by now
        found = READERS[form](run(*words, "-o", form, "--query", "{type: type(@)}").out)
        assert found == ([{"type": "object"}] if form == "jsonl" else {"type": "object"})


def test_the_worker_knows_what_is_asked_for(run: Run) -> None:
    body = json.loads(run("get", "instances", INSTANCE, "-o", "json").out)
    assert body["items"][0]["cluster_arn"] == arn(1)
    picked = run("get", "instances", "-o", "jsonl", "--query", "items[].instance_id")
    assert len(picked.out.splitlines()) == 7
