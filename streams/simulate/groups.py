"""What is done to whole groups and clusters: creation, scaling, deletion.

Knows: the order of HyperPod's events around the lives of the members.
Must not know: how a member lives, when a story is played.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from streams.simulate.kernel import Story, after, together
from streams.simulate.lives import born, leave, new_node
from streams.simulate.stage import Stage
from streams.simulate.world import Group, Node

MOST_COMPLAINTS = 60


def created_cluster(stage: Stage, groups: Sequence[tuple[Group, int]]) -> Story:
    """A cluster and all its groups, with so many instances each."""
    cluster = stage.cluster
    for group, count in groups:
        cluster.groups.append(group)
        group.target, group.phase = count, "Creating"
    stage.refresh()
    yield 1
    stage.of_cluster("cluster started", op="create")
    yield stage.between(5, 20)
    yield from _prepared(stage, groups[0][0])
    yield from together(*(after(place * 3, created(stage, group)) for place, (group, _) in enumerate(groups)))
    yield stage.between(5, 30)
    if not cluster.eks:
        stage.of_cluster("drift passed")
        yield 2
    stage.of_cluster("cluster completed", op="create")
    yield stage.between(1, 10)
    cluster.phase = "InService"
    stage.refresh()


def _prepared(stage: Stage, first: Group) -> Story:
    """What is set up before any group, by orchestrator."""
    if stage.cluster.eks:
        stage.of_cluster("slr access", op="create")
        yield 2
        stage.of_cluster("eks access", op="create")
        yield 2
        stage.of_cluster("autoscaling", op="Karpenter")
    else:
        stage.of_group(first, "parameters found")
        yield 2
        stage.of_cluster("munge")
    yield stage.between(2, 10)


def created(stage: Stage, group: Group) -> Story:
    """One group, from its first event to its members' service."""
    group.busy, group.phase, group.status = True, "Creating", "Creating"
    stage.of_group(group, "group started", op="create", scaling=True)
    yield stage.between(5, 30)
    stage.of_group(group, "network found", sg=group.security_group, subnet=group.subnet, zone=group.zone)
    yield stage.between(1, 5)
    if stage.stumbles():
        stage.fault("operation_failed", group=group, operation="network")
        stage.of_group(group, "network failed", "Error")
        yield stage.between(30, 90)
        stage.over("operation_failed", group=group, operation="network")
    if group.ami:
        stage.of_group(group, "ami found", ami=group.ami)
        yield stage.between(1, 5)
    stage.of_group(group, "network determined")
    yield stage.between(5, 20)
    nodes = [new_node(stage, group) for _ in range(group.target)]
    births = [after(stage.between(0, 60), born(stage, node)) for node in nodes]
    yield from together(_file_system(stage, group), *births)
    yield stage.between(5, 30)
    group.busy, group.phase, group.status = False, "InService", "InService"
    stage.over("operation_failed", group=group)
    stage.of_group(group, "group completed", op="create", scaling=True)
    stage.refresh()


def _file_system(stage: Stage, group: Group) -> Story:
    if stage.likely(0.4):
        stage.of_group(group, "fsx creation")
        yield stage.between(420, 720)
        if stage.stumbles():
            stage.fault("operation_failed", group=group, operation="fsx")
            stage.of_group(group, "fsx failed", "Error")
            yield stage.between(30, 90)
            stage.of_group(group, "fsx creation")
            yield stage.between(300, 500)
            stage.over("operation_failed", group=group, operation="fsx")
        group.fsx = True
        stage.of_group(group, "fsx created")


def added(stage: Stage, group: Group, count: int) -> Story:
    """A group that a standing cluster gets."""
    stage.cluster.groups.append(group)
    group.target, group.busy, group.phase = count, True, "Creating"
    stage.of_cluster("cluster started", op="update")
    yield 2
    stage.settle()
    yield from created(stage, group)
    yield stage.between(2, 10)
    stage.of_cluster("cluster completed", op="update")
    yield 1
    stage.settle()


def deleted(stage: Stage, group: Group) -> Story:
    """A group and all that is in it; the next snapshot does not list it."""
    group.busy, group.phase, group.status, group.target = True, "Deleting", "Deleting", 0
    stage.of_group(group, "group started", op="delete", scaling=True)
    yield 2
    stage.settle()
    ends = [after(stage.between(5, 60), leave(stage, node)) for node in group.live]
    yield from together(_file_system_goes(stage, group), *ends)
    yield stage.between(5, 30)
    group.phase, group.status, group.busy = "Deleted", "Deleted", False
    stage.of_group(group, "group completed", op="delete", scaling=True)
    yield stage.between(2, 20)
    stage.settle()


def _file_system_goes(stage: Stage, group: Group) -> Story:
    if group.fsx:
        yield 5
        stage.of_group(group, "fsx deletion")
        yield stage.between(300, 600)
        stage.of_group(group, "fsx deleted")


def scaled_up(stage: Stage, group: Group, count: int, troubles: Mapping[int, str], *, noisy: bool) -> Story:
    """More instances; `troubles`: of the how-manieth which.  `noisy`: the orchestrator's complaints meanwhile."""
    _scaling(stage, group, group.target + count)
    yield 2
    stage.refresh()
    nodes = [new_node(stage, group) for _ in range(count)]
    births = [after(stage.between(2, 40), born(stage, node, troubles.get(place))) for place, node in enumerate(nodes)]
    if noisy:
        stage.spawn(_complaints(stage))
    yield from together(*births)
    yield stage.between(5, 60)
    _scaled(stage, group)
    yield stage.between(1, 5)
    stage.refresh()


def scaled_down(stage: Stage, group: Group, nodes: Sequence[Node], troubles: Mapping[int, str]) -> Story:
    """Fewer instances."""
    for node in nodes:
        node.busy = True
    _scaling(stage, group, group.target - len(nodes))
    yield 2
    stage.refresh()
    ends = [after(stage.between(2, 60), leave(stage, node, troubles.get(n))) for n, node in enumerate(nodes)]
    yield from together(*ends)
    yield stage.between(5, 60)
    _scaled(stage, group)
    yield stage.between(1, 5)
    stage.refresh()


def _scaling(stage: Stage, group: Group, target: int) -> None:
    group.busy, group.phase, group.status, group.target = True, "Scaling", "Updating", target
    stage.of_group(group, "group started", op="scale", scaling=True)


def _scaled(stage: Stage, group: Group) -> None:
    group.busy, group.phase, group.status = False, "InService", "InService"
    stage.over("operation_failed", group=group)
    stage.of_group(group, "group completed", op="scale", scaling=True)


def _complaints(stage: Stage) -> Story:
    """Nodes that are not ready are said to be lost, until counts are equal again."""
    yield 60
    stage.fault("orchestration_ready_lost")
    for _ in range(MOST_COMPLAINTS):
        groups = stage.cluster.standing
        total = sum(group.target for group in groups)
        ready = sum(min(group.current, group.target) for group in groups)
        words = {"lost": max(total - ready, 0), "ready": ready, "total": total, "groups": len(groups)}
        stage.of_cluster("ready lost", "Warn", **words)
        if ready == total:
            stage.over("orchestration_ready_lost")
            break
        yield stage.between(60, 300)
