"""`--watch`: a row for each change, none for what did not change, through restarts."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from email.message import Message
from itertools import islice
from urllib.error import HTTPError

import pytest

from models import public
from models.rows import HISTORY
from streams import follow
from streams.cli import watch as watching
from streams.client import Client
from streams.follow import Signal, signals
from streams.web.api import create_api
from streams.web.provider import Readiness
from tests.test_streams.serving import NOW_MS, OTHER, Held, anomaly, instance, listening, minutes_ago, picture, served
from tests.test_streams.told import Ended

Run = Callable[..., Ended]
Step = Callable[[], object]


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
def worker(held: Held) -> Iterator[str]:
    with served(held) as address:
        yield address


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """What happens while somebody watches; of each step the worker says that something changed.  Then Ctrl-C."""

    def script(*steps: Step) -> None:
        def told(_: Client) -> Iterator[Signal]:
            for step in steps:
                step()
                yield Signal.CHANGED
            raise KeyboardInterrupt

        monkeypatch.setattr(watching, "signals", told)
        monkeypatch.setattr(watching, "LEAST_REST", 0.0)
        monkeypatch.setattr(watching, "REST", 0)

    return script


def shows(held: Held, **lists: object) -> Step:
    """From then on these lists are others."""

    def step() -> None:
        held.shown = held.shown.model_copy(update=lists)

    return step


def with_instances(*changed: public.InstanceItem, without: tuple[str, ...] = ()) -> tuple[public.InstanceItem, ...]:
    ids = {each.instance_id for each in changed} | set(without)
    kept = [each for each in picture().instances if each.instance_id not in ids]
    return tuple(public.sort_instances([*kept, *changed]))


def rows(done: Ended) -> list[list[str]]:
    """The rows after the first list, split."""
    return [line.split() for line in done.out.splitlines()[1:] if " listed " not in line]


def test_a_row_for_each_change_and_none_for_the_rest(run: Run, held: Held, worker: str, meanwhile) -> None:
    failed = instance("i-001", "Failed")
    meanwhile(
        lambda: None,
        shows(held, instances=with_instances(failed)),
        lambda: None,
        shows(held, instances=with_instances(instance("i-new"), failed, without=("i-000",))),
    )
    done = run("get", "instances", "--watch", "--server", worker)
    assert done.code == 130
    assert done.err == ""
    assert done.out.splitlines()[0].split() == [
        "TIME",
        "CHANGE",
        "INSTANCE",
        "CLUSTER",
        "GROUP",
        "PHASE",
        "SINCE",
        "WHY",
    ]
    assert done.out.count(" listed ") == 8
    assert [row[1:-2] for row in rows(done)] == [
        ["was", "InService", "i-001", "ml-prod", "p5-train", "✖", "Failed"],
        ["new", "i-new", "ml-prod", "p5-train", "✔", "InService"],
        ["gone", "i-000", "ml-prod", "p5-train", "✔", "InService"],
    ]


def test_time_that_goes_by_is_no_change(run: Run, held: Held, worker: str, meanwhile) -> None:
    def later() -> None:
        held.as_of = public.iso(NOW_MS + 3_600_000)

    meanwhile(later, later)
    for kind in ("clusters", "groups", "instances", "anomalies"):
        assert rows(run("get", kind, "--watch", "--server", worker)) == []


def test_an_anomaly_that_is_resolved_is_shown_so(run: Run, held: Held, worker: str, meanwhile) -> None:
    over = anomaly("a1", "critical", "resolved", "i-bad")
    meanwhile(shows(held, anomalies=(over, anomaly("a3", "error"))))
    done = run("get", "anomalies", "--watch", "--server", worker)
    assert [row[1:7] for row in rows(done)] == [
        ["was", "warning", "✖", "error", "open", "ml-prod"],
        ["was", "open", "✖", "critical", "resolved", "ml-prod"],
    ]


def test_a_silence_that_begins_is_a_change(run: Run, held: Held, worker: str, meanwhile) -> None:
    kept = [each for each in picture().anomalies if each.anomaly_id != "a3"]
    silenced = anomaly("a3", "warning").model_copy(update={"silenced_by": "s-1"})
    meanwhile(shows(held, anomalies=(*kept, silenced)))
    done = run("get", "anomalies", "--watch", "--cluster", "ml-prod", "--server", worker)
    assert [row[1:7] for row in rows(done)] == [["was", "open", "▲", "warning", "silenced", "p5-train"]]


def test_what_the_filters_no_longer_want_is_left_and_not_gone(run: Run, held: Held, worker: str, meanwhile) -> None:
    well = instance("i-bad")
    meanwhile(
        shows(held, instances=with_instances(well)),
        shows(held, instances=with_instances(instance("i-bad", "Failed"))),
        shows(held, instances=with_instances(without=("i-bad",))),
    )
    done = run("get", "instances", "--phase", "Failed", "-w", "-o", "jsonl", "--server", worker)
    told = [json.loads(line) for line in done.out.splitlines()]
    assert [(each["change"], each["instance_id"], each["phase"]) for each in told] == [
        ("listed", "i-bad", "Failed"),
        ("left", "i-bad", "InService"),
        ("new", "i-bad", "Failed"),
        ("gone", "i-bad", "Failed"),
    ]


def test_a_slot_that_gets_its_instance_is_one_and_the_same(run: Run, held: Held, worker: str, meanwhile) -> None:
    kept = [each for each in picture().instances if each.node_logical_id != "slot-9"]
    meanwhile(shows(held, instances=tuple(public.sort_instances([*kept, instance("i-9", slot="slot-9")]))))
    done = run("get", "instances", "--watch", "-o", "jsonl", "--server", worker)
    (told,) = [json.loads(line) for line in done.out.splitlines() if '"listed"' not in line]
    assert (told["change"], told["instance_id"], told["phase"]) == ("changed", "i-9", "InService")


def test_a_slot_that_gets_an_instance_outside_the_filter_has_left_and_is_not_gone(
    run: Run, held: Held, worker: str, meanwhile
) -> None:
    kept = [each for each in picture().instances if each.node_logical_id != "slot-9"]
    now = (instance("i-0", "Terminated", "slot-9"), instance("i-9", slot="slot-9"))
    meanwhile(shows(held, instances=tuple(public.sort_instances([*kept, *now]))))
    done = run("get", "instances", "--phase", "Provisioning", "--watch", "-o", "jsonl", "--server", worker)
    (told,) = [json.loads(line) for line in done.out.splitlines() if '"listed"' not in line]
    assert (told["change"], told["instance_id"], told["phase"]) == ("left", "i-9", "InService")


def test_a_slot_that_was_given_up_is_gone_although_its_last_instance_is_known(
    run: Run, held: Held, worker: str, meanwhile
) -> None:
    kept = [each for each in picture().instances if each.node_logical_id != "slot-9"]
    meanwhile(shows(held, instances=tuple(public.sort_instances([*kept, instance("i-0", "Terminated", "slot-9")]))))
    done = run("get", "instances", "--phase", "Provisioning", "--watch", "-o", "jsonl", "--server", worker)
    (told,) = [json.loads(line) for line in done.out.splitlines() if '"listed"' not in line]
    assert (told["change"], told["instance_id"], told["node_logical_id"]) == ("gone", None, "slot-9")


def test_lines_are_the_items_with_what_became_of_them(run: Run, held: Held, worker: str, meanwhile) -> None:
    meanwhile(shows(held, instances=with_instances(instance("i-001", "Failed"))))
    words = ("get", "instances", "--watch", "--server", worker, "-o", "jsonl")
    last = json.loads(run(*words).out.splitlines()[-1])
    plain = [json.loads(line) for line in run("get", "instances", "--server", worker, "-o", "jsonl").out.splitlines()]
    assert {**last, "change": None, "as_of": None} in [{**each, "change": None, "as_of": None} for each in plain]
    meanwhile(shows(held, instances=with_instances(instance("i-001", "InService"))))
    picked = run(*words, "--query", "change == 'changed' && [instance_id, phase] || null")
    assert picked.out == '["i-001","InService"]\n'


def test_a_worker_that_is_away_is_told_of_once_and_nothing_is_repeated(
    run: Run, held: Held, worker: str, meanwhile
) -> None:
    def away() -> None:
        held.state = Readiness(ready=False, message="tables are restored to 43 %")

    def back() -> None:
        held.state = Readiness(ready=True, message="serving")

    meanwhile(away, away, back, shows(held, instances=with_instances(instance("i-001", "Failed"))))
    done = run("get", "instances", "--watch", "--server", worker)
    assert [row[1:4] for row in rows(done)] == [["was", "InService", "i-001"]]
    first, second = done.err.splitlines()
    assert "43 %" in first
    assert first.endswith("; asking again until it answers")
    assert second == "note: it answers again; what changed meanwhile follows"


def test_a_worker_that_comes_back_behind_tells_nothing_twice(run: Run, held: Held, worker: str, meanwhile) -> None:
    def behind() -> None:
        held.as_of = minutes_ago(1)
        held.shown = picture()

    def caught_up() -> None:
        held.as_of = public.iso(NOW_MS)
        failed()

    failed = shows(held, instances=with_instances(instance("i-001", "Failed")))
    meanwhile(failed, behind, caught_up)
    assert len(rows(run("get", "instances", "--watch", "--server", worker))) == 1


def test_what_a_part_of_the_fleet_had_is_not_gone_with_it() -> None:
    items = [each.model_dump(mode="json") for each in picture().instances]
    subject = watching.Subject(
        ask=lambda: None, columns=lambda _: [], key=lambda item: (item["instance_id"], item["node_logical_id"])
    )
    known = {subject.key(each): each for each in items}
    there = [each for each in items if each["cluster_arn"] != OTHER]
    whole = watching.Listing(there, None, 0)
    words = [each.word for each in watching._compare(subject, known, whole)]
    assert words.count("gone") == 1
    part = watching.Listing(there, None, 0, missing=(1,))
    assert {each.word for each in watching._compare(subject, known, part)} == {"changed"}


def test_it_ends_with_1_as_soon_as_an_anomaly_is_bad_enough(run: Run, held: Held, worker: str, meanwhile) -> None:
    held.shown = held.shown.model_copy(update={"anomalies": (anomaly("a3", "warning"),)})
    meanwhile(lambda: None, shows(held, anomalies=(anomaly("a3", "warning"), anomaly("a4", "critical"))))
    words = ("get", "anomalies", "--watch", "--server", worker, "-o", "jsonl")
    done = run(*words, "--fail-on", "critical")
    assert done.code == 1
    assert [json.loads(line)["anomaly_id"] for line in done.out.splitlines()] == ["a3", "a4"]


def test_a_reader_that_goes_away_ends_it(run: Run, worker: str, meanwhile, monkeypatch: pytest.MonkeyPatch) -> None:
    meanwhile(*[lambda: None] * 5)
    monkeypatch.setattr(watching.output, "is_read", lambda: False)
    assert run("get", "instances", "--watch", "--server", worker).code == 0


def test_a_history_goes_on_with_new_steps(run: Run, held: Held, worker: str, meanwhile) -> None:
    step = public.HistoryItem(time=minutes_ago(1), event_id="e-9", code="X", machine="provision", from_="A", to="B")
    older = instance("i-001")
    longer = older.model_copy(update={"history": (*older.history, step)})
    meanwhile(shows(held, instances=with_instances(longer)), shows(held, instances=with_instances(older)))
    done = run("history", "i-001", "--watch", "--server", worker)
    assert [line.split()[0] for line in done.out.splitlines()] == ["TIME", *[minutes_ago(5), *[minutes_ago(1)] * 2]]
    assert "withdrawn" in done.out.splitlines()[-1]


def changes(numbers: range, *machines: str) -> tuple[public.HistoryItem, ...]:
    """Of each event one step of each machine, all at its time."""
    return tuple(
        public.HistoryItem(time=public.iso(NOW_MS + number), event_id=f"e-{number}", code="X", machine=machine, to="B")
        for number in numbers
        for machine in machines
    )


def test_a_step_that_newer_ones_push_out_of_a_full_history_is_not_withdrawn(
    run: Run, held: Held, worker: str, meanwhile
) -> None:
    full = (*changes(range(1), "provision", "lifecycle_script"), *changes(range(1, HISTORY - 1), "replace"))
    one_more = (*full[1:], *changes(range(HISTORY, HISTORY + 1), "replace"))
    undone = (*one_more[1:100], *one_more[101:], *changes(range(HISTORY + 1, HISTORY + 3), "replace"))
    others = changes(range(2 * HISTORY, 3 * HISTORY), "reboot")
    with_history = [instance("i-001").model_copy(update={"history": each}) for each in (full, one_more, undone, others)]
    held.shown = held.shown.model_copy(update={"instances": with_instances(with_history[0])})
    meanwhile(*[shows(held, instances=with_instances(each)) for each in with_history[1:]])
    done = run("history", "i-001", "--watch", "--server", worker)
    told = [line.split() for line in done.out.splitlines() if "withdrawn" in line]
    assert [one_more[100].event_id in words for words in told] == [True]
    assert len(done.out.splitlines()) == 1 + HISTORY + 1 + 3 + HISTORY


def test_a_history_that_the_worker_has_forgotten_ends(run: Run, held: Held, worker: str, meanwhile) -> None:
    meanwhile(shows(held, instances=with_instances(without=("i-001",))))
    done = run("history", "i-001", "--watch", "--server", worker)
    assert (done.code, len(done.out.splitlines())) == (1, 2)
    assert done.err.startswith("error: 'i-001' is no longer known")


def test_a_worker_that_has_too_much_to_do_is_asked_again(
    run: Run, held: Held, worker: str, meanwhile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy() -> None:
        monkeypatch.setattr(Client, "list", refused)

    def free() -> None:
        monkeypatch.setattr(Client, "list", asked)

    def refused(client: Client, *_: object) -> None:
        raise client._refusal(HTTPError("", 429, "", Message(), io.BytesIO(problem)))

    asked, problem = Client.list, b'{"error": {"code": "busy", "message": "too many", "hint": "wait"}}'
    meanwhile(busy, free)
    done = run("get", "clusters", "--watch", "-o", "jsonl", "--server", worker)
    assert done.code == 130
    assert len(done.err.splitlines()) == 2


@pytest.mark.parametrize("words", [("-o", "json"), ("-o", "yaml"), ("--at", "-1h")])
def test_what_cannot_be_watched_is_misuse(run: Run, worker: str, words: tuple[str, ...]) -> None:
    done = run("get", "instances", "--watch", "--server", worker, *words)
    assert (done.code, done.out) == (2, "")
    assert "--watch" in done.err


def test_no_worker_at_the_beginning_is_no_watch(run: Run) -> None:
    assert run("get", "instances", "--watch", "--server", "http://127.0.0.1:1").code == 3


def test_signals_come_from_the_stream_and_go_on_after_a_restart() -> None:
    held, waits = Held(), []
    with served(held) as address:
        port = int(address.rsplit(":", 1)[1])
        news = signals(Client(address), waits.append)
        assert Signal.CHANGED in list(islice(news, 2))
        held.shown = held.shown.model_copy(update={"anomalies": ()})
        assert next(each for each in news if each is not Signal.SAME) is Signal.CHANGED
    assert next(each for each in news if each is not Signal.SAME) is Signal.BLIND
    assert next(news) is Signal.BLIND
    assert waits[-1] > follow.FIRST_WAIT
    held.shown = picture()
    with listening(create_api(held), port):
        assert next(each for each in news if each is Signal.CHANGED)
