"""When members and groups made progress with what their group or cluster waits for.

Knows: the histories of all rows.  Must not know: deadlines, now.

A group that scales is not stuck while its instances are being born one after the other.  Its health, or a reboot, is no
part of that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from models.deadlines import CLUSTER_ROLLING_BACK
from models.judge.scene import Scene
from models.rows import HISTORY, Change, State, Wait
from models.states import GroupPatch
from models.steps.common import SNAPSHOTS

_OF_A_BIRTH = frozenset({"provision", "lifecycle_script", "replace"})
_OF_A_ROLLBACK = frozenset({"patch", "lifecycle_script", "rollback"})
_MEMBERS = {
    "operation": _OF_A_BIRTH,
    "patch": _OF_A_ROLLBACK,
    "rollback": _OF_A_ROLLBACK,
    CLUSTER_ROLLING_BACK: _OF_A_ROLLBACK,
}
_GROUPS = {
    "operation": frozenset({"operation", "network", "fsx"}),
    CLUSTER_ROLLING_BACK: frozenset({"patch", "rollback"}),
}
_BIRTH_CODES = frozenset({"CapacityReservationFound", "CapacityReservationNotFound"})


class Heard:
    """Times of progress; what lies before `since` is no longer known."""

    def __init__(self, times: Iterable[int] = (), since: int | None = None) -> None:
        self.times = sorted(set(times))
        self.since = since


NOTHING = Heard()


def of_group(scene: Scene, name: str, wait: Wait) -> Heard:
    """Progress of a group's members with what the group waits for; a bake watches alarms, not members."""
    if wait.machine not in _MEMBERS or wait.state == GroupPatch.BAKING:
        return NOTHING
    members = [node.state for node in scene.nodes if node.group == name]
    return Heard(_steps(members, _MEMBERS[wait.machine]), _known_since(members))


def of_cluster(scene: Scene, wait: Wait) -> Heard:
    """Progress of every group and instance of the cluster."""
    groups, members = [row.state for row in scene.groups.values()], [node.state for node in scene.nodes]
    times = [*_steps(groups, _GROUPS[wait.machine]), *_steps(members, _MEMBERS[wait.machine])]
    return Heard(times, _known_since([*groups, *members]))


def _steps(states: Iterable[State], machines: frozenset[str]) -> Iterator[int]:
    return (change.time for state in states for change in state.history if _is_step(change, machines))


def _is_step(change: Change, machines: frozenset[str]) -> bool:
    born = change.code in _BIRTH_CODES and "provision" in machines
    return change.code not in SNAPSHOTS and (born or change.machine in machines)


def _known_since(states: Iterable[State]) -> int | None:
    """The time before which some history has been cut off."""
    return max((state.history[0].time for state in states if len(state.history) >= HISTORY), default=None)
