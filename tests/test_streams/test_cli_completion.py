"""What a shell is offered when somebody presses Tab."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator

import pytest

from streams.cli import names
from tests.test_streams.serving import Held, anomaly, cluster, group, picture, served
from tests.test_streams.told import Ended, runner

Run = Callable[..., Ended]
Press = Callable[[str], list[str]]
HOSTILE = ("$(touch /tmp/x)", "a b", "`id`", "x;reboot", '"', "-rf", "é", "a\nb")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(monkeypatch, capsys)


@pytest.fixture(scope="module")
def worker() -> Iterator[str]:
    with served(Held()) as address:
        yield address


@pytest.fixture
def press(run: Run, monkeypatch: pytest.MonkeyPatch, worker: str) -> Press:
    """What bash is offered for the last word of a line, a worker being there."""
    monkeypatch.setenv("HYPERPOD_STATE_SERVER", worker)
    return pressed(run, monkeypatch)


def pressed(run: Run, monkeypatch: pytest.MonkeyPatch) -> Press:
    monkeypatch.setattr(names, "SECONDS", 30.0)  # no test is about speed

    def call(line: str) -> list[str]:
        words = line.split(" ")
        monkeypatch.setenv("_HYPERPOD_STATE_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
        done = run()
        assert (done.code, done.err) == (0, "")
        return done.out.split()

    return call


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("hyperpod-state get ", ["clusters", "groups", "instances", "anomalies", "rollouts"]),
        ("hyperpod-state get clusters ", ["ml-prod", "ml-dev"]),
        ("hyperpod-state get clusters --cluster ml-p", ["ml-prod"]),
        ("hyperpod-state get groups c", ["cpu"]),
        ("hyperpod-state get instances i-b", ["i-bad"]),
        ("hyperpod-state get instances --cluster ml-dev ", ["i-far"]),
        ("hyperpod-state describe instance sl", ["slot-9"]),
        ("hyperpod-state describe cluster ", ["ml-prod", "ml-dev"]),
        ("hyperpod-state describe anomaly ", ["a3", "a1"]),
        ("hyperpod-state history --kind group ", ["cpu", "p5-train"]),
        ("hyperpod-state get anomalies ", ["a3", "a1"]),
        ("hyperpod-state get anomalies --kind patch", ["patch_failed", "patch_skipped"]),
        ("hyperpod-state get anomalies --severity ", ["info", "warning", "error", "critical"]),
        ("hyperpod-state get anomalies --fail-on co", ["correlated_failure"]),
        ("hyperpod-state get anomalies --status re", ["resolved", "retracted"]),
        ("hyperpod-state get groups --phase roll", ["rollingBack"]),
        ("hyperpod-state get rollouts --outcome Roll", ["RollingBack", "RolledBack", "RollbackFailed"]),
        ("hyperpod-state explain unhealthy_", ["unhealthy_node"]),
        ("hyperpod-state graph group/r", ["group/rollback"]),
        ("hyperpod-state silence add --cause qu", ["quota"]),
        ("hyperpod-state deadletter list --reason too_d", ["too_deep"]),
        ("hyperpod-state get anomalies -o j", ["json", "jsonl"]),
        ("hyperpod-state completion f", ["fish"]),
    ],
)
def test_words_and_names_are_offered(press: Press, line: str, offered: list[str]) -> None:
    assert sorted(press(line)) == sorted(offered)


def test_nothing_is_said_where_no_worker_answers(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    press = pressed(run, monkeypatch)
    for server in ("http://127.0.0.1:1", "nonsense", "https://127.0.0.1:1"):
        monkeypatch.setenv("HYPERPOD_STATE_SERVER", server)
        assert press("hyperpod-state get instances ") == []
        assert press("hyperpod-state get anomalies ") == []


def test_names_that_a_shell_might_act_on_are_not_offered(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = picture()
    held = Held(shown=shown.model_copy(update={"instance_groups": tuple(group(name) for name in (*HOSTILE, "fine"))}))
    held.shown = held.shown.model_copy(
        update={
            "clusters": (cluster(name="$(reboot)"),),
            "anomalies": (anomaly("a1").model_copy(update={"title": "it's \"\\$(reboot) `id`: [red]\n" + "x" * 99}),),
        }
    )
    with served(held) as address:
        monkeypatch.setenv("HYPERPOD_STATE_SERVER", address)
        press = pressed(run, monkeypatch)
        assert press("hyperpod-state get clusters ") == []
        assert sorted(press("hyperpod-state get groups ")) == ["fine", "p5-train"]  # the second by its instances
        monkeypatch.setenv("_HYPERPOD_STATE_COMPLETE", "complete_zsh")
        monkeypatch.setenv("_TYPER_COMPLETE_ARGS", "hyperpod-state get anomalies ")
        done = run()
    assert done.out.count("\n") == 1
    assert not set("$`\\'") & set(done.out.replace("_arguments '*: :((", "").replace("))'", ""))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_for_every_shell(run: Run, shell: str) -> None:
    done = run("completion", shell)
    assert (done.code, done.err) == (0, "")
    assert f"complete_{shell}" in done.out
    if shutil.which(shell):
        checked = subprocess.run([shell, "-n"], input=done.out, capture_output=True, text=True, check=False, timeout=60)
        assert checked.returncode == 0, checked.stderr


def test_another_shell_is_misuse(run: Run) -> None:
    assert run("completion", "tcsh").code == 2
