"""Where node lists say of an instance what cannot be.

Knows: the words of node lists, an instance's phases over time.  Must not know: how long is too long.

A list that was taken within minutes of a change may show what was before it.  Node lists come all the time and mostly
say what they said before, so rows keep their words and the cluster the times of its lists; of lists too old for that
only the word is known, which went on.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from models.doubts import BEFORE_ALL
from models.judge.drift_stretch import LAG_MS, Stretch
from models.judge.ends import Ends
from models.judge.groups import GroupView
from models.judge.scene import Node, Scene
from models.judge.standing import steps_back
from models.machines.agreement import INSTANCE, ROLLOUT_WORD, agrees
from models.machines.instance import phase
from models.rows import HISTORY, State
from models.sayings import PAGES_MS, Word
from models.states import InstancePhase, Provision
from models.steps.cluster import POLLS

_MACHINE = {
    InstancePhase.LIFECYCLE_SCRIPT: "lifecycle_script",
    InstancePhase.REPLACING: "replace",
    InstancePhase.PATCHING: "patch",
    InstancePhase.ROLLING_BACK: "rollback",
    InstancePhase.REBOOTING: "reboot",
}
"""The machine that gives a phase, where it is not provision."""
_FAILS = ("provision", "lifecycle_script", "replace", "rollback")


class _Moment(NamedTuple):
    """What an instance was from a time on."""

    time: int
    event_id: str
    phase: InstancePhase
    machines: dict[str, str]
    leaving_failed: bool
    expected: bool
    """False once another one has its place: nobody asks any more what it does, but for its end."""


class _Wrong(NamedTuple):
    """A time in which one word was wrong."""

    since: _Moment
    begun: int
    ended: int | None


def misjudged(scene: Scene, view: GroupView | None, ends: Ends, node: Node) -> list[Stretch]:
    """Every contradiction between node lists and one instance."""
    words = node.row.words
    if not words or node.row.is_outdated or node.state.origin is None:
        return []
    moments = _moments(node.state, ends.of_node(node))
    polls, gaps = (scene.cluster.state.polls, scene.cluster.state.gaps) if scene.cluster else ((), ())
    found: list[Stretch] = []
    for place, word in enumerate(words):
        until = words[place + 1].first.time if place + 1 < len(words) else None
        sure = _sure(word, until, gaps)
        for wrong in _wrongs(word, until, moments, view):
            _add(found, _stretch(word, until, wrong, polls, moments), sure)
    for stretch in found:
        stretch.end_at(ends.gone_with_group(node))
    return found


def _moments(state: State, succeeded: int | None) -> list[_Moment]:
    """The instance's states over time; before what is still known, anything goes."""
    steps = [*steps_back(state)][::-1]
    machines = steps[0][2] if steps else dict(state.machines)
    known = len(state.history) < HISTORY
    found = [_Moment(BEFORE_ALL, "", _phase(machines) if known else InstancePhase.UNKNOWN, machines, False, True)]
    failing = False
    for change, after, _ in steps:
        if change.machine == "provision":
            failing = change.origin in (Provision.TERMINATING, Provision.IN_SERVICE)
        expected = succeeded is None or change.time < succeeded
        found.append(_Moment(change.time, change.event_id, _phase(after), after, failing, expected))
    if succeeded is not None:
        place = bisect_left([moment.time for moment in found], succeeded)
        found.insert(place, found[place - 1]._replace(time=succeeded, expected=False))
    return found


def _phase(machines: dict[str, str]) -> InstancePhase:
    return _phase_of(tuple(machines.items()))


@lru_cache(maxsize=4096)  # a fleet is in few states, and every one is asked for at every look
def _phase_of(machines: tuple[tuple[str, str], ...]) -> InstancePhase:
    return phase(dict(machines))


def _agrees(word: Word, moment: _Moment) -> bool:
    if not moment.expected and moment.phase != InstancePhase.TERMINATED:
        return True
    return agrees(word.status, moment.phase, moment.machines, leaving_failed=moment.leaving_failed)


def _wrongs(word: Word, until: int | None, moments: Sequence[_Moment], view: GroupView | None) -> Iterator[_Wrong]:
    """Where the word was wrong, however late a view may have been."""
    if word.status not in INSTANCE:
        return
    since: _Moment | None = None
    for place, moment in enumerate(moments):
        right = _agrees(word, moment)
        if not right and since is None:
            since = moment
        following = moments[place + 1].time if place + 1 < len(moments) else None
        if since is None or (not right and following is not None):
            continue
        ended = min((at for at in (moment.time if right else None, until) if at is not None), default=None)
        wrong = _Wrong(since, max(word.first.time, since.time + LAG_MS), ended)
        if word.status == ROLLOUT_WORD and view is not None and since.phase != InstancePhase.TERMINATED:
            wrong = _between_rollouts(wrong, view)
        if wrong.ended is None or wrong.begun < wrong.ended:
            yield wrong
        since = None


def _between_rollouts(wrong: _Wrong, view: GroupView) -> _Wrong:
    """While its group's software is updated, an instance may be said to be."""
    for start, end in _rollouts(view):
        if start > wrong.begun:
            return wrong._replace(ended=start if wrong.ended is None else min(start, wrong.ended))
        if end is None:
            return wrong._replace(ended=wrong.begun)
        wrong = wrong._replace(begun=max(wrong.begun, end + LAG_MS))
    return wrong


def _rollouts(view: GroupView) -> list[tuple[int, int | None]]:
    """When updates and rollbacks of the group's software went on."""
    spans = [(each.begun, each.ended) for each in view.state.rollouts]
    spans += [(each.rollback_begun, view.rollback_end(each)) for each in view.state.rollouts]
    return sorted(((start, end) for start, end in spans if start is not None), key=lambda span: span[0])


def _stretch(
    word: Word, until: int | None, wrong: _Wrong, polls: Sequence[int], moments: Sequence[_Moment]
) -> Stretch | None:
    """The contradiction from the first list on that could not be right; None where no list was.

    `until`: when lists began to say something else.
    """
    lists = _lists(word, until, wrong, polls)
    if not lists:
        return None
    at_once = lists[0] == word.first.time
    contradicted = [moment for moment in moments if moment.time <= max(word.first.time, wrong.since.time)][-1]
    last = [moment for moment in moments if wrong.ended is None or moment.time < wrong.ended][-1]
    said = "no longer list it" if word.status is None else f"say {word.status}"
    told = [word.first.event_id, *([contradicted.event_id] if contradicted.event_id else [])]
    told += [word.again.event_id] if word.again and word.again.time >= lists[0] else []
    return Stretch(
        begun=lists[0],
        episode=word.first.event_id if at_once else wrong.since.event_id,
        evidence=list(dict.fromkeys(told)),
        text=f"node lists {said}, the reconstruction has {last.phase}",
        changed=max(lists[0], last.time),
        ended=wrong.ended,
        again=lists[1] if len(lists) > 1 else None,
        machine=_machine(contradicted),
        state=contradicted.phase,
    )


def _machine(moment: _Moment) -> str:
    if moment.phase == InstancePhase.FAILED:
        return next(machine for machine in _FAILS if moment.machines[machine] == "Failed")
    return _MACHINE.get(moment.phase, "provision")


def _lists(word: Word, until: int | None, wrong: _Wrong, polls: Sequence[int]) -> list[int]:
    """The first two lists that said the word when it was wrong.

    Where the times of the lists are no longer kept the word is taken to have been said all along, if it still was
    when views can no longer have differed.
    """
    own = [told.time for told in (word.first, word.again) if told]
    begun, ended = wrong.begun, wrong.ended
    kept = [at for at in own if begun <= at and (ended is None or at < ended)]
    if len(polls) >= POLLS and polls[0] > begun and len(kept) < 2:
        lasted = _last(word, until, polls) >= begun + LAG_MS and (ended is None or ended >= begun + LAG_MS)
        return [*kept, begun, begun][:2] if lasted else kept
    place = bisect_left(polls, begun)
    told = sorted({*kept, *(at for at in polls[place : place + 3] if ended is None or at < ended)})
    return [at for at in told if at == told[0] or at - told[0] > PAGES_MS][:2]


def _last(word: Word, until: int | None, polls: Sequence[int]) -> int:
    """The newest list that said the word: one that is told by what changed does not repeat the newest word."""
    return polls[-1] if word.status is None or until is None else word.last


def _sure(word: Word, until: int | None, gaps: Sequence[tuple[int, int | None]]) -> int | None:
    """The last list that certainly said the word, where the one after it was lost: it may have said another one.

    What told everything again, and still said the word, leaves no doubt.
    """
    for last, whole in gaps:
        ends_within = whole is None if until is None else last < until and (whole is None or until <= whole)
        if word.first.time <= last and ends_within:
            return last
    return None


def _add(found: list[Stretch], new: Stretch | None, sure: int | None) -> None:
    """One more, or more of the last one: another word that is wrong too."""
    last = found[-1] if found else None
    if new is None:
        return
    new.sure = sure
    if last is None or last.ended is None or last.ended != new.begun:
        found.append(new)
        return
    last.again = last.again or new.begun
    last.text, last.changed, last.ended, last.sure = new.text, new.begun, new.ended, sure
    last.evidence = list(dict.fromkeys([*last.evidence, *new.evidence]))
