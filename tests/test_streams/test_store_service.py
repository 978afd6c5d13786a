"""The store's process as the worker keeps it: whatever it does, questions are answered or put off; it comes back."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from streams.settings import Settings
from streams.store import process as child
from streams.store import service
from streams.store.service import StoreService
from streams.web.sql import NotYet, Refused

OBEDIENT = """
import json, sys
sys.stdin.readline()
for line in sys.stdin:
    asked = json.loads(line)
    print(json.dumps({"number": asked["number"], "refused": "heard " + asked["query"]}), flush=True)
"""
GARBLED = "import sys\nsys.stdin.readline()\nsys.stdin.readline()\nprint('{]', flush=True)\nsys.stdin.read()"
ENDING = """
import os, sys, time
sys.stdin.readline()
sys.stdin.readline()
os.close(1)
sys.stdin.read()
time.sleep(0.2)
os._exit(3)
"""
DEAF = "import sys, time\nsys.stdin.readline()\ntime.sleep(600)"
TELLING = """
import json, os, sys
told = json.loads(sys.stdin.readline())
sys.stdin.readline()
print(json.dumps({"number": 0, "refused": json.dumps([told["settings"], dict(os.environ)])}), flush=True)
"""


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Run another program in place of the store."""

    def of(program: str) -> None:
        path = tmp_path / "program.py"
        path.write_text(program)
        monkeypatch.setattr(service, "COMMAND", (sys.executable, str(path)))

    monkeypatch.setattr(service, "AGAIN_SECONDS", (0.05,))
    return of


def with_store(act: Callable[[StoreService], Awaitable[None]], **settings: Any) -> None:
    async def run() -> None:
        store = StoreService(Settings(**settings))
        await store.on_start()
        try:
            await act(store)
        finally:
            await store.on_stop()

    asyncio.run(run())


async def answer(store: StoreService, query: str = "x") -> str:
    """What it says once it is there: these programs refuse whatever is asked, in words that tell something."""
    for _ in range(400):
        try:
            await store.sql(query)
        except NotYet:
            await asyncio.sleep(0.05)
        except Refused as error:
            return str(error)
    raise AssertionError("no answer")


def test_a_process_that_cannot_be_started_is_tried_again(
    use: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(service, "COMMAND", (str(tmp_path / "nothing-there"),))

    async def act(store: StoreService) -> None:
        with pytest.raises(NotYet, match="being started"):
            await store.sql("x")
        await asyncio.sleep(0.2)
        use(OBEDIENT)
        assert await answer(store) == "heard x"

    monkeypatch.setattr(service, "AGAIN_SECONDS", (0.05,))
    with_store(act)


def test_an_answer_that_cannot_be_read_ends_the_process_and_the_next_one_answers(use: Callable[[str], None]) -> None:
    async def act(store: StoreService) -> None:
        while store._process is None:
            await asyncio.sleep(0.02)
        first = store._process
        with pytest.raises(NotYet, match="started again"):
            await store.sql("x")
        use(OBEDIENT)
        assert await first.wait() == -9
        assert await answer(store, "y") == "heard y"

    use(GARBLED)
    with_store(act)


def test_a_process_that_ends_while_it_is_asked_keeps_its_code(
    use: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act(store: StoreService) -> None:
        while store._process is None:
            await asyncio.sleep(0.02)
        process = store._process
        with pytest.raises(NotYet, match="started again"):
            await store.sql("x")
        assert process.returncode == 3

    monkeypatch.setattr(service, "STOP_SECONDS", 60.0)  # what a busy machine takes
    use(ENDING)
    with_store(act)


def test_a_stop_does_not_wait_for_a_question_that_is_open(
    use: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "STOP_SECONDS", 600.0)
    use(DEAF)

    async def run() -> None:
        store = StoreService(Settings())
        await store.on_start()
        while store._process is None:
            await asyncio.sleep(0.02)
        process = store._process
        asking = asyncio.create_task(store.sql("x"))
        await asyncio.sleep(0.1)
        await store.on_stop()
        assert process.returncode == -9
        with pytest.raises(NotYet):
            await asking

    asyncio.run(run())


def test_the_process_has_the_settings_of_the_worker_and_none_besides(
    use: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    use(TELLING)
    found: list[Any] = []

    async def act(store: StoreService) -> None:
        monkeypatch.setenv("HYPERPOD_STATE_HTTP_RATE", "this would be refused")
        monkeypatch.setenv("ELSEWHERE", "kept")
        found.extend(json.loads(await answer(store)))

    with_store(act, app_id="mine")
    told, environment = found
    assert told["app_id"] == "mine"
    assert environment["ELSEWHERE"] == "kept"
    assert not [name for name in environment if name.startswith("HYPERPOD_STATE_")]


def test_an_answer_that_the_worker_has_no_room_for_is_refused_by_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    class Filler:
        def sql(self, query: str) -> Any:
            raise Refused(query)

    monkeypatch.setattr(service, "LONGEST_LINE", 100)
    short, long = ({"number": 3, "query": "q" * count} for count in (10, 100))
    assert json.loads(child._line(Filler(), short)) == {"number": 3, "refused": "q" * 10}  # type: ignore[arg-type]
    assert json.loads(child._line(Filler(), long)) == {"number": 3, "refused": service.TOO_LARGE}  # type: ignore[arg-type]
