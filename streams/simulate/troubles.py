"""What goes wrong with nodes and clusters that were in service, and how it ends, or does not.

Knows: the contract's kinds of anomalies by name, and when each must open and clear.
Must not know: how anybody finds them.
"""

from __future__ import annotations

from collections.abc import Sequence

from streams.simulate.kernel import Story, after, together
from streams.simulate.lives import reboot, unhealthy
from streams.simulate.replacements import replaced
from streams.simulate.stage import Stage
from streams.simulate.world import Node

YEAR_MS = 365 * 24 * 3600 * 1000
REPAIR_DUE = 600


def _taken(nodes: Sequence[Node]) -> None:
    for node in nodes:
        node.busy = True


def mended_by_replacement(stage: Stage, node: Node, failures: tuple[str, ...] = ()) -> Story:
    """Unhealthy, and replaced; some attempts may fail."""
    _taken([node])
    yield from unhealthy(stage, node, "Replace")
    yield stage.between(2, 40)
    yield from replaced(stage, node, failures)


def replaced_late(stage: Stage, node: Node) -> Story:
    """The repair that was asked for begins after its ten minutes."""
    _taken([node])
    asked = stage.now
    yield from unhealthy(stage, node, "Replace")
    yield REPAIR_DUE - (stage.now - asked)
    stage.fault("repair_not_started", node=node)
    yield stage.between(60, 400)
    stage.over("repair_not_started", node=node)
    yield from replaced(stage, node)


def mended_by_reboot(stage: Stage, node: Node, times: int = 1) -> Story:
    """Unhealthy and rebooted, as often as that."""
    for _ in range(times):
        _taken([node])
        yield from unhealthy(stage, node, "Reboot")
        yield stage.between(2, 40)
        yield from reboot(stage, node)
        node.busy = True
        yield stage.between(10, 60)
        stage.health(node, "Healthy")
        yield stage.between(600, 1200)
    node.busy = False


def well_again(stage: Stage, node: Node) -> Story:
    """Unhealthy for a while, with nothing to be done."""
    _taken([node])
    yield from unhealthy(stage, node, "None")
    yield stage.between(120, 1200)
    stage.over("unhealthy_node", node=node)
    stage.health(node, "Healthy")
    node.busy = False


def failing_together(stage: Stage, nodes: Sequence[Node]) -> Story:
    """Several of one group within minutes, each of them replaced."""
    _taken(nodes)
    yield from together(*(after(place * 90, mended_by_replacement(stage, node)) for place, node in enumerate(nodes)))


def drifting(stage: Stage, *, mended: bool = True) -> Story:
    """Slurm's configuration drifts, and is mended."""
    stage.fault("slurm_drift")
    stage.of_cluster("drift detected", "Warn", drift="partition gpu lists ip-10-1-2-3, which is not a node")
    if mended:
        yield stage.between(300, 1500)
        stage.over("slurm_drift")
        stage.of_cluster("reconfigured" if stage.likely(0.5) else "drift passed")


def speaking_in_tongues(stage: Stage, node: Node) -> Story:
    """A sentence that no catalogue has, of two nodes' worth of ids: one shape."""
    stage.fault("unrecognized_event")
    stage.of_node(node, "burn-in")
    yield stage.between(60, 600)
    stage.of_node(node, "burn-in")


def with_a_wrong_clock(stage: Stage, node: Node) -> Story:
    """EventTime is a year off; the envelope's is right."""
    stage.fault("clock_suspect", node=node)
    stage.over("clock_suspect", node=node)
    stage.of_node(node, "kubernetes", lies_ms=-YEAR_MS)
    yield 0


def speaking_after_the_end(stage: Stage, node: Node) -> Story:
    """A terminated instance says that its script has succeeded."""
    stage.fault("zombie", node=node)
    stage.over("zombie", node=node)
    stage.of_node(node, "script", status="Succeeded")
    yield 0


# Ends that are open when the simulation stops.


def left_unhealthy(stage: Stage, node: Node) -> Story:
    """Nobody repairs it, and nobody was asked to."""
    _taken([node])
    yield from unhealthy(stage, node, "None")


def left_unrepaired(stage: Stage, node: Node) -> Story:
    """A repair was asked for and never begins."""
    _taken([node])
    asked = stage.now
    yield from unhealthy(stage, node, "Replace")
    yield REPAIR_DUE - (stage.now - asked)
    stage.fault("repair_not_started", node=node)


def left_failed(stage: Stage, node: Node) -> Story:
    """Its replacement's script fails, and nothing comes after."""
    _taken([node])
    yield from unhealthy(stage, node, "Replace")
    yield stage.between(2, 40)
    yield from replaced(stage, node, ("script",), given_up=True)
