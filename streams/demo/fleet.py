"""The fleet of the demo: three clusters, eight hours of their past, and what happens while somebody watches.

Knows: who is there, and which of the simulator's stories is played when; times are simulated.
Must not know: how fast it is told, Kafka, clocks.

What is scripted keeps to the bounds of the patterns (no third failure of one slot, no fifth replacement), so that what
opens is also over: a storm would stay open for days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle
from random import Random
from typing import Any

from streams.simulate import groups, rollouts, troubles
from streams.simulate.kernel import Kernel, Story, together
from streams.simulate.records import Event
from streams.simulate.rollouts import Plan
from streams.simulate.stage import Stage
from streams.simulate.truth import Truth, described
from streams.simulate.world import Cluster, Group, Metadata, Names, Node

MINUTE, HOUR = 60, 3600
PAST = 8 * HOUR
"""Less than the day after which an event that is read is history."""
LIVE = 60 * HOUR
SEED = 20
GPU, TRAINIUM, SMALL, INFERENCE = "ml.p5.48xlarge", "ml.trn1.32xlarge", "ml.m5.2xlarge", "ml.g5.12xlarge"


@dataclass(frozen=True)
class Layout:
    """One cluster as it is created: its groups by name, instance type and count."""

    name: str
    region: str
    eks: bool
    groups: tuple[tuple[str, str, int], ...]


PROD = Layout("ml-prod", "us-west-2", True, (("system", SMALL, 2), ("p5-train", GPU, 48), ("inference", INFERENCE, 16)))
RESEARCH = Layout(
    "ml-research", "us-east-1", True, (("system", SMALL, 2), ("trn1-train", TRAINIUM, 40), ("notebooks", INFERENCE, 12))
)
HPC = Layout("hpc-slurm", "us-west-2", False, (("controller", SMALL, 1), ("compute", GPU, 72), ("login", SMALL, 4)))
BROKEN = (7, 19, 31)
"""Which machines of p5-train break down."""


@dataclass(frozen=True)
class Mark:
    """What is said to people at a moment; `done`: something is over."""

    at_ms: int
    text: str
    done: bool


@dataclass
class Tale:
    """Everything that is said, by AWS (`log`) and by us (`marks`); what is true of it in the end is `truth`."""

    start_ms: int
    log: list[Event] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    truth: dict[str, Any] = field(default_factory=dict)
    instances: int = 0
    """How many there are where the past ends."""

    @property
    def cut_ms(self) -> int:
        """Where the past ends."""
        return self.start_ms + PAST * 1000

    def past(self) -> list[Event]:
        """What has happened before anybody watches."""
        return [event for event in self.log if event.at_ms < self.cut_ms]

    def live(self) -> list[Event | Mark]:
        """What is told while it happens; what is said to people before what AWS says at that moment."""
        marks = [mark for mark in self.marks if mark.at_ms >= self.cut_ms]
        events = [event for event in self.log if event.at_ms >= self.cut_ms]
        return sorted([*marks, *events], key=lambda each: each.at_ms)


def tale(cut_ms: int, live: int = LIVE) -> Tale:
    """The whole of it; the past ends at `cut_ms`, then `live` seconds follow.  The same words every time."""
    told, kernel, truth = Tale(cut_ms // 1000 * 1000 - PAST * 1000), Kernel(), Truth()
    players = [_Player(kernel, layout, told, truth) for layout in (PROD, RESEARCH, HPC)]
    for player, past, now, later in zip(players, _PAST, _NOW, _LATER, strict=True):
        kernel.spawn(past(player))
        kernel.spawn(_counted(player, told), after=PAST)
        kernel.spawn(now(player), after=PAST)
        kernel.spawn(later(player, PAST + live), after=PAST + 3 * HOUR)
    kernel.run()
    told.log.sort(key=lambda event: event.at_ms)
    clusters = [player.stage.cluster for player in players]
    told.truth = described(clusters, truth, kernel.now, told.start_ms)
    return told


class _Player:
    """One cluster's stage, with a voice."""

    def __init__(self, kernel: Kernel, layout: Layout, told: Tale, truth: Truth) -> None:
        chance = Random(f"{SEED} {layout.name}")  # nosec B311  # makes up a fleet, keeps no secret
        names = Names(chance)
        region, start = layout.region, told.start_ms
        cluster = Cluster(layout.name, names.hex(12), region, layout.eks, Metadata.full, start, forms=("ms", "iso"))
        self.layout, self._told = layout, told
        self.stage = Stage(kernel, cluster, start, chance, told.log, truth)

    def say(self, text: str, *, done: bool = False) -> None:
        """Something to people."""
        self._told.marks.append(Mark(self._told.start_ms + self.stage.now * 1000, text, done))

    def created(self) -> Story:
        """The cluster; a group of GPUs lives on reserved capacity."""
        made: list[tuple[Group, int]] = []
        for place, (name, type_, count) in enumerate(self.layout.groups):
            group = self.stage.names.group(self.stage.cluster, name, type_)
            group.zone, group.ami = f"{group.zone[:-1]}{place + 1}", None
            group.reservation = f"cr-0{self.stage.names.hex(16)}" if type_ == GPU else None
            made.append((group, count))
        yield from groups.created_cluster(self.stage, made)

    def until(self, seconds: int) -> Story:
        """Waits for a moment of the simulation."""
        yield max(0, seconds - self.stage.now)

    def group(self, name: str) -> Group:
        """By its name."""
        return next(group for group in self.stage.cluster.groups if group.name == name)

    def node(self, name: str, place: int) -> Node:
        """The how-manieth instance of a group that is in service."""
        return [node for node in self.group(name).nodes if node.phase == "InService" and not node.busy][place]


def _counted(player: _Player, told: Tale) -> Story:
    told.instances += sum(len(group.live) for group in player.stage.cluster.groups)
    yield from ()


def _past_of_prod(player: _Player) -> Story:
    stage = player.stage
    yield from player.created()
    yield from player.until(90 * MINUTE)
    yield from rollouts.rolled_out(stage, player.group("inference"), Plan(batches=2, bake_seconds=300))
    yield from player.until(5 * HOUR)
    yield from troubles.mended_by_reboot(stage, player.node("inference", 3))


def _past_of_research(player: _Player) -> Story:
    stage = player.stage
    yield from player.created()
    yield from player.until(2 * HOUR)
    yield from troubles.mended_by_replacement(stage, player.node("trn1-train", 11))
    yield from player.until(3 * HOUR + 30 * MINUTE)
    yield from rollouts.rolled_out(stage, player.group("trn1-train"), Plan(batches=2, bake_seconds=600, skipped=1))


def _past_of_hpc(player: _Player) -> Story:
    stage = player.stage
    yield from player.created()
    yield from player.until(HOUR)
    yield from troubles.drifting(stage)
    yield from player.until(2 * HOUR)
    yield from troubles.mended_by_replacement(stage, player.node("compute", 20), ("script",))
    yield from player.until(5 * HOUR)
    yield from groups.scaled_up(stage, player.group("login"), 1, {0: "slow script"}, noisy=False)


def _three_break_down(player: _Player) -> Story:
    """The incident: three machines on one reservation break at one moment, and what comes for one of them fails first.

    Nobody works on the group, so whoever is on call is paged; a growth that finds no capacity would be planned.  It is
    one page, as that script fails before the last of the broken has gone.
    """
    train = player.group("p5-train")
    broken = [player.node("p5-train", place) for place in BROKEN]
    yield 4 * MINUTE
    player.say(f"ml-prod: {len(broken)} machines of p5-train break down at once")
    repairs = [troubles.mended_by_replacement(player.stage, node) for node in broken[:-1]]
    last = troubles.mended_by_replacement(player.stage, broken[-1], ("script",))
    yield from together(*repairs, last, _script_failed(player, train, broken[-1]))
    player.say(f"The incident is over: p5-train has {train.current} of {train.target} instances in service", done=True)


def _script_failed(player: _Player, group: Group, broken: Node) -> Story:
    while not any(node.script == "Failed" for node in group.nodes):
        yield 1
    player.say(f"ml-prod: the lifecycle script fails on what replaces {broken.id}, and another one comes")


def _update_rolled_back(player: _Player) -> Story:
    yield 70 * MINUTE
    player.say("ml-research: notebooks gets a software update; an alarm will go off, and it rolls back")
    notebooks = player.group("notebooks")
    yield from rollouts.rolled_out(player.stage, notebooks, Plan(batches=2, bake_seconds=300, alarm_after=2))
    player.say("ml-research: notebooks is back on its former image", done=True)


def _quiet(player: _Player) -> Story:
    yield from ()


def _scales(player: _Player, ends: int) -> Story:
    """Inference follows its load."""
    for group in _turns(player, ends, 90 * MINUTE, ("inference",)):
        if len(group.live) > 16:
            leaving = [player.node(group.name, place) for place in range(4)]
            yield from groups.scaled_down(player.stage, group, leaving, {})
        else:
            yield from groups.scaled_up(player.stage, group, 4, {}, noisy=False)
        yield 20 * MINUTE


def _updates(player: _Player, ends: int) -> Story:
    """One group after the other gets its software, without any trouble."""
    names = tuple(name for name, _, _ in player.layout.groups[1:])
    for group in _turns(player, ends, 5 * HOUR, names):
        yield from rollouts.rolled_out(player.stage, group, Plan(3, 300 if player.layout.eks else None))
        yield HOUR


def _turns(player: _Player, ends: int, longest: int, names: tuple[str, ...]) -> Iterator[Group]:
    """Groups in turns, as long as another story would end in time."""
    for name in cycle(names):
        if player.stage.now + longest > ends:
            return
        yield player.group(name)


_PAST: tuple[Callable[[_Player], Story], ...] = (_past_of_prod, _past_of_research, _past_of_hpc)
_NOW: tuple[Callable[[_Player], Story], ...] = (_three_break_down, _update_rolled_back, _quiet)
_LATER: tuple[Callable[[_Player, int], Story], ...] = (_scales, _updates, _updates)
