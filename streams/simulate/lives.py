"""Lives of instances: birth, script, reboot, end.

Knows: what HyperPod says of an instance, in which order and after how long.
Must not know: groups' operations, and when a story is played.
"""

from __future__ import annotations

from collections.abc import Generator

from streams.simulate.kernel import Story, after, together
from streams.simulate.stage import Stage
from streams.simulate.world import Group, Node

SCRIPT_FAILURE = "Lifecycle scripts did not run successfully. Check the logs."
NO_CAPACITY = "We currently do not have sufficient capacity to launch new {} instances. Please try again."
FAULT_TYPES = ("NvidiaErrorTerminate", "NvidiaErrorReboot", "EfaLinkDown", "DiskFailure")
RETRY = 20 * 60
"""HyperPod asks for capacity again about every 20 minutes."""


def new_node(stage: Stage, group: Group) -> Node:
    """An empty slot of the group."""
    node = Node(group, stage.names.uuid(), busy=True)
    group.nodes.append(node)
    return node


def born(stage: Stage, node: Node, trouble: str | None = None) -> Story:
    """An instance from its request to service; `trouble`: one of TROUBLES_OF_BIRTH."""
    yield from _requested(stage, node)
    if trouble == "capacity":
        yield from _short_of_capacity(stage, node, stage.between(1, 3))
    yield from _provisioned(stage, node)
    if trouble == "new instance":
        node = yield from _failed_and_renewed(stage, node)
    yield from script(stage, node, failures=_FAILURES.get(trouble or "", 0), slow=trouble == "slow script")
    yield from configured(stage, node)
    if stage.likely(0.8):
        yield stage.between(5, 30)
        stage.of_node(node, "instance completed", op="create")
    node.busy = False


TROUBLES_OF_BIRTH = ("capacity", "new instance", "same instance", "same instance thrice", "slow script")
_FAILURES = {"same instance": 1, "same instance thrice": 3}


def _requested(stage: Stage, node: Node) -> Story:
    node.phase = "Provisioning"
    stage.of_node(node, "instance started", op="create")
    yield stage.between(2, 20)
    yield from connected(stage, node)


def connected(stage: Stage, node: Node) -> Story:
    """Its capacity and its network interface."""
    if node.group.reservation:
        stage.of_node(node, "reservation found", cr=node.group.reservation)
    else:
        stage.of_node(node, "no reservation")
    yield stage.between(5, 60)
    if node.episode is None and stage.stumbles():
        node.phase = "Failed"
        stage.fault("operation_failed", node=node)
        stage.enters(node, "provision Failed")
        stage.of_node(node, "eni failed", "Error", failure="The network interface limit was reached.")
        yield stage.between(60, 240)
        node.phase = "Provisioning"
    stage.of_node(node, "eni created")


def _provisioned(stage: Stage, node: Node) -> Story:
    yield stage.between(150, 480)
    node.id = stage.names.instance()
    stage.of_node(node, "provisioned")
    stage.over("operation_failed", node=node)
    yield stage.between(10, 60)


def _short_of_capacity(stage: Stage, node: Node, refusals: int) -> Story:
    """Refused so often, two errors a second apart each time, and asked for again."""
    for _ in range(refusals):
        yield stage.between(60, 180)
        failure = NO_CAPACITY.format(node.group.type)
        node.phase = "Failed"
        stage.fault("operation_failed", node=node)
        stage.enters(node, "provision Failed")
        stage.of_node(node, "provision failed", "Error", failure=failure)
        yield 1
        stage.of_node(node, "creation failed", "Error", failure=failure, op="create")
        yield RETRY + stage.between(-60, 60)
        yield from _requested(stage, node)


def script(stage: Stage, node: Node, *, failures: int = 0, slow: bool = False) -> Story:
    """The lifecycle script, tried again on the same instance after each failure."""
    for _ in range(failures):
        yield from script_fails(stage, node)
        yield stage.between(60, 180)
    _script_begins(stage, node)
    if slow:
        yield 600
        stage.fault("stuck", node=node)
        yield stage.between(120, 300)
        stage.over("stuck", node=node)
    else:
        yield stage.between(240, 300)
    node.script, node.phase = "Succeeded", node.episode or "InService"
    stage.over("lifecycle_script_failed", node=node)
    stage.of_node(node, "script", status="Succeeded")


def _script_begins(stage: Stage, node: Node) -> None:
    node.script, node.phase = "Running", node.episode or "LifecycleScript"
    stage.of_node(node, "script", status="Started")


def script_fails(stage: Stage, node: Node) -> Story:
    """One run of the lifecycle script that comes to nothing."""
    _script_begins(stage, node)
    yield stage.between(200, 300)
    node.script, node.phase = "Failed", node.episode or "Failed"
    stage.fault("lifecycle_script_failed", node=node)
    stage.enters(node, "lifecycle_script Failed")
    stage.of_node(node, "script failed", "Error", failure=SCRIPT_FAILURE)


def _failed_and_renewed(stage: Stage, node: Node) -> Generator[int, None, Node]:
    """Its script fails, it goes, and another instance comes into its slot about ten minutes later."""
    yield from script_fails(stage, node)
    yield stage.between(1, 3)
    stage.enters(node, "provision Failed")
    stage.of_node(node, "instance failed", "Error", failure=SCRIPT_FAILURE, op="create")
    yield stage.between(20, 60)
    fresh = _successor(node)
    yield from together(leave(stage, node), after(stage.between(480, 660), _provisioned(stage, fresh)))
    return fresh


def _successor(node: Node) -> Node:
    fresh = Node(node.group, node.slot, busy=True, phase="Provisioning")
    node.group.nodes.append(fresh)
    if node.group.cluster.slots_known:
        node.replaced_by, fresh.replaces = fresh, node
    return fresh


def configured(stage: Stage, node: Node) -> Story:
    """What Kubernetes is told of it."""
    if stage.cluster.eks:
        yield stage.between(5, 30)
        if stage.stumbles():
            stage.fault("operation_failed", node=node, operation="kubernetes")
            stage.of_node(node, "kubernetes failed", "Error", failure="The API server did not answer.")
            yield stage.between(60, 180)
            stage.over("operation_failed", node=node, operation="kubernetes")
        stage.of_node(node, "kubernetes")


def leave(stage: Stage, node: Node, trouble: str | None = None) -> Story:
    """An instance that nobody needs any more; `trouble`: `termination` or `leak`."""
    node.busy, node.phase = True, "Terminating"
    stage.of_node(node, "instance started", op="delete")
    yield stage.between(5, 40)
    yield from ended(stage, node, trouble)
    if stage.likely(0.7):
        yield stage.between(5, 60)
        stage.of_node(node, "instance completed", op="delete")


def ended(stage: Stage, node: Node, trouble: str | None = None) -> Story:
    """From the termination in progress to the last of it."""
    if trouble == "termination":
        stage.fault("operation_failed", node=node)
        stage.of_node(node, "termination failed", "Error", failure="You are not authorized to perform this operation.")
        yield stage.between(240, 480)
    stage.of_node(node, "terminating")
    yield stage.between(180, 900)
    if trouble == "leak":
        stage.fault("resource_leak", node=node)
        stage.of_node(node, "eni deletion failed", "Error", failure="The network interface is in use.")
        yield stage.between(300, 600)
        stage.over("resource_leak", node=node)
    stage.gone(node)
    stage.of_node(node, "eni deleted")


def reboot(stage: Stage, node: Node) -> Story:
    """The same instance comes back; its script does not run again."""
    before, node.busy = node.phase, True
    if stage.stumbles():
        stage.fault("operation_failed", node=node, operation="reboot")
        stage.enters(node, "reboot Failed")
        stage.of_node(node, "reboot failed", "Error", failure="The instance did not answer.")
        yield stage.between(60, 180)
        stage.over("operation_failed", node=node, operation="reboot")
    node.phase = "Rebooting"
    stage.enters(node, "reboot Rebooting")
    stage.of_node(node, "rebooting")
    yield stage.between(60, 180)
    node.phase, node.busy = before, False
    stage.over("unhealthy_node", node=node)
    stage.of_node(node, "instance completed", op="reboot")


def unhealthy(stage: Stage, node: Node, repair: str) -> Story:
    """The health agent tells it, sometimes in two kinds of event."""
    fault = stage.chance.choice(FAULT_TYPES)
    stage.fault("unhealthy_node", node=node)
    stage.health(node, "Unhealthy", repair, fault)
    if stage.likely(0.7):
        yield stage.between(1, 2)
        stage.of_node(node, "unhealthy", "Warn", fault=fault, repair=repair)
