"""Every kind of anomaly opens and ends: one story each, and no kind without one.

Knows: the contract's table of kinds, written down a second time.  Must not know: how any of them is found.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from models.fold import Limits
from models.public import Anomaly
from models.public import AnomalyKind as K
from models.reading import read
from models.unwrap import Value, unwrap
from models.workspace import Workspace
from tests.fleet import Fleet, moment, wire
from tests.stories import (
    ARN,
    Event,
    born,
    cluster,
    group,
    health,
    heartbeat,
    instance,
    node_list,
    replacing,
    rollout_begins,
    says,
    script,
)

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

RESOLVED, EXPLAINED, STAYS = "resolved", "explained", "stays"
"""Ends with a time; is gone as if it had never been; lasts until the program learns the text."""

CLUSTER: tuple[str, str | None] = ("Cluster", None)
WORKERS: tuple[str, str | None] = ("InstanceGroup", "workers")
INSTANCE: tuple[str, str | None] = ("Instance", "i-1")
ALIVE = born("i-1")
ROLLOUT = [*ALIVE, *rollout_begins(), instance("PatchPrepared", "i-1")]
TERMINATED = [instance("TerminationInProgress", "i-1"), instance("EniDeleted", "i-1")]


@dataclass(frozen=True)
class Story:
    """What opens a kind, on whom, and what ends it; `minutes` of silence after the events where it takes them."""

    opens: list[Event]
    ends: list[Event]
    severity: str
    machine: str | None
    entity: tuple[str, str | None] = INSTANCE
    before: list[Event] = field(default_factory=list)
    minutes: float = 0
    ends_after: float = 0
    how: str = RESOLVED
    limits: Limits | None = None


def _fails(name: str) -> list[Event]:
    return [instance("InstanceProvisioned", name), script(name, "Started"), script(name, "Failed")]


def _unready(current: str) -> Event:
    return cluster("OrchestrationReadyLost", current=current, total="8")


REBOOT = [instance("RebootInProgress", "i-1"), instance("InstanceOperationCompleted", "i-1", "reboot")]
LATE = script("i-1", "Started")

STORIES: dict[K, Story] = {
    K.OPERATION_FAILED: Story([group("FsxCreationFailed")], [group("FsxCreationCompleted")], "error", "fsx", WORKERS),
    K.LIFECYCLE_SCRIPT_FAILED: Story(
        _fails("i-1"), [script("i-1", "Started"), script("i-1", "Succeeded")], "error", "lifecycle_script"
    ),
    K.REPLACEMENT_FAILED: Story(
        [instance("ReplacementStarted", "i-1"), instance("ReplacementFailed", "i-1", "creation")],
        [event.at(600 + 60 * place) for place, event in enumerate(replacing("i-2"))],
        "error",
        "replace",
    ),
    K.PATCH_FAILED: Story(
        [instance("RootVolumeReplacementFailed", "i-1")],
        [instance("RootVolumeReplacementStarted", "i-1"), instance("InstancePatched", "i-1")],
        "error",
        "patch",
        before=ROLLOUT,
    ),
    K.PATCH_SKIPPED: Story(
        [instance("PatchSkipped", "i-1")], [group("PatchCompleted")], "warning", "patch", before=ROLLOUT
    ),
    K.BAKE_ALARM: Story(
        [group("BakeAlarm")],
        [instance("InstanceRollbackStarted", "i-1"), instance("InstanceRolledBack", "i-1")],
        "error",
        "patch",
        WORKERS,
        [*ROLLOUT, group("BakeStarted")],
    ),
    K.ROLLBACK_STARTED: Story(
        [instance("InstanceRollbackStarted", "i-1")],
        [instance("InstanceRolledBack", "i-1")],
        "warning",
        "rollback",
        before=ROLLOUT,
    ),
    K.ROLLBACK_FAILED: Story(
        [instance("InstanceRollbackStarted", "i-1"), instance("InstanceRollbackFailed", "i-1")],
        [instance("InstanceRollbackStarted", "i-1"), instance("InstanceRolledBack", "i-1")],
        "critical",
        "rollback",
        before=ROLLOUT,
    ),
    K.UNEXPECTED_TRANSITION: Story(
        [script("i-1", "Started").at(600)],
        [instance("PatchPrepared", "i-1").at(500)],
        "warning",
        "lifecycle_script",
        before=ALIVE,
        how=EXPLAINED,
    ),
    K.MISSING_EVENT: Story(
        [group("GroupOperationCompleted", "scaling").at(600)],
        [group("GroupOperationStarted", "scaling").at(500)],
        "warning",
        "operation",
        WORKERS,
        [group("GroupOperationStarted", "creation"), group("GroupOperationCompleted", "creation")],
        how=EXPLAINED,
    ),
    K.STUCK: Story(
        [instance("RebootInProgress", "i-1")], [REBOOT[1].at(700)], "warning", "reboot", before=ALIVE, minutes=6
    ),
    K.UNHEALTHY_NODE: Story([health("i-1", "Unhealthy")], [health("i-1", "Healthy")], "error", "health", before=ALIVE),
    K.REPAIR_NOT_STARTED: Story(
        [health("i-1", "Unhealthy", "Reboot")],
        [REBOOT[0].at(1200)],
        "critical",
        "health",
        before=ALIVE,
        minutes=11,
    ),
    K.FLAPPING: Story(3 * REBOOT, [], "error", "reboot", before=ALIVE, ends_after=24 * 60),
    K.REPLACEMENT_STORM: Story(
        [instance("ReplacementStarted", f"i-{n}", group=f"group-{n}") for n in range(5)],
        [],
        "critical",
        "replace",
        CLUSTER,
        ends_after=24 * 60,
    ),
    K.CORRELATED_FAILURE: Story(
        [event for n in (1, 2, 3) for event in _fails(f"i-{n}")],
        [script(f"i-{n}", word) for n in (1, 2, 3) for word in ("Started", "Succeeded")],
        "critical",
        None,
        WORKERS,
    ),
    K.DRIFT: Story(
        [node_list(i_1="Failure").at(900)],
        [node_list(i_1="Running").at(3000)],
        "warning",
        "provision",
        before=ALIVE,
        minutes=15,
    ),
    K.SLURM_DRIFT: Story(
        [cluster("SlurmDriftDetected")], [cluster("SlurmReconfigured")], "warning", "slurm_config", CLUSTER
    ),
    K.RESOURCE_LEAK: Story(
        [*TERMINATED, instance("EniDeletionFailed", "i-1")],
        [instance("EniDeleted", "i-1")],
        "warning",
        None,
        before=ALIVE,
    ),
    K.ORCHESTRATION_READY_LOST: Story([_unready("6")], [_unready("8")], "warning", None, CLUSTER),
    K.UNRECOGNIZED_EVENT: Story([says("The moon is full")], [], "info", None, CLUSTER, how=STAYS),
    K.FEED_SILENT: Story([heartbeat()], [heartbeat().at(7200)], "critical", None, CLUSTER, ALIVE, minutes=16),
    K.ZOMBIE: Story([script("i-1", "Succeeded")], [], "info", "provision", before=[*ALIVE, *TERMINATED]),
    K.LATE_EVENT: Story(
        [script("i-1", "Succeeded").at(DAY // 500), LATE.at(60)],
        [],
        "info",
        None,
        before=[instance("InstanceProvisioned", "i-1").at(30), script("i-1", "Started").at(DAY // 1000 - 60)],
        limits=Limits(lateness_ms=HOUR, keep=1),
    ),
    K.CLOCK_SUSPECT: Story([LATE.told(EventTime=1_700_000_000_000)], [], "info", None, before=ALIVE[:1]),
}

AT_ONCE = frozenset({K.ZOMBIE, K.LATE_EVENT, K.CLOCK_SUSPECT})
"""Notes: opened and resolved at once."""
OUTSIDE_FILES = frozenset({K.STALE})
"""Files do not tell when they were read: see the last story."""


def test_every_kind_has_a_story() -> None:
    assert set(K) - set(STORIES) - OUTSIDE_FILES == set()


@pytest.fixture
def known(kind: K) -> Iterator[Fleet]:
    driver = Fleet(STORIES[kind].limits)
    driver.order_matters = STORIES[kind].limits is not None
    yield driver
    driver.check()


def found(known: Fleet, kind: K, minutes: float = 0) -> list[Anomaly]:
    """What there is of a kind about its entity, so many minutes after the newest event."""
    type_, name = STORIES[kind].entity
    document = known.document(known.clock + round(minutes * MINUTE))
    mine = [a for a in document.anomalies if a.kind == kind and a.resource_type == type_]
    return [a for a in mine if name == {"Instance": a.instance_id, "InstanceGroup": a.instance_group}.get(type_)]


@pytest.mark.parametrize("kind", list(STORIES))
def test_a_kind_opens_and_ends(known: Fleet, kind: K) -> None:
    story = STORIES[kind]
    known.sees(story.before)
    assert not found(known, kind)
    known.sees(story.opens)
    if story.minutes:
        assert not found(known, kind)
    (opened,) = found(known, kind, story.minutes)
    assert (opened.severity, opened.machine, opened.cluster_arn) == (story.severity, story.machine, ARN)
    assert opened.status == ("resolved" if kind in AT_ONCE else "open")
    known.sees(story.ends)
    after = found(known, kind, story.ends_after)
    if story.how == EXPLAINED:
        assert after == []
        return
    (ended,) = after
    assert (ended.anomaly_id, ended.opened_at) == (opened.anomaly_id, opened.opened_at)
    assert ended.status == ("open" if story.how == STAYS else "resolved")


def test_what_was_history_when_it_was_read_is_stale_until_the_next_timely_event() -> None:
    known = Workspace(ARN)

    def told(event: Event, at: int, delay: int) -> list[tuple[str, str, str | None, str | None]]:
        for value in unwrap(json.dumps(wire(event, f"e-{at}", at)).encode()):
            assert isinstance(value, Value)
            obs = read(value, latest=lambda _: None)
            known.apply(obs, read_at=obs.time + delay)  # type: ignore[arg-type, union-attr]
        now = round(moment(at).timestamp() * 1000) + MINUTE
        stale = [a for a in known.picture(now).anomalies if a.kind == K.STALE]
        return [(a.status.value, a.severity.value, a.machine, a.instance_id) for a in stale]

    assert told(script("i-1", "Started"), 0, DAY + HOUR) == [("open", "info", None, "i-1")]
    assert told(script("i-1", "Succeeded"), MINUTE, 0) == [("resolved", "info", None, "i-1")]
