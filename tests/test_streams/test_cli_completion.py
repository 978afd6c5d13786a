"""What a shell is offered when somebody presses Tab."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from streams.cli import names
from streams.cli.shells import LINE
from tests.test_streams.serving import Held, anomaly, cluster, group, picture, served
from tests.test_streams.told import Ended

Run = Callable[..., Ended]
Press = Callable[[str], list[str]]
HOSTILE = ("$(touch /tmp/x)", "a b", "`id`", "x;reboot", '"', "-rf", "é", "a\nb")


@pytest.fixture
def press(run: Run, monkeypatch: pytest.MonkeyPatch, worker: str) -> Press:
    """What a shell is offered for the last word of a line, a worker being there."""
    monkeypatch.setenv("HYPERPOD_STATE_SERVER", worker)
    return pressed(run, monkeypatch)


def pressed(run: Run, monkeypatch: pytest.MonkeyPatch) -> Press:
    monkeypatch.setattr(names, "SECONDS", 30.0)  # no test is about speed

    def call(line: str) -> list[str]:
        monkeypatch.setenv(LINE, line)
        done = run()
        assert (done.code, done.err) == (0, "")
        told = [each.split("\t") for each in done.out.splitlines()]
        assert {(each[0], len(each)) for each in told} <= {("plain", 3)}
        return [each[1] for each in told]

    return call


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("hyperpod-state get ", ["clusters", "groups", "instances", "anomalies", "rollouts"]),
        ("hyperpod-state get clusters ", ["ml-prod", "ml-dev"]),
        ("hyperpod-state get no", ["node", "nodes", "no"]),
        ("hyperpod-state get anomaly", ["anomaly"]),
        ("hyperpod-state get node i-b", ["i-bad"]),
        ("hyperpod-state get cl", ["clusters"]),
        ("hyperpod-state get clusters --cluster ml-p", ["ml-prod"]),
        ("hyperpod-state get groups c", ["cpu"]),
        ("hyperpod-state get instances i-b", ["i-bad"]),
        ("hyperpod-state get instances --cluster ml-dev ", ["i-far"]),
        ("hyperpod-state describe instance sl", ["slot-9"]),
        ("hyperpod-state describe cluster ", ["ml-prod", "ml-dev"]),
        ("hyperpod-state describe anomaly ", ["a3", "a1"]),
        ("hyperpod-state describe ", ["instance", "group", "cluster", "anomaly"]),
        ("hyperpod-state describe no", ["node", "nodes", "no"]),
        ("hyperpod-state describe node sl", ["slot-9"]),
        ("hyperpod-state describe an a", ["a3", "a1"]),
        ("hyperpod-state history --kind group ", ["cpu", "p5-train"]),
        ("hyperpod-state history --kind gr", ["group"]),
        ("hyperpod-state history ig ", ["cpu", "p5-train"]),
        ("hyperpod-state history cluster ml-p", ["ml-prod"]),
        ("hyperpod-state history c", ["cpu"]),
        ("hyperpod-state get anomalies ", ["a3", "a1"]),
        ("hyperpod-state get anomalies --kind patch", ["patch_failed", "patch_skipped"]),
        ("hyperpod-state get anomalies --severity ", ["info", "warning", "error", "critical"]),
        ("hyperpod-state get anomalies --fail-on co", ["correlated_failure"]),
        ("hyperpod-state get anomalies --status re", ["resolved", "retracted"]),
        ("hyperpod-state get groups --phase roll", ["rollingBack"]),
        ("hyperpod-state get rollouts --outcome Roll", ["RollingBack", "RolledBack", "RollbackFailed"]),
        ("hyperpod-state explain unhealthy_", ["unhealthy_node"]),
        ("hyperpod-state explain pha", ["phases"]),
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
        monkeypatch.setenv(LINE, "hyperpod-state get anomalies ")
        done = run()
    assert done.out.count("\n") == 1
    assert not set("$`\\'\"[]") & set(done.out)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("hyperpod-state replay ", "file"),
        ("hyperpod-state replay a.json", "file"),
        ("hyperpod-state replay a.json --config ", "file"),
        ("hyperpod-state report ", "file"),
        ("hyperpod-state worker --data ", "dir"),
        ("hyperpod-state worker --config=/etc/h", "file"),
        ("hyperpod-state reconcile --out x", "file"),
        ("hyperpod-state backfill --from-files ", "file"),
        ("hyperpod-state backfill --state ", "dir"),
    ],
)
def test_a_file_is_left_to_the_shell(run: Run, monkeypatch: pytest.MonkeyPatch, line: str, told: str) -> None:
    monkeypatch.setenv(LINE, line)
    assert run() == Ended(0, f"{told}\t\n", "")


def test_a_line_that_is_not_whole_yet_is_no_failure(press: Press) -> None:
    assert press("hyperpod-state get anomalies --query 'items[") == []
    assert press("hyperpod-state nope ") == []
    assert press("hyperpod-state get nope ") == []
    assert press("hyperpod-state ge") == ["get"]
    assert press("hyperpod-state get instances --cluster=ml-d") == ["ml-dev"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_for_every_shell(run: Run, shell: str) -> None:
    done = run("completion", shell)
    assert (done.code, done.err) == (0, "")
    assert LINE in done.out


def test_another_shell_is_misuse(run: Run) -> None:
    assert run("completion", "tcsh").code == 2
