"""All findings of a cluster, what explains what, and the public records.

Knows: the order of judgements, parents, the record.  Must not know: how a single finding is found.
"""

from __future__ import annotations

from models.deadlines import Thresholds
from models.judge.deadlines import find_overdue, find_unrepaired
from models.judge.drift import find_drift
from models.judge.findings import Finding, anomaly_id
from models.judge.groups import GroupView
from models.judge.items import stamp
from models.judge.notes import find_notes, find_shapes
from models.judge.patterns import correlate, find_flapping, find_storms
from models.judge.planned import is_planned
from models.judge.runs import Owned, all_runs
from models.judge.scene import Scene
from models.judge.texts import EXPECTED, SEVERITY, title
from models.public import Anomaly, AnomalyKind, AnomalyStatus, Cause, Severity, iso

K = AnomalyKind
_FAULTS = frozenset(
    {
        K.OPERATION_FAILED,
        K.LIFECYCLE_SCRIPT_FAILED,
        K.REPLACEMENT_FAILED,
        K.PATCH_FAILED,
        K.ROLLBACK_FAILED,
        K.BAKE_ALARM,
        K.UNHEALTHY_NODE,
    }
)


def find_anomalies(scene: Scene, views: dict[str, GroupView], thresholds: Thresholds) -> list[Anomaly]:
    """Every anomaly of the cluster at the cut, open and resolved."""
    faults = [_of_run(owned) for owned in all_runs(scene, views)]
    _rollbacks(faults)
    found = [*faults, *correlate(scene, thresholds, faults)]
    found += _overdue(scene, views, thresholds, faults)
    found += _unrepaired(scene, thresholds)
    found += find_flapping(scene, thresholds)
    found += find_storms(scene, thresholds)
    found += find_drift(scene, views, thresholds)
    found += find_shapes(scene)
    found += find_notes(scene)
    for finding in found:
        finding.planned = is_planned(scene, views, finding)
    return list({record.anomaly_id: record for record in (_record(scene, finding) for finding in found)}.values())


def _of_run(owned: Owned) -> Finding:
    run = owned.run
    return Finding(
        kind=K(run.kind),
        episode=run.first.event_id,
        opened=run.first.time,
        updated=run.updated,
        resolved=run.cleared,
        node=owned.node,
        group=owned.group,
        machine=run.machine,
        state=run.state,
        code=run.code,
        detail=run.detail or run.message,
        cause=run.cause,
        count=run.count,
        evidence=run.evidence,
    )


def _rollbacks(faults: list[Finding]) -> None:
    """A rollback that follows a bake alarm of its group carries it as its parent."""
    alarms = [fault for fault in faults if fault.kind == K.BAKE_ALARM]
    for fault in faults:
        if fault.kind == K.ROLLBACK_STARTED:
            before = [a for a in alarms if a.group == fault.group_name and a.covers(fault.opened)]
            fault.parent = max(before, key=lambda alarm: alarm.opened, default=None)


def _overdue(scene: Scene, views: dict[str, GroupView], thresholds: Thresholds, faults: list[Finding]) -> list[Finding]:
    """Waits that were too long; a fault, or the group's own wait, explains them."""
    found = [
        Finding(
            kind=K.STUCK,
            episode=wait.episode.event_id,
            opened=wait.opened,
            updated=wait.opened if wait.resolved is None else wait.resolved,
            resolved=wait.resolved,
            node=wait.node,
            group=wait.group,
            machine=wait.machine,
            state=wait.state,
            detail=wait.deadline,
            count=wait.silences,
            evidence=[wait.episode.event_id],
            critical=wait.critical,
        )
        for wait in find_overdue(scene, views, thresholds)
    ]
    for finding in found:
        finding.parent = _explains(finding, faults) or _explains(finding, [f for f in found if f.group])
    return found


def _explains(stuck: Finding, others: list[Finding]) -> Finding | None:
    """What was wrong with the entity, or with its group, when the wait was too long."""
    near = [
        other
        for other in others
        if other is not stuck
        and (other.kind in _FAULTS or other.kind == K.STUCK)
        and other.covers(stuck.opened)
        and (other.node is stuck.node if other.node else other.group == stuck.group_name and other.group)
    ]
    return max(near, key=lambda other: (other.node is not None, other.opened, other.episode), default=None)


def _unrepaired(scene: Scene, thresholds: Thresholds) -> list[Finding]:
    return [
        Finding(
            kind=K.REPAIR_NOT_STARTED,
            episode=late.episode.event_id,
            opened=late.opened,
            updated=late.opened if late.resolved is None else late.resolved,
            resolved=late.resolved,
            node=late.node,
            machine="health",
            state=late.node.state.machines["health"],
            detail=late.action,
            evidence=late.evidence,
        )
        for late in find_unrepaired(scene, thresholds)
    ]


def _record(scene: Scene, finding: Finding) -> Anomaly:
    node = finding.node
    return Anomaly(
        anomaly_id=anomaly_id(scene, finding),
        revision=1,
        kind=finding.kind,
        severity=_severity(finding),
        status=AnomalyStatus.OPEN if finding.resolved is None else AnomalyStatus.RESOLVED,
        cluster_arn=scene.cluster_arn,
        cluster_name=scene.cluster_name,
        instance_group=finding.group_name,
        instance_id=node.instance_id if node else None,
        node_logical_id=node.slot if node else None,
        resource_type=finding.resource_type,
        machine=finding.machine,
        state=finding.state,
        cause=Cause(finding.cause) if finding.cause else None,
        title=title(
            finding.kind,
            code=finding.code,
            machine=finding.machine,
            state=finding.state,
            detail=finding.detail,
            count=finding.count,
        ),
        expected=EXPECTED.get(finding.kind),
        evidence=tuple(finding.evidence),
        count=finding.count,
        opened_at=iso(finding.opened),
        updated_at=iso(max(finding.updated, finding.opened)),
        resolved_at=stamp(finding.resolved),
        planned=finding.planned,
        parent_id=anomaly_id(scene, finding.parent) if finding.parent else None,
    )


def _severity(finding: Finding) -> Severity:
    if finding.kind == K.STUCK and finding.critical:
        return Severity.CRITICAL
    if finding.kind == K.ORCHESTRATION_READY_LOST and finding.planned:
        return Severity.INFO
    return SEVERITY[finding.kind]
