"""What ends a wait from outside: somebody has the place or nobody wants it, the group is gone, members are back.

Knows: lineage, groups, rollouts.  Must not know: deadlines, now.
"""

from __future__ import annotations

import msgspec

from models.judge.groups import GroupView
from models.judge.lineage import Lineage
from models.judge.scene import Node, Scene
from models.rows import Wait
from models.states import ClusterPhase, GroupPhase, Provision


class Ends:
    """The outside ends of one cluster's waits."""

    def __init__(self, scene: Scene, views: dict[str, GroupView], lineage: Lineage) -> None:
        self._scene, self._views, self._lineage = scene, views, lineage
        cluster = scene.cluster.state if scene.cluster else None
        self._cluster_gone = cluster.since if cluster and cluster.phase == ClusterPhase.DELETED else None
        self._gone: dict[str | None, int | None] = {}

    def of_instance(self, node: Node, wait: Wait) -> Wait:
        """The wait as it ends when the instance's successor begins; a termination goes on beside that."""
        terminating = wait.state == Provision.TERMINATING
        return _until(wait, [self.gone_with_group(node) if terminating else self.of_node(node)])

    def of_node(self, node: Node) -> int | None:
        """When nothing was to be expected of it any more: it has a successor, is gone with its group, or not wanted."""
        view = self._views.get(node.group or "")
        ends = [self._lineage.succeeded.get(node.instance_id or ""), self.gone_with_group(node)]
        ends += [view.enough_without(node)] if view else []
        return min((at for at in ends if at is not None), default=None)

    def of_group(self, name: str, wait: Wait) -> Wait:
        """The wait as it ends when every member is rolled back, for which HyperPod has no event.

        A rollout is over when its rollback begins, also where snapshots go on to say that software is being updated.
        """
        back = self._rolled_back(name, wait) if wait.machine == "rollback" else None
        begun = self._rolling_back(name, wait) if wait.machine == "patch" else None
        return _until(wait, [self.gone(name), self._deleted(name, wait), back, begun])

    def of_cluster(self, wait: Wait) -> Wait:
        """The wait as it ends with the cluster."""
        return _until(wait, [self._cluster_gone])

    def gone_with_group(self, node: Node) -> int | None:
        """When the instance's group was deleted, also where there is another one of its name since."""
        former = self._scene.ended_with_group(node)
        return self.gone(node.group) if former is None else former

    def gone(self, name: str | None) -> int | None:
        """When the group or the whole cluster was deleted."""
        if name not in self._gone:
            view = self._views.get(name or "")
            ends = (self._cluster_gone, view.since if view and view.phase == GroupPhase.DELETED else None)
            self._gone[name] = min((at for at in ends if at is not None), default=None)
        return self._gone[name]

    def _deleted(self, name: str, wait: Wait) -> int | None:
        """When the group that waited was deleted, where there has been another one of its name since."""
        row = self._scene.groups[name]
        formers = (former for former in row.state.former if wait.entered.time < former.created)
        return next((self._scene.deleted(name, former) for former in formers), None)

    def _rolling_back(self, name: str, wait: Wait) -> int | None:
        begun = (rollout.rollback_begun for rollout in self._views[name].state.rollouts)
        return min((at for at in begun if at is not None and at >= wait.entered.time), default=None)

    def _rolled_back(self, name: str, wait: Wait) -> int | None:
        view = self._views[name]
        rollouts = [r for r in view.state.rollouts if r.rollback_begun == wait.entered.time]
        if not rollouts:
            return None
        if rollouts[-1] is view.state.rollouts[-1] and view.rollback_ended is not None:
            return view.rollback_ended
        return view.members_back(rollouts[-1])


def _until(wait: Wait, ends: list[int | None]) -> Wait:
    """The wait, over at the first of the ends; silences after it were no waiting."""
    end = min((at for at in ends if at is not None), default=None)
    if end is None or (wait.ended is not None and wait.ended <= end):
        return wait
    stretches = wait.silences if wait.ended is not None else [*wait.silences, (wait.restarted, end)]
    silences = [(begun, min(ended, end)) for begun, ended in stretches if begun < end]
    return msgspec.structs.replace(wait, silences=silences, ended=end)
