"""Operations that overlap: what groups and clusters are inside at once.

Knows: the `operation` machine.  Must not know: other machines, members.
"""

from __future__ import annotations

from models.machines.signals import Signal as S
from models.observation import Observation
from models.rows import MARKS, State
from models.states import GroupOperation
from models.steps.common import Tables, enter, move

_STARTS = {
    S.CREATE_STARTED: "Creating",
    S.UPDATE_STARTED: "Updating",
    S.SCALE_STARTED: "Scaling",
    S.DELETE_STARTED: "Deleting",
}
_ENDS = {
    S.CREATE_COMPLETED: "Creating",
    S.CREATE_FAILED: "Creating",
    S.UPDATE_COMPLETED: "Updating",
    S.UPDATE_FAILED: "Updating",
    S.SCALE_COMPLETED: "Scaling",
    S.SCALE_FAILED: "Scaling",
    S.DELETE_COMPLETED: "Deleting",
    S.DELETE_FAILED: "Deleting",
}
_COMPLETIONS = frozenset({S.CREATE_COMPLETED, S.UPDATE_COMPLETED, S.SCALE_COMPLETED})
# A group that is deleted is so whatever else was under way.
_OF_ONE_OPERATION = frozenset(_ENDS) - {S.DELETE_COMPLETED}
GONE = frozenset({GroupOperation.DELETING, GroupOperation.DELETED})
"""What is created out of these is another one of the same name."""


def operate(state: State, tables: Tables, signal: S, obs: Observation) -> None:
    """Let the `operation` machine take a signal.

    The machine shows the newest operation that has not ended; the end of an older one leaves it where it is.
    """
    if signal == S.CREATE_STARTED and state.machines["operation"] in GONE:
        end_all(state, obs.time)
    if signal in _STARTS and signal in tables.targets["operation"]:
        state.operations[_STARTS[signal]] = obs.time
    begun = state.operations.pop(_ENDS[signal], None) if signal in _ENDS else None
    if begun is not None:
        state.spans = (*state.spans, (_ENDS[signal], begun, obs.time))[-MARKS:]
    inside = state.machines["operation"] in _STARTS.values()
    if signal in _COMPLETIONS:
        state.completed = (*state.completed, obs.time)[-MARKS:]
    if signal in _OF_ONE_OPERATION and begun is not None and inside and state.machines["operation"] != _ENDS[signal]:
        return
    move(state, tables, "operation", signal, obs)
    if state.machines["operation"] == "None" and state.operations:
        newest = max(state.operations, key=lambda word: (state.operations[word], word))
        enter(state, "operation", newest, obs, None, legal=True)


def end_all(state: State, at: int) -> None:
    """Nothing goes on in what was there before, also where nobody said so."""
    over = ((word, begun, at) for word, begun in sorted(state.operations.items()))
    state.spans = (*state.spans, *over)[-MARKS:]
    state.operations.clear()
