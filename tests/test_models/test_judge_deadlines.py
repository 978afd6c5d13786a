"""Stories of waiting: nothing before the deadline, a warning after it, critical later, and an end that is announced."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from models.public import Anomaly
from tests.fleet import Fleet, moment
from tests.stories import (
    Event,
    born,
    cluster,
    group,
    instance,
    node_list,
    rollout_begins,
    script,
    state_change,
)

MINUTE = 60_000


def stuck(fleet: Fleet, minutes: float, **fields: Any) -> list[Anomaly]:
    """What is or was stuck so many minutes after the newest event."""
    found = fleet.document(fleet.clock + int(minutes * MINUTE)).anomalies
    return [a for a in found if a.kind == "stuck" and all(getattr(a, name) == value for name, value in fields.items())]


def of(code: str, operation: str | None = None) -> Event:
    return instance(code, "i-1", operation)


@dataclass(frozen=True)
class Wait:
    """Events that lead into a wait, its deadlines in minutes, and what ends it."""

    state: str
    slow: float
    stuck: float
    ends: Event
    begins: list[Event]
    machine: str | None
    before: list[Event] = field(default_factory=list)


ALIVE = born("i-1")
CASES = {
    "cluster creating": Wait(
        "Creating",
        30,
        60,
        cluster("ClusterOperationCompleted", "creation"),
        [cluster("ClusterOperationStarted", "creation")],
        "operation",
    ),
    "cluster rolling back": Wait(
        "RollingBack", 60, 120, state_change("InService"), [state_change("RollingBack")], None
    ),
    "requested": Wait(
        "Requested",
        15,
        30,
        instance("InstanceProvisioned", "i-1").slot("s-1"),
        [instance("InstanceOperationStarted", operation="creation").slot("s-1")],
        "provision",
    ),
    "network ready": Wait(
        "NetworkReady",
        15,
        30,
        instance("InstanceProvisioned", "i-1").slot("s-1"),
        [instance("EniCreated").slot("s-1")],
        "provision",
    ),
    "script running": Wait(
        "Running",
        10,
        30,
        script("i-1", "Succeeded"),
        [script("i-1", "Started")],
        "lifecycle_script",
        [of("InstanceProvisioned")],
    ),
    "rebooting": Wait(
        "Rebooting", 5, 15, of("InstanceOperationCompleted", "reboot"), [of("RebootInProgress")], "reboot", ALIVE
    ),
    "replacing": Wait(
        "Replacing", 30, 45, of("ReplacementCompleted", "creation"), [of("ReplacementStarted")], "replace"
    ),
    "terminating": Wait("Terminating", 30, 60, of("EniDeleted"), [of("TerminationInProgress")], "provision", ALIVE),
    "patching": Wait("Prepared", 25, 45, of("SchedulableRestored"), [of("PatchPrepared")], "patch", ALIVE),
    "root volume": Wait(
        "ReplacingRootVolume",
        25,
        45,
        of("InstancePatched"),
        [of("RootVolumeReplacementStarted")],
        "patch",
        [*ALIVE, of("PatchPrepared")],
    ),
    "instance rolling back": Wait(
        "RollingBack",
        30,
        60,
        of("InstanceRolledBack"),
        [of("InstanceRollbackStarted")],
        "rollback",
        [*ALIVE, *rollout_begins(), of("PatchPrepared")],
    ),
    "deep health check": Wait(
        "DeepHealthCheckInProgress",
        60,
        120,
        node_list(i_1="Running"),
        [node_list(i_1="DeepHealthCheckInProgress")],
        None,
        ALIVE,
    ),
    "failed": Wait(
        "Failed",
        60,
        90,
        script("i-1", "Started"),
        [script("i-1", "Failed")],
        "lifecycle_script",
        [of("InstanceProvisioned"), script("i-1", "Started")],
    ),
    "group creating": Wait(
        "Creating",
        30,
        60,
        group("GroupOperationCompleted", "creation"),
        [group("GroupOperationStarted", "creation")],
        "operation",
    ),
    "group updating": Wait(
        "Updating",
        30,
        60,
        group("GroupOperationCompleted", "update"),
        [group("GroupOperationStarted", "update")],
        "operation",
    ),
    "group scaling": Wait(
        "Scaling",
        30,
        60,
        group("GroupOperationCompleted", "scaling"),
        [group("GroupOperationStarted", "scaling")],
        "operation",
    ),
    "group deleting": Wait(
        "Deleting",
        30,
        60,
        group("GroupOperationCompleted", "deletion"),
        [group("GroupOperationStarted", "deletion")],
        "operation",
    ),
    "rollout": Wait("InProgress", 60, 90, group("PatchCompleted"), [group("PatchStarted")], "patch"),
    "baking": Wait(
        "Baking", 12, 20, group("BakeCompleted", duration="600"), [group("BakeStarted", duration="600")], "patch",
        rollout_begins(),
    ),
    "file system": Wait("Creating", 20, 45, group("FsxCreationCompleted"), [group("FsxCreationStarted")], "fsx"),
    "file system updated": Wait("Updating", 20, 45, group("FsxUpdateCompleted"), [group("FsxUpdateStarted")], "fsx"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_wait_is_warned_of_then_critical_then_over(fleet: Fleet, name: str) -> None:
    case = CASES[name]
    fleet.sees(case.before)
    fleet.sees(case.begins)
    own: dict[str, Any] = {"machine": case.machine, "state": case.state}
    entered = moment(fleet.clock)
    assert not stuck(fleet, case.slow, **own)
    (slow,) = stuck(fleet, case.slow + 1, **own)
    assert (slow.severity, slow.status) == ("warning", "open")
    opened = moment(fleet.clock + int(case.slow * MINUTE)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert (slow.opened_at, slow.updated_at) == (opened, opened), entered
    (late,) = stuck(fleet, case.stuck + 1, **own)
    assert (late.severity, late.status, late.anomaly_id) == ("critical", "open", slow.anomaly_id)
    assert late.updated_at > late.opened_at == opened

    fleet.waits(case.slow + 5)
    fleet.sees(case.ends)
    (over,) = stuck(fleet, 0, **own)
    assert (over.severity, over.status) == ("warning", "resolved")
    assert over.opened_at == opened
    assert over.resolved_at == fleet.document().summary.watermark
    assert name in ("requested", "network ready") or over.anomaly_id == slow.anomaly_id
    (later,) = stuck(fleet, 3 * case.stuck, **own)
    assert later == over


@pytest.mark.parametrize("name", CASES)
def test_an_event_within_the_deadline_leaves_no_trace(fleet: Fleet, name: str) -> None:
    case = CASES[name]
    fleet.sees(case.before)
    fleet.sees(case.begins)
    fleet.waits(case.slow - 1)
    fleet.sees(case.ends)
    assert not stuck(fleet, 0, state=case.state, machine=case.machine)
