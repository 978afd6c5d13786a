"""Commands and a fleet of which a part has no owner: refused, or told with a note."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

import pytest
import yaml

from streams.cli.errors import UNAVAILABLE
from streams.doctor.worker import worker_checks
from streams.web import routing
from streams.web.peers import Members, Reply, Unreachable
from tests.test_streams.serving import Held, minutes_ago, picture, served
from tests.test_streams.told import Ended

Run = Callable[..., Ended]
NOTE = f"note: partial: partition 1 as of {minutes_ago(9)}, 2 is missing\n"


class Absent:
    """Another worker that owns two partitions, and is gone."""

    def members(self) -> Members:
        return Members(3, {"http://gone:1": frozenset({1, 2})})

    async def ask(self, address: str, target: str, headers: Mapping[str, str], seconds: float) -> Reply:
        raise Unreachable(f"no answer from {address}")


class Older(Held):
    """Knows the second partition from before."""

    def holdings(self):
        found = super().holdings()
        older = found.partitions[1].model_copy(update={"as_of": minutes_ago(9)})
        return found.model_copy(update={"partitions": (found.partitions[0], older)})


@pytest.fixture(scope="module")
def worker() -> Iterator[str]:
    held = Older(held={0: True, 1: False})
    held.of = {0: picture(), 1: picture().model_copy(update=dict.fromkeys(dict(picture()), ()))}
    with pytest.MonkeyPatch.context() as patch, served(held, peers=Absent()) as address:
        patch.setattr(routing, "PAUSE", 0.0)
        yield address


COMMANDS = (
    ("get", "clusters"),
    ("get", "groups"),
    ("get", "instances"),
    ("get", "anomalies"),
    ("get", "rollouts"),
    ("describe", "instance", "i-bad"),
    ("describe", "cluster", "ml-prod"),
    ("history", "i-bad"),
    ("report",),
)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_without_the_flag_nothing_is_shown_and_the_way_out_is(run: Run, worker: str, words: tuple[str, ...]) -> None:
    done = run(*words, "--server", worker)
    assert (done.code, done.out) == (UNAVAILABLE, "")
    assert "partition 1, 2 is not answered for" in done.err
    assert "--stale-ok" in done.err


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_with_it_the_rest_is_shown_and_standard_error_says_once_what_lacks(
    run: Run, worker: str, words: tuple[str, ...]
) -> None:
    done = run(*words, "--server", worker, "--stale-ok")
    assert done.code == 0
    if words == ("get", "rollouts"):
        assert (done.out, done.err) == ("", f"{NOTE}No rollouts in the partitions that answer.\n")
    else:
        assert done.out
        assert done.err == NOTE


@pytest.mark.parametrize("words", [("history", "i-elsewhere"), ("describe", "instance", "i-elsewhere")], ids=" ".join)
def test_what_the_rest_of_the_fleet_may_have_is_not_called_unknown(
    run: Run, worker: str, words: tuple[str, ...]
) -> None:
    done = run(*words, "--server", worker, "--stale-ok")
    assert (done.code, done.out) == (UNAVAILABLE, "")
    assert "is in the part of the fleet that can be told of" in done.err


@pytest.mark.parametrize(("form", "read"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_documents_say_it_too(run: Run, worker: str, form: str, read: Callable[[str], dict[str, object]]) -> None:
    body = read(run("get", "clusters", "-o", form, "--server", worker, "--stale-ok").out)
    assert (body["partial"], body["missing"]) == (True, [2])
    assert body["stale"] == [{"partition": 1, "as_of": minutes_ago(9)}]


def test_the_doctor_tells_a_ready_worker_from_a_whole_fleet(worker: str) -> None:
    found = {each.check: each for each in worker_checks(worker, None)}
    http, answers = found["http"], found["answers"]
    assert (http.status, answers.status) == ("ok", "fail")
    assert "partition 1, 2 is not answered for" in answers.message
