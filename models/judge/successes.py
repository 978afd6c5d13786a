"""What members did well, by the topic of the faults that it makes good.

Knows: the marks and the history of instances.  Must not know: faults, runs.

A fault that names no instance can only be made good by any member of its group.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from models.faults import CODE_COVERS, STATUS_NOT_TOLD
from models.rows import State
from models.states import Provision, Reboot

Successes = Mapping[str, Sequence[int]]


def successes(members: Collection[State], topics: Iterable[str]) -> Successes:
    """The times by topic, of the topics that somebody asks for."""
    return {topic: [at for state in members for at in _times(state, topic)] for topic in topics}


def _times(state: State, topic: str) -> Sequence[int]:
    if topic in _BY_TOPIC:
        return _BY_TOPIC[topic](state)
    return [change.time for change in state.history if topic in CODE_COVERS.get(change.code, ())]


def _births(state: State) -> Sequence[int]:
    return state.in_service


def _ends(state: State) -> Sequence[int]:
    return [state.changed["provision"]] if state.machines["provision"] == Provision.TERMINATED else []


def _reboots(target: str) -> Callable[[State], Sequence[int]]:
    return lambda state: [c.time for c in state.history if (c.machine, c.target) == ("reboot", target)]


def _updates(*words: str) -> Callable[[State], Sequence[int]]:
    return lambda state: [at for at, word in state.updates if word in words]


_BY_TOPIC: Mapping[str, Callable[[State], Sequence[int]]] = {
    "provision": _births,
    "create": _births,
    "script": _births,
    STATUS_NOT_TOLD: _births,
    "replacement": lambda state: state.replaced,
    "terminate": _ends,
    "reboot": _reboots(Reboot.REBOOTED),
    "reboot_request": _reboots(Reboot.REBOOTING),
    "patch": _updates("Updated", "RolledBack"),
    "skip": _updates("Updated", "RolledBack"),
    "rollback": _updates("RolledBack"),
    "rollback failed": _updates("RolledBack"),
}
