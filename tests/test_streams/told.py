"""A worker that holds the shipped incident as of a moment, and a way to run commands against it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import streams.demo
from models import public
from models.explain.times import milliseconds
from streams.cli import main
from streams.replay import fed
from streams.web.provider import Freshness
from tests.test_streams.serving import Held, served

SAMPLE = Path(streams.demo.__file__).parent / "data" / "incident.jsonl"
REPLACING = "2026-10-05T09:55:00.000Z"
"""i-0a300000000000001 was unhealthy at 09:42 and is gone; …002 runs its script in place of it."""
OVER = "2026-10-05T11:06:40.000Z"
OLD, NEW = "i-0a300000000000001", "i-0a300000000000002"


@dataclass
class Told(Held):
    """The incident up to `as_of`."""

    as_of: str = OVER

    def freshness(self) -> Freshness:
        return Freshness(as_of=self.as_of, lag=0)


def picture_at(as_of: str) -> public.Picture:
    return fed([str(SAMPLE)], at_ms=milliseconds(as_of)).picture()


@contextmanager
def incident(as_of: str) -> Iterator[str]:
    """The address of a worker that has read the incident up to then."""
    with served(Told(shown=picture_at(as_of), as_of=as_of)) as address:
        yield address


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


def runner(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], keep: tuple[str, ...] = ()
) -> Callable[..., Ended]:
    """Runs a command line in this process; `keep` are variables that the test sets itself."""

    def call(*args: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["hyperpod-state", *args])
        code = main()
        out, err = capsys.readouterr()
        return Ended(code, out, err)

    for name in ("COLUMNS", "NO_COLOR", "HYPERPOD_STATE_SERVER"):
        if name not in keep:
            monkeypatch.delenv(name, raising=False)
    return call
