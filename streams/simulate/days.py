"""What happens to one cluster, and when: planned work and troubles, drawn by the dice of the seed.

Knows: which stories there are, how long each may take, how often each comes.
Must not know: how a story is told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from streams.simulate import groups, lives, replacements, rollouts, troubles
from streams.simulate.kernel import Story
from streams.simulate.stage import Stage
from streams.simulate.world import GROUP_NAMES, TYPES, Group, Node

MINUTE, HOUR = 60, 3600
MOST_PLANNED_REPLACEMENTS = 3
"""A storm is no part of a day without faults."""
LAST_STORIES = 45 * MINUTE
"""When, before the end, those troubles begin that nothing ends."""
VIEWS_LAG = 4 * MINUTE
LAST_VIEWS = 10 * MINUTE
MISHAPS = 0.02
"""How often a step fails before it succeeds, on a day with faults."""


@dataclass(frozen=True)
class Kind:
    """One kind of story: how long it takes at most, how often it comes, and what begins it (None: not now)."""

    longest: int
    weight: int
    begin: Callable[[Day], Story | None]
    faulty: bool = False


class Day:
    """One cluster's plan."""

    def __init__(self, stage: Stage, instances: int, ends: int, gap: int | None, *, faulty: bool) -> None:
        self.stage, self.cluster, self.chance = stage, stage.cluster, stage.chance
        self._instances, self._ends, self._gap, self.faulty = instances, ends, gap, faulty
        self.done: dict[str, int] = {}
        stage.mishaps = MISHAPS if faulty else 0.0

    def story(self) -> Story:
        """From the cluster's creation to the end of the plan."""
        yield self.stage.between(0, 20 * MINUTE)
        yield from groups.created_cluster(self.stage, self._groups())
        if self.faulty:
            self._last()
        while self._gap is not None:
            yield max(MINUTE, round(self.chance.expovariate(1 / self._gap)))
            left = self._ends - self.stage.now
            if left < 5 * MINUTE:
                break
            self._one(left)

    def _groups(self) -> list[tuple[Group, int]]:
        """A small first group, and the rest by uneven shares."""
        first = "system" if self.cluster.eks else "controller"
        head = 2 if self.cluster.eks and self._instances > 3 else 1
        left, planned = self._instances - head, [(first, TYPES[2], head)]
        names = self.chance.sample(GROUP_NAMES, 3)
        for place, name in enumerate(names):
            share = left if place == len(names) - 1 else min(left, max(1, self._instances // (place + 2)))
            if share:
                planned.append((name, self.chance.choice(TYPES), share))
            left -= share
        made: list[tuple[Group, int]] = []
        for place, (name, type_, count) in enumerate(planned):
            group = self.stage.names.group(self.cluster, name, type_)
            group.zone = f"{group.zone[:-1]}{place + 1}"
            made.append((group, count))
        return made

    def _one(self, left: int) -> None:
        fits = [kind for kind in KINDS if kind.longest <= left and (self.faulty or not kind.faulty)]
        if fits:
            (kind,) = self.chance.choices(fits, [kind.weight for kind in fits])
            story = kind.begin(self)
            if story is not None:
                self.stage.spawn(story)

    def _last(self) -> None:
        """Troubles that are still there at the end."""
        start = max(self._ends - LAST_STORIES, self.stage.now + 5 * MINUTE) - self.stage.now
        for place, tell in enumerate((troubles.left_unhealthy, troubles.left_unrepaired, troubles.left_failed)):
            if self.chance.random() < 0.5:
                self.stage.spawn(self._later(tell), after=start + place * 30)
        if not self.cluster.eks and self.chance.random() < 0.3:
            self.stage.spawn(troubles.drifting(self.stage, mended=False), after=start)

    def _later(self, tell: Callable[[Stage, Node], Story]) -> Story:
        """A trouble that looks for its node when it begins."""
        node = self.node()
        if node is not None:
            yield from tell(self.stage, node)

    # What stories look for.

    def node(self) -> Node | None:
        """Some instance that is in service and that no story has."""
        found = self.nodes(1)
        return found[0] if found else None

    def nodes(self, count: int, group: Group | None = None) -> list[Node]:
        """So many idle instances of one group that can be replaced; none if there are fewer."""
        pool = [group] if group else [g for g in self._workers() if not g.busy]
        able = [(g, idle) for g in pool if len(idle := _idle(g)) >= count]
        if not able:
            return []
        _, idle = self.chance.choice(able)
        return self.chance.sample(idle, count)

    def group(self, least: int = 2) -> Group | None:
        """Some group that nothing is done to, with every member in service."""
        able = [g for g in self._workers() if not g.busy and len(g.live) >= least and len(_idle(g)) == len(g.live)]
        return self.chance.choice(able) if able else None

    def _workers(self) -> list[Group]:
        """A Slurm controller cannot be replaced; the first group is left alone."""
        return [g for g in self.cluster.groups[1:] if g.phase not in ("Deleted", "Deleting")]

    def at_most(self, name: str, times: int) -> bool:
        """Counts; false once it has been that often."""
        self.done[name] = self.done.get(name, 0) + 1
        return self.done[name] <= times


def polled(stage: Stage, every: int, ends: int, chance: Random) -> Story:
    """Somebody asks the API all the time; its views are behind by up to four minutes, and right in the end."""
    while stage.now < ends:
        calm = stage.now > ends - LAST_VIEWS
        stage.poll(lags=(0, 0) if calm else (chance.randint(0, VIEWS_LAG), chance.randint(0, VIEWS_LAG)))
        yield every


def _idle(group: Group) -> list[Node]:
    return [node for node in group.nodes if not node.busy and node.phase == "InService" and node.id]


def _scale_up(day: Day) -> Story | None:
    group, count = day.group(), day.chance.randint(1, 4)
    kinds = lives.TROUBLES_OF_BIRTH
    struck = {n: day.chance.choice(kinds) for n in range(count) if day.faulty and day.chance.random() < 0.4}
    noisy = day.faulty and group is not None and day.at_most("noise", 1)
    return None if group is None else groups.scaled_up(day.stage, group, count, struck, noisy=noisy)


def _scale_down(day: Day) -> Story | None:
    group = day.group(least=4)
    if group is None:
        return None
    leaving = day.nodes(day.chance.randint(1, 2), group)
    struck = {0: day.chance.choice(("termination", "leak"))} if day.faulty and day.chance.random() < 0.5 else {}
    return groups.scaled_down(day.stage, group, leaving, struck)


def _rollout(day: Day) -> Story | None:
    group = day.group()
    if group is None:
        return None
    batches = day.chance.randint(2, 3)
    bake = day.chance.choice((180, 300, 600)) if day.cluster.eks else None
    skipped = failing = 0
    alarm = None
    if day.faulty:
        skipped = int(day.cluster.eks and len(group.live) > 3 and day.chance.random() < 0.4)
        failing = int(day.chance.random() < 0.3)
        alarm = day.chance.randint(1, batches) if bake is not None and day.chance.random() < 0.5 else None
    return rollouts.rolled_out(day.stage, group, rollouts.Plan(batches, bake, skipped, failing, alarm))


def _planned_replacement(day: Day) -> Story | None:
    node = day.node()
    if node is None or not day.at_most("planned replacement", MOST_PLANNED_REPLACEMENTS):
        return None
    return replacements.replaced(day.stage, node)


def _planned_reboot(day: Day) -> Story | None:
    node = day.node()
    return lives.reboot(day.stage, node) if node and day.at_most(f"reboot {node.id}", 2) else None


def _poll(day: Day) -> Story | None:
    day.stage.poll()
    return None


def _add_group(day: Day) -> Story | None:
    free = [name for name in GROUP_NAMES if name not in {group.name for group in day.cluster.groups}]
    if not free or day.cluster.phase != "InService":
        return None
    group = day.stage.names.group(day.cluster, free[0], day.chance.choice(TYPES))
    return groups.added(day.stage, group, day.chance.randint(2, 4))


def _delete_group(day: Day) -> Story | None:
    group = day.group()
    enough = len(day.cluster.standing) > 2 and day.at_most("deletion", 1)
    return groups.deleted(day.stage, group) if group is not None and enough else None


def _of_node(tell: Callable[[Stage, Node], Story]) -> Callable[[Day], Story | None]:
    def begin(day: Day) -> Story | None:
        node = day.node()
        return None if node is None else tell(day.stage, node)

    return begin


def _failed_replacement(day: Day) -> Story | None:
    node = day.node()
    failures = tuple(day.chance.choice(("script", "plain")) for _ in range(day.chance.randint(1, 2)))
    return None if node is None else troubles.mended_by_replacement(day.stage, node, failures)


def _no_capacity(day: Day) -> Story | None:
    """Attempts without id are told by their slot alone."""
    node = day.node() if day.cluster.slots_known else None
    return None if node is None else troubles.mended_by_replacement(day.stage, node, ("capacity",))


def _reboots(day: Day) -> Story | None:
    node = day.node()
    return None if node is None else troubles.mended_by_reboot(day.stage, node, 3)


def _crowd(day: Day) -> Story | None:
    found = day.nodes(3)
    return troubles.failing_together(day.stage, found) if found else None


def _drift(day: Day) -> Story | None:
    return None if day.cluster.eks or not day.at_most("drift", 4) else troubles.drifting(day.stage)


def _tongues(day: Day) -> Story | None:
    node = day.node()
    return troubles.speaking_in_tongues(day.stage, node) if node and day.at_most("tongues", 1) else None


def _wrong_clock(day: Day) -> Story | None:
    node = day.node() if day.cluster.eks else None
    return troubles.with_a_wrong_clock(day.stage, node) if node and day.at_most("clock", 1) else None


def _zombie(day: Day) -> Story | None:
    gone = [node for group in day.cluster.groups for node in group.nodes if node.phase == "Terminated" and node.id]
    if not gone or not day.at_most("zombie", 1):
        return None
    return troubles.speaking_after_the_end(day.stage, day.chance.choice(gone))


KINDS: tuple[Kind, ...] = (
    Kind(150 * MINUTE, 5, _scale_up),
    Kind(60 * MINUTE, 3, _scale_down),
    Kind(220 * MINUTE, 4, _rollout),
    Kind(45 * MINUTE, 2, _planned_replacement),
    Kind(10 * MINUTE, 2, _planned_reboot),
    Kind(MINUTE, 3, _poll),
    Kind(60 * MINUTE, 1, _add_group),
    Kind(50 * MINUTE, 1, _delete_group),
    Kind(50 * MINUTE, 5, _of_node(troubles.mended_by_replacement), faulty=True),
    Kind(70 * MINUTE, 2, _of_node(troubles.replaced_late), faulty=True),
    Kind(110 * MINUTE, 4, _failed_replacement, faulty=True),
    Kind(110 * MINUTE, 2, _no_capacity, faulty=True),
    Kind(30 * MINUTE, 3, _of_node(troubles.mended_by_reboot), faulty=True),
    Kind(80 * MINUTE, 1, _reboots, faulty=True),
    Kind(25 * MINUTE, 2, _of_node(troubles.well_again), faulty=True),
    Kind(60 * MINUTE, 2, _crowd, faulty=True),
    Kind(30 * MINUTE, 2, _drift, faulty=True),
    Kind(15 * MINUTE, 1, _tongues, faulty=True),
    Kind(5 * MINUTE, 1, _wrong_clock, faulty=True),
    Kind(5 * MINUTE, 1, _zombie, faulty=True),
)
