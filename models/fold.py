"""The heart: one row and its observations.

Knows: order, the bound, the checkpoint.  Must not know: other rows, now, Kafka.

A row's state is a function of the *set* of its observations: they are kept in judged order, folded from the checkpoint
on, and what falls behind the bound joins the checkpoint in that same order.  Folding is put off until somebody reads
the state (`settle`): a thousand events out of order cost one refold.  Those in order wait for a few others to come, as
many steps at once are quicker than one between other things.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from operator import attrgetter

from pydantic import BaseModel, ConfigDict, Field

from models.copies import copy_of
from models.held import Held, Known, hold, told
from models.machines.signals import is_leaving
from models.observation import Observation
from models.placement import begins_attempt
from models.rows import HISTORY, Change, DayNote, Level, Row, State
from models.runs import bounded, key_of
from models.steps import cluster, instance, instance_group
from models.steps.common import note_flaws, with_day


class Limits(BaseModel):
    """How far back a row can still be corrected (contract section 2)."""

    model_config = ConfigDict(frozen=True)

    lateness_ms: int = Field(default=86_400_000, ge=0, description="Event time behind an entity's newest event.")
    keep: int = Field(default=64, ge=1, description="Events that are always within the bound.")
    ceiling_events: int = Field(default=4096, ge=1, description="Events that a row retains at most.")
    ceiling_bytes: int = Field(default=262_144, ge=4096, description="Bytes of events that a row retains at most.")


_STEPS: dict[Level, Callable[[State, Observation], None]] = {
    "cluster": cluster.step,
    "group": instance_group.step,
    "instance": instance.step,
    "slot": instance.step,
}
_BEGIN: dict[Level, Callable[[], State]] = {
    "cluster": cluster.begin,
    "group": instance_group.begin,
    "instance": instance.begin,
    "slot": lambda: instance.begin("slot"),
}


BEGUN: dict[Level, State] = {level: made() for level, made in _BEGIN.items()}
"""The checkpoint of every row that has absorbed nothing: nobody writes into it, see `_own_checkpoint`."""


def begin(level: Level, unsure: Sequence[tuple[int, int]] = ()) -> Row:
    """A row that has seen nothing."""
    return Row(checkpoint=BEGUN[level], state=_BEGIN[level](), unsure=tuple(unsure))


def settle(row: Row) -> State:
    """The state after all of the row's observations; folds them again where order demands it."""
    if row.coming:
        catch_up(row)
    if row.stale:
        done, known = row.marks[-1] if row.marks else (0, row.checkpoint)
        row.state, count = copy_of(known), len(row.retained)
        step = _STEPS[row.state.level]
        for place in range(done, count):
            if count - place in MARKED and place - done >= LEAST:
                row.marks = _thinned((*row.marks, (place, copy_of(row.state))), count)
            step(row.state, told(row.retained[place]))
        row.stale = False
    return row.state


def catch_up(row: Row) -> None:
    """Let the state have the events that came in their order; where it is stale it gets them with all the others."""
    coming, row.coming = row.coming, ()
    if not row.stale:
        state = row.state
        step = _STEPS[state.level]
        for obs in coming:
            step(state, obs)


MARKED = frozenset({4, 16, 128, 1024})
"""How many events before the end a refold leaves a copy of the state, for the next one to begin from."""
PUT_OFF = 16
"""Events in their order that a row, or a cluster, lets come together: many steps at once are quicker."""
LEAST = 4
"""A mark saves so many steps at least."""


def _thinned(marks: tuple[tuple[int, State], ...], count: int) -> tuple[tuple[int, State], ...]:
    """The marks without one too many: those stay whose distances from the end double most."""
    if len(marks) <= len(MARKED):
        return marks
    gone = min(range(1, len(marks) - 1), key=lambda n: (count - marks[n - 1][0]) / (count - marks[n + 1][0]))
    return marks[:gone] + marks[gone + 1 :]


def take(row: Row, obs: Observation) -> bool:
    """Take an event that has just been read, see `put`; whether it goes on after one of the same subject."""
    last = row.retained[-1] if row.retained else None
    held = hold(obs, last)
    put(row, held, obs)
    return last is not None and held.subject is last.subject and row.retained[-1] is held


def put(row: Row, held: Held, obs: Observation | None = None) -> None:
    """Take an event that the row does not hold and whose place is after the horizon; see `absorb`.

    `obs` is the same decoded, where it is at hand.
    """
    retained = row.retained
    if not retained or held.time > retained[-1].time or held.key > retained[-1].key:
        retained.append(held)
        if not row.stale:
            row.coming += (obs or told(held),)
            if len(row.coming) == PUT_OFF:
                catch_up(row)
    else:
        place = _place(row, held)
        retained.insert(place, held)
        _outdate(row, place)
    row.size += held.size


def find(row: Row, copy: Observation) -> Held:
    """The event that the row keeps under the id of another copy of it."""
    place = _place(row, copy)
    held = row.retained[place] if place < len(row.retained) else None
    if held is None or held.event_id != copy.event_id:  # the copies disagree about its place
        held = next(held for held in row.retained if held.event_id == copy.event_id)
    return held


def remove(row: Row, obs: Known) -> bool:
    """Take an observation out again, if it can still be undone; True if it was there."""
    place = _place(row, obs)
    if place == len(row.retained) or row.retained[place].event_id != obs.event_id:
        return False
    row.size -= row.retained.pop(place).size
    _outdate(row, place)
    return True


def move(giver: Row, row: Row, moved: Sequence[Held]) -> list[Held]:
    """Let events of one row be another's, in order; returns those that come too late for it."""
    behind = [held for held in moved if is_behind(row, held)]
    coming = [held for held in moved if not is_behind(row, held)] if behind else moved
    if len(moved) == len(giver.retained) and not behind and _goes_on(giver, row):
        _inherit(giver, row)
        return behind
    ids, first = {held.event_id for held in moved}, _place(giver, moved[0])
    giver.retained = [held for held in giver.retained if held.event_id not in ids]
    giver.size -= sum(held.size for held in moved)
    _outdate(giver, first)
    for held in coming:
        put(row, held)
    return behind


def _goes_on(giver: Row, row: Row) -> bool:
    """Whether all that a row has comes after all that another has, so that its state may begin with the other's."""
    fresh = all(each.horizon is None and each.checkpoint is BEGUN[each.checkpoint.level] for each in (giver, row))
    return fresh and not giver.stale and (not row.retained or row.retained[0].key > giver.retained[-1].key)


def _inherit(giver: Row, row: Row) -> None:
    catch_up(giver)
    row.coming = ()
    row.state, giver.state = giver.state, _BEGIN[giver.checkpoint.level]()
    row.state.level = row.checkpoint.level
    for held in row.retained:
        _STEPS[row.state.level](row.state, told(held))
    row.retained, row.size = giver.retained + row.retained, giver.size + row.size
    giver.retained, giver.size, row.stale = [], 0, False
    giver.marks = row.marks = ()


def _outdate(row: Row, place: int) -> None:
    """What was folded from that place on has to be folded again."""
    row.stale = True
    if row.marks:
        row.marks = tuple(mark for mark in row.marks if mark[0] <= place)


def absorb(row: Row, limits: Limits) -> Sequence[Held]:
    """Move what has fallen behind the bound, or over the ceiling, into the checkpoint.

    Returns those: a copy of them can change nothing any more, see `has_passed`.
    """
    retained = row.retained
    absorbed: list[Held] = []
    while len(retained) > 1:
        over = len(retained) > limits.ceiling_events or row.size > limits.ceiling_bytes
        if not over and len(retained) <= limits.keep:
            break
        oldest, edge = retained[0], retained[-1].time - limits.lateness_ms
        behind = len(retained) > limits.keep and oldest.time < edge and not _may_leave(row, oldest, edge)
        if not (over or behind):
            break
        row.pushed_out += not behind
        absorbed.append(oldest)
        _absorb_oldest(row)
    return absorbed


def is_late(row: Row, obs: Observation, limits: Limits) -> bool:
    """Whether the observation comes after the bound (or the ceiling) has passed it."""
    retained, time = row.retained, obs.time
    if retained and time > retained[-1].time:  # nothing that was absorbed is newer than what is retained
        return False
    if row.horizon is not None and is_behind(row, obs):
        return True
    if not retained or time >= retained[-1].time - limits.lateness_ms:
        return False
    return len(retained) - _place(row, obs) >= limits.keep


def is_behind(row: Row, obs: Known) -> bool:
    """Whether the checkpoint holds newer events: nothing can be folded there any more."""
    horizon = row.horizon
    return horizon is not None and obs.time <= horizon.time and key_of(obs) <= horizon


def _place(row: Row, obs: Known) -> int:
    return bisect_left(row.retained, obs.key, key=_KEY)


_KEY = attrgetter("key")


def has_passed(row: Row, obs: Observation) -> bool:
    """Whether the bound has passed the very same event before: as far as history goes, its copies stay copies."""
    known = (*row.checkpoint.history, *row.late_history)
    return obs.event_id in row.passed or any(change.event_id == obs.event_id for change in known)


def note_late(row: Row, obs: Observation) -> bool:
    """Keep a late observation as history and counts; False if it is a copy of one that was folded or noted before."""
    day = row.late.get(datetime.fromtimestamp(obs.time / 1000, UTC).date().isoformat())
    if has_passed(row, obs) or (day is not None and obs.event_id in day.evidence):
        return False
    row.late = with_day(row.late, obs)
    if obs.clock_suspect or obs.shape is not None:
        note_flaws(_own_checkpoint(row), obs)
        _outdate(row, -1)
    remember(row, obs)
    return True


def remember(row: Row, obs: Known) -> None:
    """History only."""
    late = Change(obs.time, obs.event_id, obs.code, None, None, None, True)
    row.late_history = (*row.late_history, late)[-HISTORY:]


def own_first(row: Row) -> tuple[tuple[int, int, str], bool] | None:
    """Of an instance: the key of the first event that named it itself, and whether that was about its end."""
    if row.own_first is not None:
        return (row.own_first.time, row.own_first.rank, row.own_first.event_id), row.own_leaving
    first = next((obs for obs in row.retained if obs.instance_id), None)
    return (first.key, is_leaving(first)) if first else None


def slots_of(row: Row) -> set[str]:
    """Of an instance: the slots that events named together with it."""
    return {*row.slots, *(obs.node_logical_id for obs in row.retained if obs.instance_id and obs.node_logical_id)}


def names_itself(row: Row) -> bool:
    """Whether all that a row has are events that name its instance; not where some are in the checkpoint."""
    return row.horizon is None and all(held.instance_id for held in row.retained)


def is_pure(row: Row, slot: str) -> bool:
    """Whether the checkpoint knows nothing but events of that slot that name no instance, so that it can move."""
    return row.horizon is not None and row.own_first is None and row.checkpoint.node_logical_id == slot


def may_adopt(row: Row, giver: Row) -> bool:
    """Whether all that a row has comes after what another's checkpoint knows, so that it can begin with that."""
    return row.horizon is None and not (row.retained and is_behind(giver, row.retained[0]))


def adopt(row: Row, giver: Row) -> None:
    """Let a row begin with what another's checkpoint knows; the other begins again."""
    level, other = row.checkpoint.level, giver.checkpoint.level
    row.checkpoint, row.horizon, row.attempt = giver.checkpoint, giver.horizon, giver.attempt
    row.checkpoint.level = level
    row.pushed_out, giver.pushed_out = row.pushed_out + giver.pushed_out, 0
    giver.checkpoint, giver.horizon, giver.attempt = BEGUN[other], None, None
    for each in (row, giver):
        each.stale, each.marks = True, ()


def outlive(row: Row, giver: Row) -> None:
    """Let what another's checkpoint knows be history of a row that can no longer begin with it; see `adopt`."""
    events = dict.fromkeys((change.time, change.event_id, change.code) for change in giver.checkpoint.history)
    past = (Change(*event, None, None, None, True) for event in events)
    row.late_history = (*past, *row.late_history)[-HISTORY:]
    row.attempt = row.attempt or giver.attempt
    row.pushed_out, giver.pushed_out = row.pushed_out + giver.pushed_out, 0
    giver.checkpoint, giver.horizon, giver.attempt = BEGUN[giver.checkpoint.level], None, None
    giver.stale, giver.marks = True, ()


def adopt_late(row: Row, slot: Row) -> None:
    """What came too late for a slot is the instance's that the slot became."""
    row.late_history = (*slot.late_history, *row.late_history)[-HISTORY:]
    late = {day: note if day not in row.late else _joined(row.late[day], note) for day, note in slot.late.items()}
    row.late, slot.late, slot.late_history = {**row.late, **late}, {}, ()


def again(row: Row) -> bool:
    """Fold a row that was read anew where late events left flaws in it; whether there were any.

    Such flaws once stood in the state where they arrived, and stand before all that is retained since.
    """
    if not row.late or not (row.checkpoint.shapes or row.checkpoint.clock):
        return False
    row.stale, row.marks = True, ()
    settle(row)
    return True


def is_empty(row: Row) -> bool:
    """Whether nothing is left that anybody could want to know."""
    return not (row.retained or row.horizon or row.late or row.observed)


def _may_leave(row: Row, obs: Held, edge: int) -> bool:
    """Whether the event is its slot's and might still turn out to be about another instance that came before."""
    if obs.instance_id or row.own_first is not None or row.checkpoint.level != "instance":
        return False
    return next((held.time >= edge for held in row.retained if held.instance_id), True)


def _own_checkpoint(row: Row) -> State:
    """The checkpoint to write into."""
    if row.checkpoint is BEGUN[row.checkpoint.level]:
        row.checkpoint = _BEGIN[row.checkpoint.level]()
    return row.checkpoint


def _absorb_oldest(row: Row) -> None:
    held = row.retained.pop(0)
    oldest, checkpoint = told(held), _own_checkpoint(row)
    row.size -= held.size
    row.marks = tuple((count - 1, state) for count, state in row.marks if count > 1)
    _STEPS[checkpoint.level](checkpoint, oldest)
    row.horizon = key_of(oldest)
    if checkpoint.level in ("instance", "slot"):
        _note_absorbed(row, oldest)
    elif checkpoint.level == "cluster" and not _left_a_trace(checkpoint, oldest):
        row.passed = (*row.passed, oldest.event_id)[-HISTORY:]


def _left_a_trace(state: State, obs: Observation) -> bool:
    """Whether the event, the last one of this state, is in its history: a snapshot that shows what is known is not."""
    return bool(state.history) and state.history[-1].event_id == obs.event_id


def _note_absorbed(row: Row, obs: Observation) -> None:
    """Keep what `models.placement` has to know of an event that is no longer there."""
    if not obs.instance_id:
        if row.own_first is None and row.attempt is None and begins_attempt(obs):
            row.attempt = key_of(obs)
        return
    if row.own_first is None:
        row.own_first, row.own_leaving = key_of(obs), is_leaving(obs)
    if obs.node_logical_id and obs.node_logical_id not in row.slots:
        row.slots = tuple(sorted([*row.slots, obs.node_logical_id]))


def _joined(one: DayNote, other: DayNote) -> DayNote:
    early, late = sorted((one, other), key=lambda note: note.first)
    updated, evidence = max(one.updated, other.updated), bounded(early.evidence, late.evidence)
    return DayNote(early.first, updated, one.count + other.count, evidence)
