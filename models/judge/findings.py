"""A finding: what any judgement has to say, before it becomes a public record.

Knows: the entity, the episode, the times.  Must not know: how it was found, texts, ids of other findings.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from models.canonical import digest
from models.judge.scene import Node, Scene
from models.public import AnomalyKind


@dataclass
class Finding:
    """One anomaly of one entity, at the cut.  Times are epoch ms."""

    kind: AnomalyKind
    episode: str
    """What makes this one of its kind, entity and machine: as a rule the id of the run's first event."""
    opened: int
    updated: int
    resolved: int | None
    node: Node | None = None
    group: str | None = None
    machine: str | None = None
    state: str | None = None
    code: str = ""
    family: str = ""
    detail: str | None = None
    cause: str | None = None
    count: int = 1
    evidence: list[str] = field(default_factory=list)
    critical: bool = False
    planned: bool = False
    parent: Finding | None = None
    struck: list[int] = field(default_factory=list)
    """Of a fault: the times at which it happened."""
    began: int | None = None
    """Of a wait: when it began."""
    of_cluster: bool = False
    """Whether its id is the cluster's: which groups it touches may change while it lasts."""

    @property
    def resource_type(self) -> str:
        """The contract's word for the level."""
        return "Instance" if self.node else "InstanceGroup" if self.group else "Cluster"

    @property
    def group_name(self) -> str | None:
        """The group that it is in, or is about."""
        return self.node.group if self.node else self.group

    def covers(self, at: int) -> bool:
        """Whether it was open then."""
        return self.opened <= at and (self.resolved is None or at <= self.resolved)


def anomaly_id(scene: Scene, finding: Finding) -> str:
    """A hash of kind, entity, machine and episode: the same from every replay, restart and redelivery."""
    node = finding.node
    entity: list[str | None] = [finding.resource_type, finding.group]
    if finding.of_cluster:
        entity = ["Cluster", None]
    elif node:
        entity = ["Instance", node.instance_id, None if node.instance_id else node.slot]
    return digest(finding.kind, scene.cluster_arn, entity, finding.machine, finding.episode)
