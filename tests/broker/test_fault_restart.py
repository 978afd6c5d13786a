"""T11, T15, T16: starting with work waiting, with tables of an earlier version, and what HTTP says meanwhile."""

from __future__ import annotations

import json
import shutil
import signal
import threading
import time
import urllib.error
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from streams.transaction import partition_of
from tests.broker import changelogs
from tests.broker.figures import Run
from tests.broker.lab import Lab, event
from tests.broker.load import instances, stream
from tests.broker.test_worker_end_to_end import answers, expected

if TYPE_CHECKING:
    from tests.kafka import Broker

pytestmark = pytest.mark.fault
BACKLOG = 500
OLD = Path(__file__).parents[1] / "data" / "changelogs-0.1.0.json.gz"


@pytest.fixture
def lab(kafka: Broker, tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(kafka.bootstrap, tmp_path, settle_seconds=1)
    yield lab
    lab.stop(signal.SIGKILL)


@pytest.mark.reliability(11, "restarts with a backlog")
def test_a_backlog_is_worked_off_after_each_restart(lab: Lab, figures: Run, full: bool) -> None:
    lab.ready_again()
    restarts = 10 if full else 2
    for number in range(restarts):
        lab.stop(signal.SIGKILL if number % 2 else signal.SIGTERM)
        lab.produce(stream(BACKLOG, number * BACKLOG))
        began = time.monotonic()
        lab.start()
        lab.wait_done()
        figures.seconds("lag 0 after", time.monotonic() - began, at_most=30)
    assert lab.audit()["applied"] == restarts * BACKLOG


@pytest.mark.reliability(15, "tables of version 0.1.0 restored by the present code, and gone on with")
def test_tables_of_an_earlier_version_are_read_and_gone_on_with(lab: Lab, figures: Run) -> None:
    raw = changelogs.load(lab, OLD)
    lab.start(accept_recreated_topics=True)  # the topics of this test are others than those of the file
    lab.wait_ready()
    figures.count("restored", len(instances(lab)), "instances")
    assert state(answers(lab)) == state(expected(raw, lab))
    more = [moved(raw[0], event(9, number, 0)) for number in range(6)]
    more += [moved(raw[0], event(0, number, 2, name=f"later-{number}")) for number in range(9)]
    lab.produce(more)
    lab.wait_done()
    lab.wait_for(lambda: len(instances(lab)) == len(raw) // 3 + 6, "the new instances")
    assert state(answers(lab)) == state(expected([*raw, *more], lab))


def moved(first: bytes, value: bytes) -> bytes:
    """An event an hour after the first of the story: today's would be long after it, and much of it forgotten."""
    envelope, began = json.loads(value), json.loads(first)["detail"]["EventDetails"]["EventTime"]
    envelope["detail"]["EventDetails"]["EventTime"] = began + 3_600_000
    envelope["time"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began / 1000 + 3600))
    return json.dumps(envelope).encode()


def state(pages: dict[str, Any]) -> dict[str, Any]:
    """Without anomalies: a worker that reads old events as history expects nothing of them, and `replay` does."""
    return {name: items for name, items in pages.items() if name != "anomalies"}


class Poll(threading.Thread):
    """Asks for all instances again and again; keeps what was answered with 200, and counts the rest."""

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self.url = f"http://127.0.0.1:{lab.port}/api/v1/instances?limit=500"
        self.pictures: list[list[dict[str, Any]]] = []
        self.others: Counter[str] = Counter()
        self._over = threading.Event()

    def __enter__(self) -> Poll:
        self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        while not self._over.wait(0.02):
            try:
                with urllib.request.urlopen(self.url, timeout=5) as answer:
                    self.pictures.append(json.loads(answer.read())["items"])
            except urllib.error.HTTPError as error:
                with error:
                    self.others[f"{error.code}, come back after {error.headers['Retry-After']} s"] += 1
            except OSError:
                self.others["no answer"] += 1


@pytest.mark.reliability(16, "HTTP asked all the time while the worker restores and the fleet rebalances")
def test_what_is_not_whole_is_never_answered(lab: Lab, figures: Run, tmp_path: Path, full: bool) -> None:
    other = lab.beside("other")
    lab.ready_again()
    lab.produce(stream(1000))
    lab.wait_done()
    whole = by_partition(instances(lab))
    assert all(whole.values())
    with Poll(lab) as poll:
        for wiped in (False, True) * (3 if full else 1):
            lab.stop(signal.SIGKILL)
            if wiped:
                shutil.rmtree(tmp_path / "worker")
            lab.ready_again()
            time.sleep(0.5)
        rebalanced(lab, other)
    for picture in poll.pictures:
        for number, found in by_partition(picture).items():
            assert found in ([], whole[number])
    assert {each for each in poll.others if each[0] == "5"} == {"503, come back after 5 s"}
    figures.count("answers with 200, all whole", len(poll.pictures), "")
    figures.count("answers with 503 and Retry-After", poll.others["503, come back after 5 s"], "")


def rebalanced(lab: Lab, other: Lab) -> None:
    """Another worker joins and ends."""
    try:
        other.ready_again()
        lab.wait_for(lambda: len(lab.owned()) == 1, "a share for each")
        time.sleep(1)
    finally:
        other.stop()
    lab.wait_for(lambda: lab.owned() == [0, 1], "all for one")
    lab.wait_ready()


def by_partition(items: list[dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = defaultdict(list, {0: [], 1: []})
    for item in items:
        found[partition_of(item["cluster_arn"].encode(), 2)].append(item)
    return dict(found)
