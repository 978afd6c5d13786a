"""HyperPod's records as they stand on the wire.

Knows: AWS's field names and types, where a field may sit, which words AWS uses for states.
Must not know: what a record means, envelopes within wrappers, our own vocabulary.

Unknown fields are kept, never rejected.  *Core* fields (ids, names, states, counts, the lists of groups and nodes) are
strict: another type than AWS's is a validation error.  Everything else is *lenient*: what cannot be read counts as
absent, because it only adds to the Description.  AWS writes an absent object as null, "" or {}.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler
from pydantic.alias_generators import to_pascal
from pydantic_core import CoreSchema, core_schema

CLUSTER_STATUS: Final = frozenset(
    {"Creating", "Deleting", "Failed", "InService", "RollingBack", "SystemUpdating", "Updating"}
)
GROUP_STATUS: Final = frozenset(
    {"InService", "Creating", "Updating", "Failed", "Degraded", "SystemUpdating", "Deleting"}
)
SOFTWARE_UPDATE_STATUS: Final = frozenset(
    {"Pending", "InProgress", "Succeeded", "Failed", "RollbackInProgress", "RollbackComplete"}
)
NODE_STATUS: Final = frozenset(
    {"Running", "Failure", "Pending", "ShuttingDown", "SystemUpdating", "DeepHealthCheckInProgress", "NotFound"}
    | {"DetachInProgress", "AttachInProgress"}  # while it moves to another group or cluster
    | {"Failed"}  # seen in the field beside the API's "Failure"
)
HEALTH_STATUS: Final = frozenset({"Healthy", "Unhealthy", "Degraded"})


class _Lenient:
    """Marks a field whose unreadable value counts as absent."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_default_schema(handler(source), default=None, on_error="default")


def _absent(value: Any) -> Any:
    return None if value == "" else value


_BLANK: Final = BeforeValidator(_absent)

Core = str | None
Text = Annotated[str | None, _Lenient()]
Texts = Annotated[list[str] | None, _Lenient()]
# Beyond 2**53 a count would not survive JSON readers that know doubles only.
Count = Annotated[Annotated[int, Field(ge=-(2**53), le=2**53)] | None, _BLANK]
SoftCount = Annotated[Annotated[int, Field(ge=-(2**53), le=2**53, strict=True)] | None, _Lenient()]


class Wire(BaseModel):
    """A record of AWS's: PascalCase on the wire; unknown members are no error."""

    model_config = ConfigDict(extra="allow", alias_generator=to_pascal)


class CapacityReservation(Wire):
    arn: Text = None
    type: Text = None


class AdditionalEnis(Wire):
    efa_enis: Texts = None


class ClusterMetadata(Wire):
    failure_message: Text = None
    eks_role_access_entries: Texts = None
    slr_access_entry: Text = None


class InstanceGroupMetadata(Wire):
    failure_message: Text = None
    availability_zone_id: Text = None
    capacity_reservation: Annotated[CapacityReservation | None, _Lenient()] = None
    subnet_id: Text = None
    security_group_ids: Texts = None
    ami_override: Text = None


class InstanceGroupScalingMetadata(Wire):
    instance_count: SoftCount = None
    target_count: SoftCount = None
    min_count: SoftCount = None
    failure_message: Text = None


class InstanceMetadata(Wire):
    customer_eni: Text = None
    additional_enis: Annotated[AdditionalEnis | None, _Lenient()] = None
    capacity_reservation: Annotated[CapacityReservation | None, _Lenient()] = None
    failure_message: Text = None
    lcs_execution_state: Text = None
    node_logical_id: Text = None


class DatabaseConfigurationMetadata(Wire):
    failure_message: Text = None


class EventMetadata(Wire):
    """AWS's tagged union: one member is set; EventBridge may send all of them as null."""

    cluster: Annotated[ClusterMetadata | None, _Lenient()] = None
    instance_group: Annotated[InstanceGroupMetadata | None, _Lenient()] = None
    instance_group_scaling: Annotated[InstanceGroupScalingMetadata | None, _Lenient()] = None
    instance: Annotated[InstanceMetadata | None, _Lenient()] = None
    database_configuration: Annotated[DatabaseConfigurationMetadata | None, _Lenient()] = None


class EventDetails(Wire):
    """What DescribeClusterEvent nests inside a cluster event."""

    event_metadata: Annotated[EventMetadata | None, _Lenient()] = None


class ClusterEvent(Wire):
    """One cluster event: `detail.EventDetails` of an envelope, or the API's ClusterEventDetail and -Summary."""

    event_id: Text = None
    cluster_arn: Core = None
    cluster_name: Core = None
    instance_group_name: Core = None
    instance_id: Core = None
    resource_type: Core = None
    event_time: Any = None
    event_level: Core = None
    description: Core = None
    event_details: Annotated[EventDetails | None, _Lenient()] = None
    event_metadata: Annotated[EventMetadata | None, _Lenient()] = None


class ClusterEventAnswer(Wire):
    """What holds a cluster event: the detail of an envelope, or DescribeClusterEvent's answer."""

    cluster_arn: Core = None
    event_details: Annotated[ClusterEvent | None, _BLANK] = None


class SlurmConfig(Wire):
    node_type: Text = None


class InstanceGroup(Wire):
    """ClusterInstanceGroupDetails and ClusterRestrictedInstanceGroupDetails."""

    instance_group_name: Core = None
    status: Core = None
    current_count: Count = None
    target_count: Count = None
    min_count: Count = None
    instance_type: Text = None
    current_image_id: Text = None
    desired_image_id: Text = None
    software_update_status: Text = None
    failure_messages: Annotated[list[Any] | None, _Lenient()] = None
    slurm_config: Annotated[SlurmConfig | None, _Lenient()] = None


class Orchestrator(Wire):
    eks: Annotated[dict[str, Any] | None, _Lenient()] = None
    slurm: Annotated[dict[str, Any] | None, _Lenient()] = None


class Cluster(Wire):
    """DescribeCluster's answer, and the detail of a state change."""

    event_id: Text = None
    cluster_arn: Core = None
    cluster_name: Core = None
    cluster_status: Core = None
    failure_message: Text = None
    instance_groups: Annotated[list[InstanceGroup] | None, _BLANK] = None
    restricted_instance_groups: Annotated[list[InstanceGroup] | None, _BLANK] = None
    orchestrator: Annotated[Orchestrator | None, _Lenient()] = None
    node_recovery: Text = None
    node_provisioning_mode: Text = None


class HealthSummary(Wire):
    health_status: Core = None
    health_status_reason: Text = None
    repair_action: Text = None
    recommendation: Text = None


class NodeHealth(Wire):
    """The detail of a node health event."""

    event_id: Text = None
    cluster_arn: Core = None
    cluster_name: Core = None
    instance_group_name: Core = None
    instance_id: Core = None
    node_logical_id: Text = None
    health_summary: Annotated[HealthSummary | None, _BLANK] = None


class InstanceStatus(Wire):
    status: Core = None
    message: Text = None


class Node(Wire):
    """ClusterNodeSummary."""

    instance_group_name: Core = None
    instance_id: Core = None
    node_logical_id: Core = None
    instance_type: Text = None
    instance_status: Annotated[InstanceStatus | None, _BLANK] = None


class NodeList(Wire):
    """ListClusterNodes' answer; AWS does not name the cluster in it, a sibling `ClusterArn` does.

    The last three are ours as well: a list told by what is other than in the ones before.  It has a `NextToken` too, so
    that whoever does not know them takes it for a part of a list, and nothing for gone.
    """

    cluster_arn: Core = None
    cluster_name: Core = None
    cluster_node_summaries: Annotated[list[Node] | None, _BLANK] = None
    next_token: Text = None
    unchanged_since: Text = None
    """When the list was given that has all other nodes as they still are."""
    or_since: Texts = None
    """When earlier ones were of which the same is true, so that those between may be lost."""
    gone: Texts = None
    """Instances of that list that are in this one no more."""


KEPT_UNREAD: Final[dict[str, frozenset[str]]] = {
    "ClusterEventDetail": frozenset({"OperationId"}),
    "ClusterEventSummary": frozenset({"OperationId"}),
    "EventMetadata": frozenset({"SlurmHealth"}),
    "InstanceMetadata": frozenset({"InstanceRequirementsEniConfigurations"}),
    "DatabaseConfigurationMetadata": frozenset({"RollbackStatus", "Advisory"}),
    "DescribeClusterResponse": frozenset(
        {"CreationTime", "VpcConfig", "TieredStorageConfig", "ClusterRole", "AutoScaling"}
        | {"RestrictedInstanceGroupsConfig"}
    ),
    "ClusterInstanceGroupDetails": frozenset(
        {"LifeCycleConfig", "ExecutionRole", "ThreadsPerCore", "InstanceStorageConfigs", "OnStartDeepHealthChecks"}
        | {"TrainingPlanArn", "TrainingPlanStatus", "OverrideVpcConfig", "ScheduledUpdateConfig", "AutoPatchConfig"}
        | {"InstanceRequirements", "InstanceTypeDetails", "CurrentImageReleaseVersion", "DesiredImageReleaseVersion"}
        | {"ImageVersionStatus", "ActiveOperations", "KubernetesConfig", "CapacityRequirements", "TargetStateCount"}
        | {"ActiveSoftwareUpdateConfig", "NetworkInterface"}
    ),
    "ClusterRestrictedInstanceGroupDetails": frozenset(
        {"ExecutionRole", "ThreadsPerCore", "InstanceStorageConfigs", "OnStartDeepHealthChecks", "TrainingPlanArn"}
        | {"TrainingPlanStatus", "OverrideVpcConfig", "ScheduledUpdateConfig", "EnvironmentConfig"}
    ),
    "SlurmConfig": frozenset({"PartitionNames"}),
    "ClusterNodeSummary": frozenset(
        {"LaunchTime", "LastSoftwareUpdateTime", "UltraServerInfo", "PrivateDnsHostname", "ImageVersionStatus"}
        | {"CurrentImageReleaseVersion"}
    ),
}
"""By AWS's shape: members that are kept and that nothing here reads yet."""
