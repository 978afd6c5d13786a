"""Where one cluster's stories play: whatever is said is recorded, whatever is true is written down.

Knows: the cluster, the moment, the notebook of truth.
Must not know: which story plays, how events are delivered.
"""

from __future__ import annotations

from random import Random
from typing import Any

from streams.simulate import records
from streams.simulate.kernel import Kernel, Story
from streams.simulate.records import ANSWER, CLUSTER_EVENT, NODE_HEALTH, STATE_CHANGE, Event, Json
from streams.simulate.texts import say
from streams.simulate.truth import Fault, Truth
from streams.simulate.world import Cluster, Group, Names, Node

WORDING_DRIFT = 0.3
"""How often a sentence differs from AWS's catalogue."""

OUTLIVE_THE_INSTANCE = ("patch_failed", "replacement_failed", "resource_leak")
"""Faults that the end of their instance does not clear."""


class Stage:
    """One cluster with its clock, its dice and its log."""

    def __init__(
        self, kernel: Kernel, cluster: Cluster, start_ms: int, chance: Random, log: list[Event], truth: Truth
    ) -> None:
        self.kernel, self.cluster, self.chance, self.truth = kernel, cluster, chance, truth
        self.names = Names(chance)
        self._wording = Random(chance.getrandbits(64))  # nosec B311  # makes up fleets, keeps no secret
        self._start_ms, self._log = start_ms, log
        self._shown: tuple[Any, ...] = ()
        self.mishaps = 0.0
        """How often a step fails before it succeeds."""

    @property
    def now(self) -> int:
        """Seconds since the beginning."""
        return self.kernel.now

    def spawn(self, story: Story, *, after: int = 0) -> None:
        """Lets a story play beside the others."""
        self.kernel.spawn(story, after=after)

    def between(self, low: int, high: int) -> int:
        """A number of seconds."""
        return self.chance.randint(low, high)

    def likely(self, share: float) -> bool:
        """True in that share of cases."""
        return self.chance.random() < share

    # What is said.

    def of_cluster(self, name: str, level: str = "Info", **names: object) -> None:
        """An event of the whole cluster."""
        self._say(name, {"ResourceType": "Cluster", "EventLevel": level}, {}, names)

    def of_group(self, group: Group, name: str, level: str = "Info", *, scaling: bool = False, **names: object) -> None:
        """An event of a group; `scaling`: with its counts."""
        ids = {"InstanceGroupName": group.name, "ResourceType": "InstanceGroup", "EventLevel": level}
        counts = {"InstanceCount": group.current, "TargetCount": group.target, "MinCount": 0}
        metadata = {"InstanceGroupScaling": counts} if scaling else {"InstanceGroup": _group_facts(group)}
        self._say(name, ids, metadata, {"g": group.name, **names})

    def of_node(
        self,
        node: Node,
        name: str,
        level: str = "Info",
        *,
        failure: str | None = None,
        lies_ms: int = 0,
        **names: object,
    ) -> None:
        """An event of an instance, or of the slot where it has no id yet; `failure`: its FailureMessage."""
        ids: Json = {"InstanceGroupName": node.group.name, "ResourceType": "Instance", "EventLevel": level}
        if node.id:
            ids["InstanceId"] = node.id
        facts: Json = {"NodeLogicalId": node.slot, "FailureMessage": failure}
        words = {"g": node.group.name, "i": node.id or "", **names}
        self._say(name, ids, {"Instance": facts}, words, lies_ms=lies_ms)

    def _say(self, name: str, ids: Json, metadata: Json, names: dict[str, object], lies_ms: int = 0) -> None:
        cluster = self.cluster
        told = say(
            name,
            self._wording,
            share=WORDING_DRIFT,
            may_omit_id="InstanceId" in ids,
            c=cluster.name,
            cid=cluster.id,
            **names,
        )
        detail = {"EventId": self.names.uuid(), "ClusterArn": cluster.arn, "ClusterName": cluster.name, **ids}
        self._record(CLUSTER_EVENT, {**detail, "Description": told}, metadata, lies_ms)

    def health(self, node: Node, status: str, repair: str = "None", fault: str = "") -> None:
        """What the health agent reports."""
        node.health = status
        reason = (
            f"HyperPod Health Monitoring Agent (HMA) has detected fault type {fault} on this node." if fault else ""
        )
        summary = {"HealthStatus": status, "HealthStatusReason": reason, "RepairAction": repair, "Recommendation": ""}
        ids: Json = {
            "ClusterName": self.cluster.name,
            "ClusterArn": self.cluster.arn,
            "InstanceId": node.id,
            "Tags": {},
        }
        self._record(NODE_HEALTH, {**ids, "HealthSummary": summary}, {})

    def refresh(self) -> None:
        """A state change, if AWS would send one: the cluster's or a group's status is another than it was."""
        shown = self._status()
        if shown != self._shown:
            self._shown = shown
            self._record(STATE_CHANGE, records.snapshot(self.cluster), {})

    def _status(self) -> tuple[Any, ...]:
        return (self.cluster.phase, *((g.name, g.shown_status, g.target) for g in self.cluster.standing))

    def poll(self, lags: tuple[int, int] = (0, 0)) -> None:
        """Somebody asks the API, and the answers come with the events; what they show is so many seconds old."""
        first, second = (self._ms() + lag * 1000 for lag in lags)
        self._record(ANSWER, records.described(self.cluster, first), {}, at=first)
        self._record(ANSWER, records.node_list(self.cluster, second), {}, at=second)

    def settle(self) -> None:
        """The cluster's status follows from what its groups are doing."""
        if self.cluster.phase == "Creating":
            return
        words = [group.phase for group in self.cluster.groups]
        busy = [word for word in ("RollingBack", "Patching", "Deleting", "Creating") if word in words]
        named = {"Patching": "SystemUpdating", "RollingBack": "RollingBack"}
        self.cluster.phase = named.get(busy[0], "Updating") if busy else "InService"
        self.refresh()

    def _record(self, kind: str, detail: Json, metadata: Json, lies_ms: int = 0, at: int | None = None) -> None:
        form = self._wording.choice(self.cluster.forms)
        self._log.append(
            Event(
                self._ms() if at is None else at, kind, self.cluster, detail, metadata, self.names.uuid(), form, lies_ms
            )
        )

    def _ms(self) -> int:
        return self._start_ms + self.now * 1000

    # What is true.

    def fault(self, kind: str, *, node: Node | None = None, group: Group | None = None, operation: str = "") -> None:
        """A fault begins, or comes again; of a node without id whose slot nobody is told, it is the group's."""
        node, group = self._entity(node, group)
        self.truth.open(self.now, Fault(kind, self.cluster, group, node, self.now, operation=operation))

    def over(self, *kinds: str, node: Node | None = None, group: Group | None = None, operation: str = "") -> None:
        """Faults have ended, if there were any."""
        group = node.group if node is not None else group
        for kind in kinds:
            self.truth.close(self.now, Fault(kind, self.cluster, group, node, self.now, operation=operation))

    def stumbles(self) -> bool:
        """Whether some step fails the first time."""
        return self.likely(self.mishaps)

    def enters(self, node: Node, word: str) -> None:
        """The node enters a state that counts for flapping."""
        if node.id or self.cluster.slots_known:
            self.truth.entries.append((self.now, node, word))

    def replacing(self, node: Node) -> None:
        """A replacement begins with this new instance."""
        self.truth.starts.append((self.now, node))
        self.enters(node, "Replacing")

    def replaced(self, node: Node) -> None:
        """That replacement has ended, well or not."""
        self.truth.ends.append((self.now, node))

    def gone(self, node: Node) -> None:
        """The instance has ended, and with it whatever was wrong with it."""
        node.phase, node.busy = "Terminated", False
        for fault in self.truth.faults:
            if fault.node is node and fault.resolved is None and fault.kind not in OUTLIVE_THE_INSTANCE:
                fault.resolved = self.now

    def _entity(self, node: Node | None, group: Group | None) -> tuple[Node | None, Group | None]:
        if node is None:
            return None, group
        known = node.id is not None or self.cluster.slots_known
        return (node if known else None), node.group


def _group_facts(group: Group) -> Json:
    reservation = {"Arn": group.reservation, "Type": "ODCR"} if group.reservation else None
    facts: Json = {"AvailabilityZoneId": group.zone, "SubnetId": group.subnet, "CapacityReservation": reservation}
    return {**facts, "SecurityGroupIds": [group.security_group], "AmiOverride": group.ami, "FailureMessage": None}
