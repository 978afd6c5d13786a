"""What a table row holds.

Knows: the shape of rows.  Must not know: how a row moves (`models.fold`), its bytes (`models.stored`), Kafka, Faust.

A row is a checkpoint (the state after everything that can no longer change) plus the observations that may still be
joined by late ones, in order, plus the state after all of them.  Times are epoch milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Literal

import msgspec

from models.bursts import Span, together
from models.held import Held
from models.observation import Observation
from models.rollout import Rollout
from models.sayings import Contradiction, Word

FOLD_VERSION = 2
"""Grows with every change of the fold or of a row's shape that makes old rows mean something else."""

HISTORY = 200
HISTORY_MS = 86_400_000
LATE_MS = 120_000
"""An event that was read so long after it had happened was not on its way all the time: more like it may follow."""
ENDED_RUNS = 200
EVIDENCE = 50
MARKS = 50
SHAPES = 100
ANONYMOUS = 200
ROLLOUTS = 20
BAKES = 20
UPDATES = 100

Level = Literal["cluster", "group", "instance", "slot"]


class Key(msgspec.Struct, frozen=True, array_like=True, order=True, gc=False):
    """The judged order of one event."""

    time: int
    rank: int
    event_id: str


class Change(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One machine that one event changed; `machine` is None where it changed none."""

    time: int
    event_id: str
    code: str
    machine: str | None
    origin: str | None
    target: str | None
    legal: bool


class Run(msgspec.Struct, omit_defaults=True, gc=False):
    """The faults of one kind on one entity from the first to the success that ends them: one anomaly."""

    kind: str
    family: str
    first: Key
    updated: int
    topics: list[str]
    """What has still to be covered by a success; empty once cleared."""
    machine: str | None = None
    state: str | None = None
    code: str = ""
    count: int = 1
    evidence: list[str] = []
    cause: str | None = None
    message: str | None = None
    detail: str | None = None
    """What the title needs beside the code: a path, a shape, a fault type, alarm names."""
    cleared: int | None = None
    fault_at: list[int] = []
    """Times of the newest faults' first events, oldest first."""


class LastFault(msgspec.Struct, gc=False):
    """The newest fault of an entity: what comes within 5 s of its first event belongs to it."""

    first: Key
    kind: str
    family: str
    evidence: list[str]
    topics: list[str]


class Anonymous(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An instance's event that names neither instance nor slot: known by its group only."""

    key: Key
    code: str
    kind: str | None
    """The fault's kind; None for a success."""
    family: str | None
    topics: list[str]
    """What a fault needs, or what a success covers."""
    cause: str | None
    message: str | None


class Shape(msgspec.Struct, omit_defaults=True, gc=False):
    """Unrecognised events of one shape."""

    first: Key
    updated: int
    count: int = 1
    evidence: list[str] = []


class DayNote(msgspec.Struct, omit_defaults=True, gc=False):
    """Events of one UTC day that share a flaw of time."""

    first: Key
    updated: int
    count: int = 1
    evidence: list[str] = []


class Observed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a snapshot said of an instance."""

    time: int
    status: str | None
    message: str | None
    instance_group: str | None
    node_logical_id: str | None

    def order(self) -> tuple[int, str, str, str, str]:
        """The newest comes last; of two of one moment always the same."""
        return self.time, str(self.status), str(self.message), str(self.instance_group), str(self.node_logical_id)


class Wait(msgspec.Struct, omit_defaults=True, gc=False):
    """One stay in a waiting state, and the silences of a minute and more inside it."""

    machine: str
    state: str
    entered: Key
    restarted: int
    """Time of the last sign of progress."""
    silences: tuple[tuple[int, int], ...] = ()
    ended: int | None = None
    seconds: int = 0
    """Of a bake: how long it was to take."""
    batches: int = 0
    """Of a rollout: batches selected so far."""
    failed: str | None = None
    """Of phase Failed: the machine that failed."""


class Repair(msgspec.Struct, omit_defaults=True, gc=False):
    """A repair that the health agent asked for."""

    asked: Key
    action: str
    begun: int | None = None
    """When a reboot, replacement or termination began, or the node was healthy again."""
    evidence: list[str] = []
    health: str | None = None
    """What the agent found: Unhealthy or Degraded."""


class Report(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How many instances a snapshot counted in a group."""

    time: int
    count: int
    event_id: str


class Absence(msgspec.Struct, omit_defaults=True, gc=False):
    """A group that snapshots knew, and then no longer listed."""

    group: str
    since: Key
    """The first snapshot without it."""
    again: Key | None = None
    """The second one in a row."""
    back: Key | None = None
    """The snapshot that listed it again."""


class Former(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A group that was deleted, and whose name is that of another one since."""

    deleted: int
    told: bool
    """False where only the beginning of its deletion was: `deleted` is that."""
    created: int
    """When the other one began."""


class State(msgspec.Struct, omit_defaults=True, gc=False):
    """The state of one entity after its events: what `models.steps` moves.

    Into a mapping nobody writes: another one takes its place, so that many states may have the same one.
    """

    level: Level
    machines: Mapping[str, str]
    """By machine."""
    cluster_name: str | None = None
    instance_group: str | None = None
    node_logical_id: str | None = None
    origin: str | None = None
    phase: str = "Unknown"
    since: int | None = None
    newest: int | None = None
    """Time of the newest event."""
    oldest: int | None = None
    """Time of the first event."""
    changed: dict[str, int] = {}
    """When a machine entered its present state; machines that never moved are absent."""
    signals: dict[str, str] = {}
    """The last signal that a machine took or confirmed."""
    history: list[Change] = []
    runs: tuple[Run, ...] = ()
    last_fault: LastFault | None = None
    clock: Mapping[str, DayNote] = {}
    shapes: Mapping[str, Shape] = {}
    # instance
    schedulable: bool = True
    in_service: tuple[int, ...] = ()
    touched: tuple[int, ...] = ()
    """When a rollout did something to the instance."""
    rolled_back: tuple[tuple[int, str], ...] = ()
    updates: tuple[tuple[int, str], ...] = ()
    """What rollouts and rollbacks did to the instance, step by step: `models.steps.marks` has the words."""
    replaced: tuple[int, ...] = ()
    """When replacements of which this is the new instance completed."""
    repairs: tuple[Repair, ...] = ()
    bad: tuple[int, ...] = ()
    """When it failed or a repair was asked for: what a replacement may follow."""
    good: tuple[int, ...] = ()
    """When it was in service or healthy again: what makes the earlier ones moot."""
    left: int | None = None
    """When it began to leave."""
    entries: Mapping[str, tuple[Key, ...]] = {}
    """The newest entries into states that flap, by `machine state`."""
    shared: Mapping[str, str] = {}
    """What it shares with others: capacity reservation, AMI, subnet, availability zone."""
    # every level
    waits: dict[str, Wait] = {}
    past_waits: tuple[Wait, ...] = ()
    # group and cluster
    current_count: int | None = None
    target_count: int | None = None
    min_count: int | None = None
    reported: str | None = None
    """Of a group: the status word of the newest snapshot."""
    by_snapshot: tuple[str, ...] = ()
    """Machines whose present state a snapshot set, not an event."""
    said: Mapping[str, str] = {}
    """The newest snapshot's words, by what they are about."""
    contradicted: Mapping[str, Contradiction] = {}
    """What snapshots say and machines contradict, by machine."""
    contradictions: tuple[Contradiction, ...] = ()
    """The same where one of them gave way."""
    updating_at: int | None = None
    """When a snapshot last showed the software being updated."""
    operations: dict[str, int] = {}
    """Operations begun and not ended, by their machine state."""
    spans: tuple[tuple[str, int, int], ...] = ()
    """Operations that have ended: machine state, begin, end."""
    completed: tuple[int, ...] = ()
    """When operations ended well."""
    even: tuple[tuple[int, int | None], ...] = ()
    """Spans in which the current count was known to be the target; the last may still go on."""
    rollouts: tuple[Rollout, ...] = ()
    anonymous: tuple[Anonymous, ...] = ()
    served: bool = False
    instance_type: str | None = None
    images: tuple[str | None, str | None] | None = None
    """The current and the desired image that the newest snapshot named."""
    targets: tuple[tuple[int, int], ...] = ()
    """When the target count changed, and to what."""
    reports: tuple[Report, ...] = ()
    """What snapshots counted."""
    former: tuple[Former, ...] = ()
    # cluster
    polls: tuple[int, ...] = ()
    """When the newest node lists were complete."""
    loose: tuple[int, ...] = ()
    """Lists by changes since then whose base was not heard, and those that go on from them."""
    gaps: tuple[tuple[int, int | None], ...] = ()
    """After which list one was not heard, and which one told everything again."""
    listed: list[str] | None = None
    listed_at: int | None = None
    absent: dict[str, Absence] = {}
    """Groups that were in an earlier snapshot and are not in the newest one."""
    returns: tuple[Absence, ...] = ()
    """The same of groups that snapshots listed again."""


class Read(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An event and when it was read: the Kafka record's time."""

    event: Key
    read_at: int

    @property
    def is_history(self) -> bool:
        """Whether it was read more than a day after it had happened."""
        return self.read_at - self.event.time > HISTORY_MS

    @property
    def is_late(self) -> bool:
        """Whether it was read so late that what happened next may be on its way still."""
        return self.read_at - self.event.time > LATE_MS

    @property
    def last(self) -> tuple[int, Key]:
        """By what the one that was read last is found: of those read in one millisecond always the same."""
        return self.read_at, self.event


class Kept(msgspec.Struct, omit_defaults=True, gc=False):
    """What a row has beside its states and events: in bytes it is the same."""

    horizon: Key | None = None
    """The newest event inside the checkpoint."""
    pushed_out: int = 0
    """Events that the ceiling moved into the checkpoint before their time."""
    observed: Observed | None = None
    """The newest snapshot's word; beside the machines, so it needs no order."""
    observed_from: int | None = None
    """When a snapshot first said something of it."""
    words: tuple[Word, ...] = ()
    """What node lists said of the instance."""
    old_words: tuple[Word, ...] = ()
    """The same after those that the cluster's checkpoint has absorbed."""
    late: Mapping[str, DayNote] = {}
    late_history: tuple[Change, ...] = ()
    passed: tuple[str, ...] = ()
    """Of a cluster: the newest absorbed snapshots that left no trace in its history; what did is known by that."""
    own_first: Key | None = None
    """Of an instance: the first absorbed event that named it itself."""
    own_leaving: bool = False
    """That event was about its end already: what came before in the slot was not its birth."""
    slots: tuple[str, ...] = ()
    """Of an instance: the slots that its absorbed events named."""
    attempt: Key | None = None
    """The first absorbed event that named a slot only and began an attempt at a new instance."""
    newest_read: Read | None = None
    """The newest event, where the time of its reading was told."""
    outdated: tuple[tuple[Read, int], ...] = ()
    """Newest events that were read long after they had happened, and when the next one that was not happened."""
    late_read: Read | None = None
    """The event that was read last of those that were read late."""
    late_before: Read | None = None
    """The same of those that were read `SPREAD_MS` or more before it: what it said of the history holds on."""
    late_spans: tuple[Span, ...] = ()
    """When events were read late, in the 15 minutes before the last time."""
    history_from: int | None = None
    """The oldest event that was history when it was read, until the newest one is not."""
    unsure: tuple[tuple[int, int], ...] = ()
    """Of a cluster: spans of time of which the rows cannot tell the past (see `models.past`)."""


class Row(Kept, kw_only=True, gc=False):
    """One row to work with; `models.stored` has its bytes."""

    checkpoint: State
    state: State
    retained: list[Held] = []
    size: int = 0
    """Bytes of `retained`, roughly, as if no two events were of one subject."""
    stale: bool = False
    """`state` is older than `retained`: `models.fold.settle` has to fold again."""
    coming: tuple[Observation, ...] = ()
    """The last ones of `retained` that `state`, where it is not stale, does not know yet."""
    marks: tuple[tuple[int, State], ...] = ()
    """States after so many of `retained`, from which a refold may begin."""

    def follow_reading(self, giver: Row) -> None:
        """Remember when another row's events were read late: a slot that has its instance is no more."""
        self.late_spans = together(self.late_spans, giver.late_spans)
        reads = [read for read in (self.late_read, giver.late_read) if read is not None]
        self.late_read = max(reads, key=attrgetter("last"), default=None)

    @property
    def is_outdated(self) -> bool:
        """Whether the newest event was history already when it was read."""
        return self.newest_read is not None and self.newest_read.is_history
