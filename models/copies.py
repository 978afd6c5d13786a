"""Copies of states that go their own way.

Knows: which parts of a state its steps write into.  Must not know: what they write.
"""

from __future__ import annotations

from copy import copy

from models.rollout import Rollout
from models.rows import State

_DICTS = ("changed", "signals", "operations")
_DICTS_OF_PARTS = ("clock", "shapes", "waits", "contradicted", "absent")
_TUPLES_OF_PARTS = ("runs", "repairs")
"""What steps write into, and not only put something else in the place of."""


def copy_of(state: State) -> State:
    """A copy that goes its own way."""
    made = copy(state)
    for name in _DICTS:
        setattr(made, name, {**getattr(state, name)})
    for name in _DICTS_OF_PARTS:
        setattr(made, name, {key: copy(part) for key, part in getattr(state, name).items()})
    for name in _TUPLES_OF_PARTS:
        setattr(made, name, tuple(map(copy, getattr(state, name))))
    made.history = [*state.history]
    made.last_fault = copy(state.last_fault)
    made.rollouts = tuple(map(_rollout, state.rollouts))
    return made


def _rollout(rollout: Rollout) -> Rollout:
    made = copy(rollout)
    made.bakes = [copy(bake) for bake in rollout.bakes]
    return made
