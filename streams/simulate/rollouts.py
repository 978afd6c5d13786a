"""Software updates of a group: batches, skips, baking, alarms, rollback.

Knows: UpdateClusterSoftware as HyperPod tells it on EKS and on Slurm.
Must not know: when a rollout is played.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from streams.simulate.kernel import Story, after, together
from streams.simulate.lives import script
from streams.simulate.stage import Stage
from streams.simulate.truth import Update
from streams.simulate.world import Group, Node

ALARMS = "nccl-errors, job-failures"


@dataclass(frozen=True)
class Plan:
    """How a rollout goes.  `alarm_after`: how many batches until the alarms go off."""

    batches: int
    bake_seconds: int | None
    skipped: int = 0
    failing: int = 0
    alarm_after: int | None = None


def rolled_out(stage: Stage, group: Group, plan: Plan) -> Story:
    """A rollout from its schedule to its end, whichever that is."""
    nodes = [node for node in group.live if not node.busy]
    skipped, nodes = nodes[: plan.skipped], nodes[plan.skipped :]
    for node in (*skipped, *nodes):
        node.busy = True
    group.busy, group.update = True, "Pending"
    stage.of_group(group, "patch scheduled")
    yield stage.between(20, 120)
    update = Update(group, stage.now, list(skipped))
    stage.truth.updates.append(update)
    yield from _begun(stage, group)
    done: list[Node] = []
    for number, batch in enumerate(_batches(nodes, plan.batches), 1):
        update.batches = number
        yield from _batch(stage, group, batch, skipped if number == 1 else (), plan)
        done += batch
        update.updated += batch
        if plan.bake_seconds is not None:
            yield from _bake(stage, group, plan.bake_seconds, alarm=number == plan.alarm_after)
        if number == plan.alarm_after:
            yield from _rolled_back(stage, group, done, update)
            break
    else:
        update.outcome, update.ended = "Completed", stage.now
        yield from _completed(stage, group)
    for node in (*skipped, *nodes):
        stage.over("patch_skipped", node=node)
        node.busy = False
    group.busy = False
    yield stage.between(1, 5)
    stage.settle()


def _batches(nodes: Sequence[Node], count: int) -> list[Sequence[Node]]:
    size = max(1, -(-len(nodes) // count))
    return [nodes[place : place + size] for place in range(0, len(nodes), size)]


def _begun(stage: Stage, group: Group) -> Story:
    group.phase, group.status, group.update = "Patching", "SystemUpdating", "InProgress"
    group.desired_image = f"ami-0{stage.names.hex(16)}"
    stage.of_group(group, "patch started", strategy="Rolling")
    yield 2
    stage.settle()
    yield stage.between(3, 20)


def _batch(stage: Stage, group: Group, batch: Sequence[Node], skipped: Sequence[Node], plan: Plan) -> Story:
    stage.of_group(group, "batch selected")
    yield stage.between(2, 20)
    for node in skipped:
        stage.fault("patch_skipped", node=node)
        stage.of_node(node, "skipped", "Warn")
        yield 1
    steps = [
        after(stage.between(0, 60), _patched(stage, node, fails=place < plan.failing and not skipped))
        for place, node in enumerate(batch)
    ]
    yield from together(*steps)
    yield stage.between(5, 30)


def _patched(stage: Stage, node: Node, *, fails: bool) -> Story:
    node.episode = node.phase = "Patching"
    if stage.cluster.eks:
        node.schedulable = False
        stage.of_node(node, "cordoned")
        yield stage.between(60, 240)
    if fails:
        stage.fault("patch_failed", node=node)
        stage.enters(node, "patch Failed")
        stage.of_node(node, "volume failed", "Error", failure="The root volume could not be replaced.")
        yield stage.between(120, 240)
    stage.of_node(node, "volume started")
    yield stage.between(240, 480)
    yield from script(stage, node)
    yield stage.between(20, 60)
    node.episode, node.phase = None, "InService"
    stage.over("patch_failed", node=node)
    stage.of_node(node, "patched")
    if stage.cluster.eks:
        yield stage.between(5, 60)
        node.schedulable = True
        stage.of_node(node, "restored")


def _bake(stage: Stage, group: Group, seconds: int, *, alarm: bool) -> Story:
    stage.of_group(group, "baking", alarms=ALARMS, seconds=seconds)
    group.phase = "Baking"
    yield seconds // 2 if alarm else seconds
    group.phase = "Patching"
    if not alarm:
        stage.of_group(group, "baked", seconds=seconds)
        yield stage.between(2, 20)


def _completed(stage: Stage, group: Group) -> Story:
    group.image, group.update = group.desired_image, "Succeeded"
    group.phase, group.status = "InService", "InService"
    stage.of_group(group, "patch completed")
    yield 0


def _rolled_back(stage: Stage, group: Group, nodes: Sequence[Node], update: Update) -> Story:
    group.phase, group.update = "RollingBack", "RollbackInProgress"
    group.image, group.desired_image = group.desired_image, group.image
    stage.fault("bake_alarm", group=group)
    stage.of_group(group, "alarm", "Error", alarms=ALARMS)
    yield stage.between(2, 10)
    stage.fault("rollback_started", group=group)
    stage.of_group(group, "group rollback", "Error")
    yield 2
    stage.settle()
    backs = [after(stage.between(5, 60), _goes_back(stage, node)) for node in nodes]
    yield from together(*backs)
    update.outcome, update.ended = "RolledBack", stage.now
    stage.over("bake_alarm", "rollback_started", group=group)
    group.image, group.update = group.desired_image, "RollbackComplete"
    group.phase, group.status = "InService", "InService"
    yield stage.between(2, 10)


def _goes_back(stage: Stage, node: Node) -> Story:
    node.episode = node.phase = "RollingBack"
    stage.fault("rollback_started", node=node)
    stage.of_node(node, "rollback", "Error")
    yield stage.between(300, 600)
    yield from script(stage, node)
    yield stage.between(20, 60)
    node.episode, node.phase = None, "InService"
    stage.over("rollback_started", node=node)
    stage.of_node(node, "rolled back")
