"""Python looks for garbage seldom where rows are kept."""

from __future__ import annotations

import gc

import pytest

from streams import garbage


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
