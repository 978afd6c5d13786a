"""How long each waiting state may last: slow, then stuck.

Knows: the waiting states of every level and their default deadlines.  Must not know: rows, events, now.

The defaults are what was seen on live clusters; every one can be set per cluster, group or instance type.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

WAITING: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "instance": {
        "provision": {"Requested": "provisioning", "NetworkReady": "provisioning", "Terminating": "terminating"},
        "lifecycle_script": {"Running": "lifecycle_script"},
        "replace": {"Replacing": "replacing"},
        "patch": {"Prepared": "instance_patching", "ReplacingRootVolume": "instance_patching"},
        "rollback": {"RollingBack": "rolling_back"},
        "reboot": {"Rebooting": "rebooting"},
    },
    "group": {
        "operation": {
            "Creating": "group_operation",
            "Updating": "group_operation",
            "Deleting": "group_operation",
            "Scaling": "scaling",
        },
        "patch": {"InProgress": "rollout", "Baking": "baking"},
        "rollback": {"RollingBack": "rolling_back"},
        "fsx": {"Creating": "fsx", "Updating": "fsx"},
    },
    "cluster": {"operation": {"Creating": "cluster_creating"}},
}
"""Level, machine, state → name of the deadline."""

FAILED = "failed"
"""The deadline of phase Failed, whichever machine failed: nobody tries again."""
FAILS = ("provision", "lifecycle_script", "replace", "rollback")
"""The machines that make an instance's phase Failed, the most telling first."""

CLUSTER_ROLLING_BACK = "cluster_rolling_back"
"""The deadline of a cluster's phase RollingBack, which no machine has."""

DEEP_HEALTH_CHECK = "deep_health_check"
"""The deadline of the status that only node lists tell; another status is progress."""
DEEP_HEALTH_CHECK_WORD = "DeepHealthCheckInProgress"

NO_DEADLINE: Mapping[str, str] = {
    "instance/provision/Unknown": "nothing is known to be awaited",
    "instance/provision/Provisioned": "the script that follows has its own, and the group's creation has one",
    "group/patch/Scheduled": "a schedule may lie days ahead",
    "group/fsx/Deleting": "nothing was measured, and nobody waits for it",
    "cluster/operation/Updating": "its groups' operations have theirs",
    "cluster/operation/Deleting": "its groups' operations have theirs",
}
"""Waiting states that have none, and why."""


class Deadline(BaseModel):
    """One deadline; minutes since the last sign of progress."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slow: float | None = Field(ge=0, description="Minutes until `stuck` opens as a warning; null: not as one.")
    stuck: float | None = Field(ge=0, description="Minutes until it is critical; null: never.")


_DEFAULTS: dict[str, Deadline] = {
    "cluster_creating": Deadline(slow=30, stuck=60),
    "cluster_rolling_back": Deadline(slow=60, stuck=120),
    "provisioning": Deadline(slow=15, stuck=30),
    "lifecycle_script": Deadline(slow=10, stuck=30),
    "deep_health_check": Deadline(slow=60, stuck=120),
    "rebooting": Deadline(slow=5, stuck=15),
    "replacing": Deadline(slow=30, stuck=45),
    "scaling": Deadline(slow=30, stuck=60),
    "terminating": Deadline(slow=30, stuck=60),
    "instance_patching": Deadline(slow=25, stuck=45),
    "rollout": Deadline(slow=60, stuck=90),
    "baking": Deadline(slow=2, stuck=10),
    "rolling_back": Deadline(slow=30, stuck=60),
    "fsx": Deadline(slow=20, stuck=45),
    "group_operation": Deadline(slow=30, stuck=60),
    "failed": Deadline(slow=60, stuck=90),
}
NAMES = tuple(_DEFAULTS)


def _known(deadlines: dict[str, Deadline]) -> dict[str, Deadline]:
    unknown = sorted(deadlines.keys() - _DEFAULTS.keys())
    if unknown:
        raise ValueError(f"no deadline is called {', '.join(unknown)}; there are {', '.join(NAMES)}")
    return deadlines


Deadlines = Annotated[dict[str, Deadline], AfterValidator(_known)]
"""Deadlines by name."""


class Override(BaseModel):
    """Deadlines for some of the fleet; patterns as in a shell (`ml.p5*`), absent ones match everything."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cluster: str = "*"
    group: str = "*"
    instance_type: str = "*"
    deadlines: Deadlines

    def matches(self, cluster: str, arn: str, group: str, instance_type: str) -> bool:
        """Whether it is about this entity; a cluster may be named by its name or its ARN."""
        named = fnmatchcase(cluster, self.cluster) or fnmatchcase(arn, self.cluster)
        return named and fnmatchcase(group, self.group) and fnmatchcase(instance_type, self.instance_type)


class Thresholds(BaseModel):
    """Everything that `judge` measures against; part of the settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    deadlines: Deadlines = Field(default_factory=dict, description="Deadlines by name, over the defaults.")
    overrides: tuple[Override, ...] = (
        # Their ENIs take longer to go.
        Override(instance_type="ml.p5*", deadlines={"terminating": Deadline(slow=30, stuck=120)}),
        Override(instance_type="ml.p6*", deadlines={"terminating": Deadline(slow=30, stuck=120)}),
    )
    repair_minutes: float = Field(default=10, ge=0, description="Minutes in which a repair that was asked for begins.")
    drift_minutes: float = Field(default=15, ge=0, description="Minutes of contradiction that are drift.")
    feed_silent_minutes: float = Field(default=15, ge=0, description="Minutes without a heartbeat that are silence.")
    storm_starts: int = Field(default=5, ge=2, description="Replacements that are a storm.")
    storm_cluster_hours: float = Field(default=24, gt=0)
    storm_group_hours: float = Field(default=168, gt=0)
    flapping_entries: int = Field(default=3, ge=2, description="Entries into one state that are flapping.")
    flapping_hours: float = Field(default=24, gt=0)
    correlation_instances: int = Field(default=3, ge=2, description="Instances that fail together.")
    correlation_minutes: float = Field(default=30, gt=0)

    def deadline(
        self, name: str, *, cluster: str = "", arn: str = "", group: str = "", instance_type: str = ""
    ) -> Deadline:
        """The deadline of that name for an entity; the last override that names it wins."""
        found = self.deadlines.get(name, _DEFAULTS[name])
        for override in self.overrides:
            if name in override.deadlines and override.matches(cluster, arn, group, instance_type):
                found = override.deadlines[name]
        return found
