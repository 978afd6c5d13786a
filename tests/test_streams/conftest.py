"""What tests of commands share: a command line in this process, and a worker's answers to ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.test_streams.serving import Held, served
from tests.test_streams.told import Ended, runner


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Runs a command line in this process."""
    return runner(monkeypatch, capsys)


@pytest.fixture(scope="module")
def worker() -> Iterator[str]:
    """The address of one that holds what is usual."""
    with served(Held()) as address:
        yield address
