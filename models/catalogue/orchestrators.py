"""Event texts that only clusters under EKS or only those under Slurm send, patching apart.

Knows: the texts, word for word, and what they mean.  Must not know: how they are matched.
"""

from __future__ import annotations

from models.catalogue.template import Template, section

_access = section("Access entry management", "Cluster")
_kubernetes = section("Kubernetes configuration updates", "Instance")
_karpenter = section("Karpenter autoscaling", "Cluster")
_slurm = section("Slurm-specific events", "Cluster")

EKS: tuple[Template, ...] = (
    _access(
        "SlrAccessEntrySucceeded",
        "SLR access entry operation succeeded",
        "SLR Access Entry <operation> successful for Cluster <cluster-name>",
        "HyperPod's own role may use the EKS cluster as asked.",
        example="SLR Access Entry creation successful for Cluster train",
        near_miss="SLR Access Entry creation for Cluster train",
    ),
    _access(
        "SlrAccessEntryFailed",
        "SLR access entry operation failed",
        "SLR Access Entry <operation> failed for Cluster <cluster-name>",
        "HyperPod's own role cannot use the EKS cluster: look at its access entries.",
        level="Error",
        example="SLR Access Entry creation failed for Cluster train",
        near_miss="SLR Access Entry failed for Cluster train",
    ),
    _access(
        "EksAccessEntriesSucceeded",
        "EKS access entries operation succeeded",
        "EKS Access Entries <operation> successful for Cluster <cluster-name>",
        "The roles of the cluster's instances may use the EKS cluster as asked.",
        example="EKS Access Entries creation successful for Cluster train",
        near_miss="EKS Access Entry creation successful for Cluster train",
    ),
    _access(
        "EksAccessEntriesFailed",
        "EKS access entries operation failed",
        "EKS Access Entries <operation> failed for Cluster <cluster-name>",
        "The roles of the cluster's instances cannot use the EKS cluster: new instances will not join.",
        level="Error",
        example="EKS Access Entries deletion failed for Cluster train",
        near_miss="EKS Access Entries deletion failed for train",
    ),
    _kubernetes(
        "KubernetesConfigUpdated",
        "Kubernetes config update succeeded",
        "Successfully updated Kubernetes config for instance <instance-id>"
        " in Cluster <cluster-name> and IG <instance-group-name>",
        "The instance's Kubernetes node has its labels and taints.",
        example="Successfully updated Kubernetes config for instance i-0a in Cluster train and IG gpu",
        near_miss="Updated Kubernetes config for instance i-0a in Cluster train and IG gpu",
    ),
    _kubernetes(
        "KubernetesConfigUpdateFailed",
        "Kubernetes config update failed",
        "Failed to update Kubernetes config for instance <instance-id>"
        " in Cluster <cluster-name> and IG <instance-group-name>",
        "The instance's Kubernetes node lacks its labels or taints.",
        level="Error",
        example="Failed to update Kubernetes config for instance i-0a in Cluster train and IG gpu",
        near_miss="Failed to update Kubernetes config in Cluster train and IG gpu",
    ),
    _karpenter(
        "AutoscalingSucceeded",
        "Autoscaling operation succeeded",
        "AutoScaling <operation> <status> successfully in Cluster <cluster-name>",
        "Karpenter autoscaling of the cluster changed as asked.",
        example="AutoScaling enablement completed successfully in Cluster train",
        near_miss="AutoScaling successfully in Cluster train",
    ),
    _karpenter(
        "AutoscalingFailed",
        "Autoscaling operation failed",
        "Failed to <operation> AutoScaling in Cluster <cluster-name>",
        "Karpenter autoscaling of the cluster could not be changed.",
        level="Error",
        example="Failed to enable AutoScaling in Cluster train",
        near_miss="Failed to AutoScaling in Cluster train",
    ),
    _karpenter(
        "KarpenterCrdInstalled",
        "Karpenter CRD installation succeeded",
        "CustomResourceDefinition installation completed successfully in EKS Cluster <cluster-name>",
        "The EKS cluster knows Karpenter's resources.",
        example="CustomResourceDefinition installation completed successfully in EKS Cluster train",
        near_miss="CustomResourceDefinition installation completed in EKS Cluster train",
    ),
    _karpenter(
        "KarpenterCrdInstallFailed",
        "Karpenter CRD installation failed",
        "CustomResourceDefinition installation failed for EKS Cluster <cluster-name>",
        "The EKS cluster lacks Karpenter's resources, so autoscaling cannot work.",
        level="Error",
        example="CustomResourceDefinition installation failed for EKS Cluster train",
        near_miss="CustomResourceDefinition installation failed for Cluster train",
    ),
    _karpenter(
        "KarpenterAccessPolicyUpdated",
        "Karpenter SLR access policy update succeeded",
        "<operation> access policies with AmazonSageMakerHyperPodServiceRole access entry"
        " in EKS cluster <cluster-name> successfully",
        "HyperPod's own role has the rights in the EKS cluster that autoscaling needs.",
        example="Associated access policies with AmazonSageMakerHyperPodServiceRole access entry"
        " in EKS cluster train successfully",
        near_miss="Associated access policies with AmazonSageMakerServiceRole access entry"
        " in EKS cluster train successfully",
    ),
    _karpenter(
        "KarpenterAccessPolicyUpdateFailed",
        "Karpenter SLR access policy update failed",
        "Failed to <operation> access policies with AmazonSageMakerHyperPodServiceRole access entry"
        " in EKS cluster <cluster-name>",
        "HyperPod's own role lacks the rights in the EKS cluster that autoscaling needs.",
        level="Error",
        example="Failed to associate access policies with AmazonSageMakerHyperPodServiceRole access entry"
        " in EKS cluster train",
        near_miss="Failed to associate access policies with AmazonSageMakerHyperPodServiceRole in EKS cluster train",
    ),
)

SLURM: tuple[Template, ...] = (
    _slurm(
        "ProvisioningParametersFound",
        "Provisioning parameters found",
        "Found provisioning_parameters.json in LifeCycleScript S3 Path for controller group <instance-group-name>",
        "The Slurm cluster is set up as provisioning_parameters.json says.",
        scope="InstanceGroup",
        example="Found provisioning_parameters.json in LifeCycleScript S3 Path for controller group head",
        near_miss="Found parameters.json in LifeCycleScript S3 Path for controller group head",
    ),
    _slurm(
        "ProvisioningParametersNotFound",
        "Provisioning parameters not found",
        "No provisioning_parameters.json found in LifeCycleScript S3 Path for controller group <instance-group-name>",
        "No provisioning_parameters.json lies beside your lifecycle scripts, so Slurm is set up without it.",
        level="Warn",
        scope="InstanceGroup",
        example="No provisioning_parameters.json found in LifeCycleScript S3 Path for controller group head",
        near_miss="No provisioning_parameters.json found in LifeCycleScript S3 Path",
    ),
    _slurm(
        "MungeKeyCreated",
        "Slurm munge key created",
        "Successfully created and stored munge key",
        "The key by which Slurm's daemons trust one another is there.",
        example="Successfully created and stored munge key",
        near_miss="Successfully created munge key",
    ),
    _slurm(
        "SlurmDriftPassed",
        "Slurm drift validation passed",
        "Slurm configuration drift validation passed",
        "Slurm's configuration is as HyperPod wants it.",
        example="Slurm configuration drift validation passed.",
        near_miss="Slurm configuration validation passed",
    ),
    _slurm(
        "SlurmDriftDetected",
        "Slurm drift detected",
        "Slurm configuration drift detected: <drift-details>",
        "Slurm's configuration was changed by somebody else than HyperPod; the text says where.",
        level="Warn",
        example="Slurm configuration drift detected: partition dev lacks node ip-10-0-1-7",
        near_miss="Slurm configuration drift suspected: partition dev lacks node ip-10-0-1-7",
    ),
    _slurm(
        "SlurmClusterCreationFailed",
        "Slurm cluster rollback completed",
        "Cluster creation failed: controller and login nodes did not become ready within the expected time",
        "The Slurm controller or login nodes never came up, and the new cluster was taken back.",
        level="Error",
        example="Cluster creation failed: controller and login nodes did not become ready within the expected time",
        near_miss="Cluster creation failed: login nodes did not become ready within the expected time",
    ),
    _slurm(
        "SlurmReconfigured",
        "Slurm reconfiguration succeeded",
        "Slurm was reconfigured successfully. Slurm config updated to match desired state",
        "Slurm's configuration is again as HyperPod wants it.",
        example="Slurm was reconfigured successfully. Slurm config updated to match desired state",
        near_miss="Slurm was reconfigured successfully.",
    ),
)
