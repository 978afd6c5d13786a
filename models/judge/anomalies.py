"""All findings of a cluster, what explains what, and the public records.

Knows: the order of judgements, parents, the record.  Must not know: how a single finding is found.
"""

from __future__ import annotations

from models.deadlines import Thresholds
from models.feeds import Feed
from models.judge.causes import Causes
from models.judge.deadlines import find_overdue
from models.judge.drift import find_drift
from models.judge.ends import Ends
from models.judge.feeds import explaining, find_silent
from models.judge.findings import Finding, anomaly_id
from models.judge.groups import GroupView
from models.judge.incidents import correlate
from models.judge.items import stamp
from models.judge.lineage import Lineage
from models.judge.notes import find_notes, find_outdated, find_shapes
from models.judge.patterns import find_flapping, find_storms
from models.judge.planned import plan
from models.judge.repairs import find_unrepaired
from models.judge.runbooks import runbook
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


def find_anomalies(
    scene: Scene, views: dict[str, GroupView], lineage: Lineage, thresholds: Thresholds, feed: Feed | None = None
) -> list[Anomaly]:
    """Every anomaly of the cluster at the cut, open and resolved."""
    ends = Ends(scene, views, lineage)
    faults = [_of_run(owned) for owned in all_runs(scene, views, lineage)]
    _rollbacks(faults)
    found = [*faults, *correlate(scene, lineage, thresholds, faults)]
    silent = find_silent(scene, feed, thresholds)
    found += _overdue(scene, ends, thresholds, faults, silent)
    found += find_unrepaired(scene, ends, thresholds)
    found += find_flapping(scene, lineage, thresholds)
    found += find_storms(scene, thresholds)
    found += find_drift(scene, views, ends, thresholds)
    found += [*find_shapes(scene), *find_notes(scene), *find_outdated(scene)]
    for finding in found:
        plan(scene, views, lineage, finding)
    found += silent  # whoever works on a cluster, nobody planned to hear nothing of it
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
        family=run.family,
        detail=run.detail or run.message,
        cause=run.cause,
        count=run.count,
        evidence=run.evidence,
        struck=run.fault_at,
    )


def _rollbacks(faults: list[Finding]) -> None:
    """A rollback that follows a bake alarm of its group carries it as its parent."""
    alarms = [fault for fault in faults if fault.kind == K.BAKE_ALARM]
    for fault in faults:
        if fault.kind == K.ROLLBACK_STARTED:
            before = [a for a in alarms if a.group == fault.group_name and a.covers(fault.opened)]
            fault.parent = max(before, key=lambda alarm: alarm.opened, default=None)


def _overdue(
    scene: Scene, ends: Ends, thresholds: Thresholds, faults: list[Finding], silent: list[Finding]
) -> list[Finding]:
    """Waits that were too long; a fault explains them, or the group's own wait, or that nothing could be heard."""
    found = list(find_overdue(scene, ends, thresholds))
    causes = Causes(fault for fault in faults if fault.kind in _FAULTS)
    groups = Causes(finding for finding in found if finding.group)
    for finding in found:
        finding.parent = causes.explain(finding) or (_held_up(finding, groups) if finding.node else None)
        finding.parent = finding.parent or explaining(finding, silent, thresholds)
    return found


def _held_up(stuck: Finding, groups: Causes) -> Finding | None:
    """The wait of the member's own group; inside it a member's shorter deadline passes first."""
    if (found := groups.explain(stuck)) is not None:
        return found
    later = [
        wait
        for wait in groups.of_group(stuck.group_name)
        if _inside(stuck, wait) and (not stuck.resolved or wait.opened <= stuck.resolved)
    ]
    first = min(later, key=lambda wait: (wait.opened, wait.episode), default=None)
    stuck.updated = max(stuck.updated, first.opened) if first else stuck.updated
    return first


def _inside(stuck: Finding, wait: Finding) -> bool:
    """Whether the one began in the course of the other, which was found too long afterwards."""
    return (
        wait.began is not None and stuck.began is not None and wait.began <= stuck.began < stuck.opened <= wait.opened
    )


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
            family=finding.family,
        ),
        expected=EXPECTED.get(finding.kind),
        evidence=tuple(finding.evidence),
        count=finding.count,
        opened_at=iso(finding.opened),
        updated_at=iso(max(finding.updated, finding.opened)),
        resolved_at=stamp(finding.resolved),
        planned=finding.planned,
        parent_id=anomaly_id(scene, finding.parent) if finding.parent else None,
        runbook=runbook(scene, finding),
    )


def _severity(finding: Finding) -> Severity:
    if finding.kind == K.STUCK and finding.critical:
        return Severity.CRITICAL
    if finding.kind == K.ORCHESTRATION_READY_LOST and finding.planned:
        return Severity.INFO
    return SEVERITY[finding.kind]
