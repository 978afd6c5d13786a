"""What there is: clusters, groups, instances, as they truly are at the simulated moment.

Knows: names, ids, counts, the words of the API.
Must not know: events, stories, delivery.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

ACCOUNT = "111122223333"
REGIONS = ("us-west-2", "us-east-1", "eu-north-1")
TYPES = ("ml.p5.48xlarge", "ml.g5.12xlarge", "ml.m5.2xlarge", "ml.trn1.32xlarge")
GROUP_NAMES = ("workers", "gpu-a", "IG-2", "inference", "Cluster", "batch.v2", "eval")


class Metadata(StrEnum):
    """What EventMetadata carries."""

    full = "full"
    null = "null"
    absent = "absent"


@dataclass(eq=False)
class Node:
    """One instance, or the slot that waits for one (`id` is None)."""

    group: Group
    slot: str
    id: str | None = None
    phase: str = "Unknown"
    script: str = "NotRun"
    health: str = "Unknown"
    schedulable: bool = True
    replaces: Node | None = None
    replaced_by: Node | None = None
    busy: bool = False
    episode: str | None = None
    """What it is in the middle of, and what therefore its phase: Replacing, Patching, RollingBack."""

    @property
    def alive(self) -> bool:
        """Whether it has not begun to leave."""
        return self.phase not in ("Terminating", "Terminated")

    @property
    def api_status(self) -> str:
        """ListClusterNodes's word for it."""
        return _API_STATUS.get(self.phase, "Running")


_API_STATUS: Mapping[str, str] = {
    "Provisioning": "Pending",
    "LifecycleScript": "Pending",
    "Replacing": "Pending",
    "Failed": "Failure",
    "Terminating": "ShuttingDown",
    "Patching": "SystemUpdating",
    "RollingBack": "SystemUpdating",
}
_SERVING = frozenset({"InService", "Patching", "RollingBack", "Rebooting"})


@dataclass(eq=False)
class Group:
    """One instance group."""

    cluster: Cluster
    name: str
    type: str
    subnet: str
    zone: str
    security_group: str
    reservation: str | None
    ami: str | None
    image: str
    desired_image: str
    target: int = 0
    nodes: list[Node] = field(default_factory=list)
    phase: str = "Unknown"
    status: str = "Creating"
    update: str | None = None
    busy: bool = False
    fsx: bool = False

    @property
    def live(self) -> list[Node]:
        """Instances and slots that have not begun to leave."""
        return [node for node in self.nodes if node.alive]

    @property
    def current(self) -> int:
        """CurrentCount."""
        return sum(node.phase in _SERVING for node in self.nodes)

    @property
    def shown_status(self) -> str:
        """The API's word for it: Degraded where something is missing and nobody works on it."""
        return "Degraded" if self.status == "InService" and self.current < self.target else self.status


@dataclass(eq=False)
class Cluster:
    """One cluster; `metadata`: what its events carry."""

    name: str
    id: str
    region: str
    eks: bool
    metadata: Metadata
    created_ms: int
    groups: list[Group] = field(default_factory=list)
    phase: str = "Creating"
    forms: tuple[str, ...] = ("ms",)

    @property
    def arn(self) -> str:
        """Ends in the cluster's id, not in its name."""
        return f"arn:aws:sagemaker:{self.region}:{ACCOUNT}:cluster/{self.id}"

    @property
    def slots_known(self) -> bool:
        """Whether its events tell NodeLogicalId."""
        return self.metadata is Metadata.full

    @property
    def standing(self) -> list[Group]:
        """Groups that were not deleted."""
        return [group for group in self.groups if group.phase != "Deleted"]


class Names:
    """Draws ids, the same for the same seed."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance

    def hex(self, length: int) -> str:
        """That many hexadecimal digits."""
        return f"{self._chance.getrandbits(4 * length):0{length}x}"

    def instance(self) -> str:
        """An EC2 instance id."""
        return f"i-0{self.hex(16)}"

    def uuid(self) -> str:
        """A random UUID."""
        text = self.hex(32)
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"

    def group(self, cluster: Cluster, name: str, type_: str) -> Group:
        """A group with its own subnet; some have a reservation or an AMI of their own."""
        reserved, custom = self._chance.random() < 0.4, self._chance.random() < 0.3
        image = f"ami-0{self.hex(16)}"
        return Group(
            cluster=cluster,
            name=name,
            type=type_,
            subnet=f"subnet-0{self.hex(16)}",
            zone=f"{cluster.region[:3]}w2-az{len(cluster.groups) + 1}",
            security_group=f"sg-0{self.hex(16)}",
            reservation=f"cr-0{self.hex(16)}" if reserved else None,
            ami=f"ami-0{self.hex(16)}" if custom else None,
            image=image,
            desired_image=image,
        )
