"""Replacements: another instance comes into a slot, at once or after attempts that fail.

Knows: what HyperPod says of the one that goes and of those that come.
Must not know: why it is replaced, and when the story is played.
"""

from __future__ import annotations

from streams.simulate.kernel import Story, together
from streams.simulate.lives import (
    NO_CAPACITY,
    RETRY,
    SCRIPT_FAILURE,
    configured,
    connected,
    ended,
    leave,
    script,
    script_fails,
)
from streams.simulate.stage import Stage
from streams.simulate.world import Node


def replaced(stage: Stage, node: Node, failures: tuple[str, ...] = (), *, given_up: bool = False) -> Story:
    """Another instance comes into the slot, after as many failed attempts as `failures` names (script, plain).

    `("capacity",)` instead: there is none to be had for a while, and so no id to name.
    `given_up`: the last of them is the last attempt.
    """
    node.busy = True
    going = _leaves_replaced(stage, node)
    last = node
    yield next(going)
    if failures == ("capacity",):
        yield from going
        yield from _waits_for_capacity(stage, last)
        return
    for place, word in enumerate(failures, 1):
        fresh = _attempt(stage, last)
        yield from together(going, _fails(stage, fresh, word))
        if given_up and place == len(failures):
            return
        yield stage.between(30, 90)
        going, last = leave(stage, fresh), fresh
        yield next(going)
    fresh = _attempt(stage, last)
    yield from together(going, _arrives(stage, fresh))
    stage.refresh()


def _leaves_replaced(stage: Stage, node: Node) -> Story:
    node.phase = "Terminating"
    stage.of_node(node, "replacement going", op="delete")
    yield stage.between(10, 60)
    yield from ended(stage, node)
    if stage.likely(0.3):
        yield stage.between(5, 60)
        stage.of_node(node, "replacement completed", op="delete")


def _attempt(stage: Stage, old: Node) -> Node:
    fresh = Node(old.group, old.slot, id=stage.names.instance(), busy=True)
    old.group.nodes.append(fresh)
    old.replaced_by, fresh.replaces = fresh, old
    _attempt_begins(stage, fresh)
    return fresh


def _waits_for_capacity(stage: Stage, old: Node) -> Story:
    """Attempts that have nothing but their slot, two errors a second apart each, until one gets an instance."""
    fresh = Node(old.group, old.slot, busy=True)
    old.group.nodes.append(fresh)
    old.replaced_by, fresh.replaces = fresh, old
    failure = NO_CAPACITY.format(old.group.type)
    for _ in range(stage.between(1, 2)):
        _attempt_begins(stage, fresh)
        yield stage.between(60, 180)
        fresh.phase, fresh.episode = "Failed", None
        stage.fault("replacement_failed", node=fresh)
        stage.enters(fresh, "provision Failed")
        stage.of_node(fresh, "provision failed", "Error", failure=failure)
        yield 1
        stage.enters(fresh, "replace Failed")
        stage.replaced(fresh)
        stage.of_node(fresh, "replacement failed", "Error", failure=failure, op="create")
        yield RETRY + stage.between(-60, 60)
    _attempt_begins(stage, fresh)
    yield from _arrives(stage, fresh)
    stage.refresh()


def _attempt_begins(stage: Stage, node: Node) -> None:
    node.phase = node.episode = "Replacing"
    stage.replacing(node)
    stage.of_node(node, "replacement started")


def _starts_up(stage: Stage, node: Node) -> Story:
    yield stage.between(20, 120)
    yield from connected(stage, node)
    yield stage.between(200, 500)
    node.id = node.id or stage.names.instance()
    stage.of_node(node, "provisioned")
    yield stage.between(10, 60)


def _arrives(stage: Stage, node: Node) -> Story:
    yield from _starts_up(stage, node)
    yield from script(stage, node)
    yield from configured(stage, node)
    yield stage.between(5, 60)
    node.episode, node.busy, node.phase = None, False, "InService"
    stage.replaced(node)
    stage.of_node(node, "replacement completed", op="create")
    _replacement_worked(stage, node)


def _replacement_worked(stage: Stage, node: Node) -> None:
    """What failed on the way is over, for every instance before it in the chain."""
    before: Node | None = node
    while before is not None:
        stage.over("replacement_failed", "lifecycle_script_failed", "unhealthy_node", node=before)
        before = before.replaces


def _fails(stage: Stage, node: Node, how: str) -> Story:
    yield from _starts_up(stage, node)
    if how == "script":
        yield from script_fails(stage, node)
        yield stage.between(1, 3)
        message = SCRIPT_FAILURE
    else:
        yield stage.between(60, 200)
        stage.fault("replacement_failed", node=node)
        message = "EFA health checks did not run successfully."
    node.episode, node.phase = None, "Failed"
    stage.enters(node, "replace Failed")
    stage.replaced(node)
    stage.of_node(node, "replacement failed", "Error", failure=message, op="create")
    yield stage.between(420, 600)
