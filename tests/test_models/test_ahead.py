"""Reading ahead: nothing is lost, changes its place, or is read long before it is wanted."""

from __future__ import annotations

from collections.abc import Iterator

from models.reading import ahead
from models.reading.ahead import AT_ONCE


def test_what_is_read_ahead_comes_in_its_order_and_some_at_a_time() -> None:
    read: list[int] = []

    def values() -> Iterator[int]:
        for number in range(2 * AT_ONCE + 3):
            read.append(number)
            yield number

    for number, value in enumerate(ahead(values())):
        assert value == number
        assert len(read) == min(AT_ONCE * (number // AT_ONCE + 1), 2 * AT_ONCE + 3)
    assert len(read) == 2 * AT_ONCE + 3


def test_of_nothing_nothing_is_read_ahead() -> None:
    assert [*ahead([])] == []
