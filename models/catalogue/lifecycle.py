"""Event texts of clusters and of instance groups as wholes: their lifecycle and the groups' networks.

Knows: the texts, word for word, and what they mean.  Must not know: how they are matched.
"""

from __future__ import annotations

from models.catalogue.template import Template, section

_cluster = section("Cluster lifecycle", "Cluster")
_group = section("Instance group lifecycle", "InstanceGroup")
_network = section("Instance group network configuration", "InstanceGroup")

LIFECYCLE: tuple[Template, ...] = (
    _cluster(
        "ClusterOperationStarted",
        "Cluster operation started",
        "Cluster <cluster-name> <operation> started successfully",
        "HyperPod has begun to create, update or delete the cluster.",
        example="Cluster train creation started successfully",
        near_miss="Cluster train started successfully",
    ),
    _cluster(
        "ClusterOperationStartFailed",
        "Cluster operation start failed",
        "Failed to start Cluster <cluster-name> <operation>",
        "The operation on the cluster did not begin; the cluster is as it was before.",
        level="Error",
        example="Failed to start Cluster train update",
        near_miss="Failed to start Cluster train",
    ),
    _cluster(
        "ClusterOperationCompleted",
        "Cluster operation completed",
        "Cluster <cluster-name> <operation> completed successfully",
        "The operation on the cluster is done.",
        example="Cluster train deletion completed successfully",
        near_miss="Cluster train deletion completed successfully with warnings",
    ),
    _cluster(
        "ClusterOperationFailed",
        "Cluster operation failed",
        "Cluster <cluster-name> <operation> failed",
        "The operation on the cluster broke off; its groups tell how far it came.",
        level="Error",
        example="Cluster failed creation failed",
        near_miss="Cluster train failed",
    ),
    _group(
        "GroupOperationStarted",
        "Instance group operation started",
        "InstanceGroup <instance-group-name> <operation> started successfully in Cluster <cluster-name>",
        "HyperPod has begun to create, scale, update or delete the group.",
        example="InstanceGroup workers scale in started successfully in Cluster train",
        near_miss="InstanceGroup workers scaling started successfully",
    ),
    _group(
        "GroupOperationStartFailed",
        "Instance group operation start failed",
        "Failed to start InstanceGroup <instance-group-name> <operation> in Cluster <cluster-name>",
        "The operation on the group did not begin; the group is as it was before.",
        level="Error",
        example="Failed to start IG workers scaling in Cluster train",
        near_miss="Failed to start InstanceGroup scaling in Cluster train",
    ),
    _group(
        "GroupOperationCompleted",
        "Instance group operation completed",
        "Instance Group <instance-group-name> <operation> in Cluster <cluster-name> completed successfully",
        "The operation on the group is done.",
        example="Instance Group IG creation in Cluster completed completed successfully",
        near_miss="Instance Group workers creation completed successfully in Cluster train",
    ),
    _group(
        "GroupOperationFailed",
        "Instance group operation failed",
        "Instance Group <instance-group-name> <operation> in Cluster <cluster-name> failed",
        "The operation on the group broke off; events of its instances usually say why.",
        level="Error",
        example="Instance Group workers scaling in Cluster train failed.",
        near_miss="Instance Group workers scaling in Cluster train has failed",
    ),
    _network(
        "NetworkConfigurationFound",
        "Network configuration found",
        "Found Subnet <subnet-id> in AZ <availability-zone> with SecurityGroupIds <security-group-ids>"
        " for IG <instance-group-name> in Cluster <cluster-name>",
        "The group's own subnet and security groups will be used for its instances.",
        example="Found Subnet subnet-0aa1 in AZ use1-az4 with SecurityGroupIds [sg-0a, sg-0b] for IG gpu in Cluster c",
        near_miss="Found Subnet subnet-0aa1 in AZ use1-az4 for IG gpu in Cluster train",
    ),
    _network(
        "NetworkConfigurationFailed",
        "Network configuration failed",
        "Failed to process Instance Group Network Configuration details"
        " for IG <instance-group-name> in Cluster <cluster-name>",
        "The group's subnet or security groups could not be used, so it can get no instances.",
        level="Error",
        example="Failed to process Instance Group Network Configuration details for IG gpu in Cluster train",
        near_miss="Failed to process Network Configuration details for IG gpu in Cluster train",
    ),
    _network(
        "CustomAmiFound",
        "Custom AMI override found",
        "Found Custom AMI Override <ami-id> for IG <instance-group-name> in Cluster <cluster-name>",
        "The group's instances start from an image of your own.",
        example="Found Custom AMI Override ami-0123456789abcdef0 for IG gpu in Cluster train",
        near_miss="Found Custom AMI Override for IG gpu in Cluster train",
    ),
    _network(
        "CustomAmiFailed",
        "Custom AMI override failed",
        "Failed to process Custom AMI Override details for IG <instance-group-name> in Cluster <cluster-name>",
        "The image named for the group cannot be used: look at its sharing, region and type.",
        level="Error",
        example="Failed to process Custom AMI Override details for InstanceGroup gpu in Cluster train",
        near_miss="Failed to process Custom AMI details for IG gpu in Cluster train",
    ),
    _network(
        "PlatformNetworkUsed",
        "Platform network configuration used",
        "Using HyperPod Platform provided network configuration for IG <instance-group-name> in Cluster <cluster-name>",
        "The group has no network of its own and uses the one that HyperPod provides.",
        example="Using HyperPod Platform provided network configuration for IG gpu in Cluster train",
        near_miss="Using HyperPod provided network configuration for IG gpu in Cluster train",
    ),
    _network(
        "NetworkConfigurationDetermined",
        "Network configuration determined",
        "Instance Group network configuration successfully determined"
        " for IG <instance-group-name> in Cluster <cluster-name>",
        "The network for the group's instances is settled.",
        example="Instance Group network configuration successfully determined for IG gpu in Cluster train",
        near_miss="Instance Group network configuration determined for IG gpu in Cluster train",
    ),
)
