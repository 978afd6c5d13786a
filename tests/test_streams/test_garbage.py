"""Python looks for garbage seldom where rows are kept."""

from __future__ import annotations

import gc

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
