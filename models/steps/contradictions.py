"""What a snapshot of a group or cluster says against what its machines say.

Knows: the newest snapshot's words, the machines beside them.  Must not know: members, how long is too long.

A contradiction begins with a snapshot, never with an event: what happens after a snapshot was taken does not make it
wrong.  It ends with whatever makes the two agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from models.machines.agreement import CLUSTER_STATUS, GROUP_STATUS, SOFTWARE_UPDATE, UNDER_WAY, Against
from models.observation import Observation
from models.rollout import Rollout
from models.rows import MARKS, State
from models.sayings import Contradiction, Told
from models.states import GroupPatch, Rollback
from models.steps.snapshot import SETTLE_MS


class _Claim(NamedTuple):
    machine: str
    said: str


_GROUP_WORDS = {
    "status": "Status",
    "software_update_status": "SoftwareUpdateStatus",
    "current_image_id": "CurrentImageId",
    "desired_image_id": "DesiredImageId",
}
_CLUSTER_WORDS = {"cluster_status": "ClusterStatus"}


def compare_group(state: State, obs: Observation, *, snapshot: bool) -> None:
    """After a step of a group."""
    if snapshot:
        state.said = _words(_GROUP_WORDS, obs)
        _note_met(state)
    if state.said or state.contradicted:
        _compare(state, list(_against_group(state)), obs, snapshot=snapshot)


def compare_cluster(state: State, obs: Observation, *, snapshot: bool) -> None:
    """After a step of a cluster."""
    if snapshot:
        state.said = _words(_CLUSTER_WORDS, obs)
    if state.said or state.contradicted:
        _compare(state, list(_status("ClusterStatus", CLUSTER_STATUS, state)), obs, snapshot=snapshot)


def _words(names: dict[str, str], obs: Observation) -> dict[str, str]:
    told = {name: obs.details.get(key) for key, name in names.items()}
    return {name: word for name, word in told.items() if isinstance(word, str)}


def _status(name: str, table: Against, state: State) -> Iterator[_Claim]:
    word = state.said.get(name, "")
    for machine, states in table.get(word, {}).items():
        if state.machines[machine] in states:
            yield _Claim(machine, f"{name} {word}")


def _against_group(state: State) -> Iterator[_Claim]:
    under_way = state.said.get("SoftwareUpdateStatus") in UNDER_WAY
    for claim in _status("Status", GROUP_STATUS, state):
        if claim.machine == "operation" or not under_way:
            yield claim
    yield from _status("SoftwareUpdateStatus", SOFTWARE_UPDATE, state)
    yield from _against_images(state)


def _images(state: State) -> tuple[str, str] | None:
    current, desired = state.said.get("CurrentImageId"), state.said.get("DesiredImageId")
    return (current, desired) if current and desired else None


def _last_rollout(state: State) -> Rollout | None:
    return state.rollouts[-1] if state.rollouts else None


def _note_met(state: State) -> None:
    """Keep that the images were one after a rollout's end."""
    rollout, images = _last_rollout(state), _images(state)
    if rollout is not None and images is not None and rollout.ended is not None and images[0] == images[1]:
        rollout.met = True


def _against_images(state: State) -> Iterator[_Claim]:
    """Current and desired image swap when a rollback begins, and are one once an update has completed."""
    rollout, images = _last_rollout(state), _images(state)
    if rollout is None or images is None or images[0] == images[1]:
        return
    way = (rollout.from_image, rollout.to_image)
    patch, said = state.machines["patch"], f"CurrentImageId {images[0]}, DesiredImageId {images[1]}"
    rolling_back = state.machines["rollback"] == Rollback.ROLLING_BACK
    if rolling_back and images == way:
        yield _Claim("rollback", f"{said}: not swapped as in a rollback")
    elif patch in (GroupPatch.IN_PROGRESS, GroupPatch.BAKING) and not rolling_back and images[::-1] == way:
        yield _Claim("patch", f"{said}: swapped as in a rollback")
    elif patch == GroupPatch.COMPLETED and not rollout.met and state.said.get("SoftwareUpdateStatus") not in UNDER_WAY:
        yield _Claim("patch", said)


def _compare(state: State, claims: list[_Claim], obs: Observation, *, snapshot: bool) -> None:
    found: dict[str, str] = {}
    for claim in claims:
        found[claim.machine] = "; ".join(filter(None, [found.get(claim.machine), claim.said]))
    for machine, over in state.contradicted.items():
        if machine not in found:
            over.ended = obs.time
            state.contradictions = (*state.contradictions, over)[-MARKS:]
    state.contradicted = {machine: each for machine, each in state.contradicted.items() if machine in found}
    for machine, said in found.items():
        _hold(state, machine, said, obs, snapshot=snapshot)


def _hold(state: State, machine: str, said: str, obs: Observation, *, snapshot: bool) -> None:
    """Begin a contradiction, or go on with it."""
    known, ours, told = state.contradicted.get(machine), state.machines[machine], Told(obs.time, obs.event_id)
    if known is None:
        if snapshot and obs.time - state.changed.get(machine, 0) > SETTLE_MS:
            begun = Contradiction(machine, said, ours, told, obs.time)
            state.contradicted = {**state.contradicted, machine: begun}
        return
    if snapshot:
        known.again = known.again or told
    if (known.said, known.ours) != (said, ours):
        known.said, known.ours, known.changed = said, ours, obs.time
