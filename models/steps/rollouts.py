"""A group's software updates, as far as the group's own events tell them.

Knows: one step's before and after, batches, bakes, images of snapshots.  Must not know: members, now.
"""

from __future__ import annotations

from collections.abc import Mapping

from models.machines.signals import Signal as S
from models.observation import Observation
from models.rollout import Bake, Rollout
from models.rows import BAKES, ROLLOUTS, State
from models.states import GroupPatch, Rollback

SUPERSEDED = "Superseded"
"""Another one was scheduled before it had ended."""
PASSED, ALARM, FAILED = "Passed", "Alarm", "Failed"

_RUNNING = (GroupPatch.SCHEDULED, GroupPatch.IN_PROGRESS, GroupPatch.BAKING)
_BEGINS = (S.PATCH_SCHEDULED, S.PATCH_STARTED)
_GOES_ON = (S.BATCH_SELECTED, S.BAKE_STARTED, S.BAKE_COMPLETED)
"""After a step that failed: these belong to the same rollout."""


def note_rollouts(state: State, before: Mapping[str, str], signal: S | None, obs: Observation) -> None:
    """Keep when rollouts and their rollbacks began and ended, and what they did: members are judged against it."""
    patch, rollback = state.machines["patch"], state.machines["rollback"]
    _note_patch(state, before["patch"], patch, signal, obs.time)
    _note_steps(state, before["patch"], signal, obs)
    if rollback == Rollback.ROLLING_BACK != before["rollback"]:
        _last(state).rollback_begun, _last(state).rollback_ended = obs.time, None
        _last(state).rollback_result = None
    if before["rollback"] == Rollback.ROLLING_BACK != rollback:
        for rollout in state.rollouts:
            if rollout.rollback_begun is not None and rollout.rollback_ended is None:
                rollout.rollback_ended, rollout.rollback_result = obs.time, rollback
    _note_images(state, obs)


def _note_patch(state: State, before: str, after: str, signal: S | None, at: int) -> None:
    running, begun = after in _RUNNING, before in _RUNNING
    if begun and (not running or after == GroupPatch.SCHEDULED != before):
        _last(state).ended = at
        _last(state).result = SUPERSEDED if running else after
    if running and before == GroupPatch.FAILED and state.signals.get("patch") in _GOES_ON and state.rollouts:
        state.rollouts[-1].ended = state.rollouts[-1].result = None
    elif running and (not begun or after == GroupPatch.SCHEDULED != before):
        new = Rollout(begun=at, unseen=signal not in _BEGINS, from_image=_current(state))
        state.rollouts = (*state.rollouts, new)[-ROLLOUTS:]
    elif before == GroupPatch.FAILED and after == GroupPatch.COMPLETED and state.rollouts:
        state.rollouts[-1].concluded, state.rollouts[-1].result = at, after
    if running and after != GroupPatch.SCHEDULED and _last(state).started is None:
        _last(state).started = at


def _note_steps(state: State, before: str, signal: S | None, obs: Observation) -> None:
    """Batches and bakes; an event may tell the end of one whose beginning was not seen."""
    if not state.rollouts:
        return
    rollout = state.rollouts[-1]
    if signal == S.BATCH_SELECTED:
        rollout.batches, rollout.last_batch = rollout.batches + 1, obs.time
    elif signal == S.BAKE_STARTED and before != GroupPatch.BAKING:
        told = Bake(begun=obs.time, seconds=int(obs.text.get("seconds") or 0), watched=_alarms(obs))
        rollout.bakes = [*rollout.bakes, told][-BAKES:]
    elif signal in (S.BAKE_COMPLETED, S.BAKE_ALARM):
        _end_bake(rollout, signal, obs)
    elif before == GroupPatch.BAKING != state.machines["patch"] and rollout.bakes:
        _close(rollout.bakes[-1], obs.time, FAILED if obs.code == "BakeEvaluationFailed" else None)


def _end_bake(rollout: Rollout, signal: S, obs: Observation) -> None:
    if not rollout.bakes or rollout.bakes[-1].ended is not None:
        rollout.bakes = [*rollout.bakes, Bake(seconds=int(obs.text.get("seconds") or 0))][-BAKES:]
    _close(rollout.bakes[-1], obs.time, PASSED if signal == S.BAKE_COMPLETED else ALARM)
    if signal == S.BAKE_ALARM:
        rollout.bakes[-1].alarms = _alarms(obs)


def _close(bake: Bake, at: int, result: str | None) -> None:
    if bake.ended is None:
        bake.ended, bake.result = at, result


def _alarms(obs: Observation) -> list[str]:
    """The alarms that a text lists."""
    words = (word.strip() for word in (obs.text.get("alarms") or "").strip("[] ").split(","))
    return [word for word in words if word]


def _current(state: State) -> str | None:
    return state.images[0] if state.images else None


def _note_images(state: State, obs: Observation) -> None:
    """What a snapshot names; on a rollback AWS swaps the two, so only one of before it says where the rollout leads."""
    current, desired = obs.details.get("current_image_id"), obs.details.get("desired_image_id")
    if not (isinstance(current, str) or isinstance(desired, str)):
        return
    known = state.images or (None, None)
    current, desired = (
        new if isinstance(new, str) else old for new, old in zip((current, desired), known, strict=True)
    )
    state.images = (current, desired)
    if not state.rollouts or state.rollouts[-1].rollback_begun is not None:
        return
    rollout = state.rollouts[-1]
    running = state.machines["patch"] in (GroupPatch.IN_PROGRESS, GroupPatch.BAKING)
    if running:
        rollout.from_image = rollout.from_image or current
        rollout.to_image = desired if desired not in (None, rollout.from_image) else rollout.to_image
    elif rollout.result == GroupPatch.COMPLETED and rollout.to_image is None and current != rollout.from_image:
        rollout.to_image = current


def _last(state: State) -> Rollout:
    if not state.rollouts:
        state.rollouts = (Rollout(),)
    return state.rollouts[-1]
