"""The anomaly and transition records as users see them (contract sections 3 and 5).

Knows: field names, their order and their closed vocabularies.
Must not know: how an anomaly is found, where the record is published or stored.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

SCHEMA_VERSION: Literal["1"] = "1"

EXTENSIBLE: dict[str, JsonValue] = {"x-extensible": True}
"""In the schema of a field whose list of words may grow without a new version."""

Time = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")]
"""ISO 8601 UTC with milliseconds and `Z`."""


class PublicModel(BaseModel):
    """What leaves the project: frozen, written under its public names, lenient about fields of newer versions."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        json_schema_serialization_defaults_required=True,
    )

    @classmethod
    def trusted(cls, **fields: Any) -> Self:
        """An item of all of its fields, in their order, and right: nothing is checked, and little memory is taken."""
        made = cls.__new__(cls)
        for name, value in (
            ("__dict__", fields),
            ("__pydantic_fields_set__", _names(cls)),
            ("__pydantic_extra__", None),
            ("__pydantic_private__", None),
        ):
            object.__setattr__(made, name, value)
        return made


@cache
def _names(model: type[BaseModel]) -> set[str]:
    """One for all items: each with a set of its own takes more for it than for what it says."""
    return set(model.model_fields)


class Severity(StrEnum):
    """How bad it is; the members stand in rising order (see `rank`)."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 (info) to 3 (critical)."""
        return list(Severity).index(self)


class AnomalyStatus(StrEnum):
    """Where an anomaly is in its life."""

    OPEN = "open"
    RESOLVED = "resolved"
    RETRACTED = "retracted"


class AnomalyKind(StrEnum):
    """Every kind of contract section 3."""

    OPERATION_FAILED = "operation_failed"
    LIFECYCLE_SCRIPT_FAILED = "lifecycle_script_failed"
    REPLACEMENT_FAILED = "replacement_failed"
    PATCH_FAILED = "patch_failed"
    PATCH_SKIPPED = "patch_skipped"
    BAKE_ALARM = "bake_alarm"
    ROLLBACK_STARTED = "rollback_started"
    ROLLBACK_FAILED = "rollback_failed"
    UNEXPECTED_TRANSITION = "unexpected_transition"
    MISSING_EVENT = "missing_event"
    STUCK = "stuck"
    UNHEALTHY_NODE = "unhealthy_node"
    REPAIR_NOT_STARTED = "repair_not_started"
    FLAPPING = "flapping"
    REPLACEMENT_STORM = "replacement_storm"
    CORRELATED_FAILURE = "correlated_failure"
    DRIFT = "drift"
    SLURM_DRIFT = "slurm_drift"
    RESOURCE_LEAK = "resource_leak"
    ORCHESTRATION_READY_LOST = "orchestration_ready_lost"
    UNRECOGNIZED_EVENT = "unrecognized_event"
    FEED_SILENT = "feed_silent"
    STALE = "stale"
    ZOMBIE = "zombie"
    LATE_EVENT = "late_event"
    CLOCK_SUSPECT = "clock_suspect"


class Cause(StrEnum):
    """What a fault is put down to."""

    PERMISSIONS = "permissions"
    QUOTA = "quota"
    CAPACITY = "capacity"
    EFA = "efa"
    ENI = "eni"
    FSX = "fsx"
    AMI = "ami"
    LIFECYCLE_SCRIPT = "lifecycle_script"
    KUBERNETES = "kubernetes"
    NETWORK = "network"
    CONFIGURATION = "configuration"
    UNKNOWN = "unknown"


ResourceType = Literal["Cluster", "InstanceGroup", "Instance"]


class Anomaly(PublicModel):
    """One state of one anomaly: the last record of an `anomaly_id` is its present state."""

    schema_version: Literal["1"] = SCHEMA_VERSION
    anomaly_id: str = Field(description="Hash of kind, entity, machine and episode: the key of the topic.")
    revision: int = Field(ge=1, description="Grows with every published change of this record; gaps are normal.")
    kind: AnomalyKind = Field(description="More kinds may come.", json_schema_extra=EXTENSIBLE)
    severity: Severity
    status: AnomalyStatus
    cluster_arn: str
    cluster_name: str | None = None
    instance_group: str | None = None
    instance_id: str | None = None
    node_logical_id: str | None = None
    resource_type: ResourceType
    machine: str | None = Field(default=None, description="The state machine concerned, where there is one.")
    state: str | None = Field(default=None, description="The state of that machine.")
    cause: Cause | None = Field(default=None, description="More causes may come.", json_schema_extra=EXTENSIBLE)
    title: str = Field(description="One line for people.")
    expected: str | None = Field(default=None, description="What would clear it.")
    evidence: tuple[str, ...] = Field(default=(), description="Ids of the events it rests on.")
    count: int = Field(default=1, ge=1, description="Faults it stands for.")
    opened_at: Time
    updated_at: Time = Field(description="Time of the last event or deadline that changed the record.")
    resolved_at: Time | None = None
    planned: bool = Field(default=False, description="True while the entity is inside an operation someone began.")
    parent_id: str | None = Field(default=None, description="The incident or fault that explains it.")
    superseded_by: str | None = Field(default=None, description="Of a retracted record: the id that took its place.")
    silenced_by: str | None = Field(default=None, description="The silence that holds, or held when it was resolved.")
    runbook: str | None = Field(default=None, description="Where to read on: the script's log, else the kind's page.")


class Transition(PublicModel):
    """One change of one machine, as the transitions topic carries it; a refold withdraws and adds."""

    schema_version: Literal["1"] = SCHEMA_VERSION
    transition_id: str = Field(description="Hash of what changed, and by which event.")
    status: Literal["accepted", "withdrawn"] = Field(description="`withdrawn`: a late event told another story.")
    revision: int = Field(description="Grows within a partition of the topic.")
    cluster_arn: str
    cluster_name: str | None = None
    instance_group: str | None = None
    instance_id: str | None = None
    node_logical_id: str | None = None
    resource_type: ResourceType
    machine: str
    from_: str | None = Field(
        validation_alias="from",
        serialization_alias="from",
        description="The state before; null where it was not known.",
    )
    to: str = Field(description="The state after.")
    time: Time = Field(description="When it changed.")
    event_id: str = Field(description="The event that changed it.")
    code: str = Field(description="What that event said.")
    legal: bool = Field(description="Whether the machine's table knows the step.")
