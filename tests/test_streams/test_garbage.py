"""Python looks for garbage seldom where rows are kept, and what is free goes back."""

from __future__ import annotations

import gc

import pytest

from models.placement import instance_key
from streams import garbage
from streams.calm import AGAIN_SECONDS, Calm
from streams.ledger import _ms


def test_what_is_there_is_left_alone_and_the_rest_is_looked_through_rarely() -> None:
    before = gc.get_threshold()
    try:
        gc.set_threshold(700, 10, 10)
        garbage.look_rarely()
        kept = gc.get_freeze_count()
        garbage.look_rarely()
        assert gc.get_threshold() == garbage.THRESHOLDS
        assert gc.isenabled()
        assert kept == gc.get_freeze_count() > 0
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def test_while_much_is_made_that_stays_nobody_looks_through_it() -> None:
    with garbage.nobody_looks():
        assert not gc.isenabled()
        with garbage.nobody_looks():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(OSError, match="port"), garbage.nobody_looks():
        raise OSError("port")
    assert gc.isenabled()


def test_free_memory_is_given_back_when_some_is_owed_and_not_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    trims: list[int] = []
    monkeypatch.setattr(garbage, "_of_glibc", lambda name: trims.append if name == "malloc_trim" else None)
    now = [100.0]
    returns = garbage.Returns(lambda: now[0])
    assert not returns.settle()
    returns.owe()
    assert returns.settle()
    returns.owe()
    assert not returns.settle()
    now[0] += garbage.BETWEEN_SECONDS
    assert returns.settle()
    assert not returns.settle()
    assert trims == [0, 0]


def test_another_allocator_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "_of_glibc", lambda name: None)
    garbage.keep_little()
    returns = garbage.Returns()
    returns.owe()
    assert not returns.settle()


def test_what_functions_remember_to_be_quick_is_forgotten_and_made_again() -> None:
    before, moment = instance_key("arn", "i-1"), _ms("2026-09-21T13:46:40.000Z")
    assert instance_key("arn", "i-1") is before
    assert _ms.cache_info().currsize
    garbage.forget()
    assert not _ms.cache_info().currsize
    again = instance_key("arn", "i-1")
    assert again == before
    assert again is not before
    assert _ms("2026-09-21T13:46:40.000Z") == moment


class Lane:
    """As much of one as is looked at."""

    quiet = False


class Counting(garbage.Returns):
    """How often memory was given back."""

    done = 0

    def calm(self) -> None:
        self.done += 1


def test_what_was_kept_to_be_quick_goes_once_all_lanes_are_quiet_and_every_minute_after_that() -> None:
    now, told, returns = [100.0], list[str](), Counting()
    calm = Calm(lambda: told.append("blocks"), returns=returns, clock=lambda: now[0])
    lanes = [Lane(), Lane()]

    def look(seconds: float) -> int:
        now[0] += seconds
        calm.look(lanes)  # type: ignore[arg-type]
        return returns.done

    lanes[0].quiet = True
    assert look(1) == 0
    lanes[1].quiet = True
    assert [look(1), look(1), look(AGAIN_SECONDS)] == [1, 1, 2]
    lanes[1].quiet = False
    assert look(2 * AGAIN_SECONDS) == 2
    lanes[1].quiet = True
    assert look(1) == 3
    assert told == ["blocks"] * 3


def test_calm_gives_back_what_is_owed(monkeypatch: pytest.MonkeyPatch) -> None:
    trims: list[int] = []
    monkeypatch.setattr(garbage, "_of_glibc", lambda name: trims.append if name == "malloc_trim" else None)
    returns = garbage.Returns()
    returns.owe()
    returns.calm()
    assert not returns.settle()
    returns.calm()
    assert trims == [0, 0]
