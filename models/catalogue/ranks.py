"""In which order events of one millisecond are judged: causes before their effects.

Knows: every code, and the words (status, operation) that place an event of one code earlier or later.
Must not know: templates, machines.

A rank has no meaning but its order.  Ranks are stored beside events, so a number once given stays; a new code takes a
free number between its neighbours.  Within one operation "started" comes before "completed" or "failed": that both
fall into one millisecond is likelier than an end and the next beginning doing so.  What ends an instance comes after
everything else of that millisecond, else the rest would be news of a dead instance; a snapshot comes last, because it
shows what all of them led to.
"""

from __future__ import annotations

RANKS: dict[str, int] = {
    "Heartbeat": 10,
    # What was decided for the cluster.  A state change into a resting state is an effect: see below.
    "ClusterStateChange": 100,
    "ClusterStateChange:Creating": 110,
    "ClusterStateChange:Updating": 120,
    "ClusterStateChange:SystemUpdating": 130,
    "ClusterStateChange:RollingBack": 140,
    "ClusterStateChange:Deleting": 150,
    "ClusterOperationStarted": 200,
    "ClusterOperationStartFailed": 210,
    "SlrAccessEntrySucceeded": 220,
    "SlrAccessEntryFailed": 230,
    "EksAccessEntriesSucceeded": 240,
    "EksAccessEntriesFailed": 250,
    "KarpenterCrdInstalled": 260,
    "KarpenterCrdInstallFailed": 270,
    "KarpenterAccessPolicyUpdated": 280,
    "KarpenterAccessPolicyUpdateFailed": 290,
    "AutoscalingSucceeded": 300,
    "AutoscalingFailed": 310,
    # What was decided for a group, and what its instances need before they are asked for.
    "GroupOperationStarted": 400,
    "GroupOperationStartFailed": 410,
    "ProvisioningParametersFound": 420,
    "ProvisioningParametersNotFound": 430,
    "MungeKeyCreated": 440,
    "PlatformNetworkUsed": 450,
    "NetworkConfigurationFound": 460,
    "NetworkConfigurationFailed": 470,
    "CustomAmiFound": 480,
    "CustomAmiFailed": 490,
    "NetworkConfigurationDetermined": 500,
    "FsxCreationStarted": 510,
    "FsxCreationFailed": 520,
    "FsxCreationCompleted": 530,
    "FsxUpdateStarted": 540,
    "FsxUpdateFailed": 550,
    "FsxUpdateCompleted": 560,
    # Faults of the machine itself lead to reboots and replacements.
    "NodeHealth": 600,
    "NodeHealth:Degraded": 610,
    "NodeHealth:Unhealthy": 620,
    "HealthAgentUnhealthy": 630,
    # A rollout begins: instances are emptied, then restarted from another root volume, then run their script.
    "PatchScheduled": 700,
    "PatchScheduleFailed": 710,
    "PatchStarted": 720,
    "PatchStartFailed": 730,
    "PatchPrepared": 740,
    "PatchSkipped": 750,
    "PatchPreparationFailed": 760,
    "RootVolumeReplacementStarted": 770,
    "RootVolumeReplacementFailed": 780,
    # A replacement: the one that goes is announced before the one that comes.
    "ReplacementStarted:delete": 800,
    "ReplacementStarted": 810,
    "ReplacementStartFailed": 820,
    # A birth, step by step.
    "InstanceOperationStarted": 900,
    "InstanceOperationStarted:replace": 910,
    "InstanceOperationStartFailed": 920,
    "CapacityReservationFound": 930,
    "CapacityReservationNotFound": 940,
    "PayloadSetupFailed": 950,
    "EniCreated": 960,
    "EniCreationFailed": 970,
    "InstanceProvisioned": 980,
    "InstanceProvisionFailed": 990,
    "LifecycleScriptStatus": 1000,
    "LifecycleScriptStatus:Started": 1010,
    "LifecycleScriptStatusUpdateFailed": 1020,
    "LifecycleScriptStatus:Succeeded": 1030,
    "LifecycleScriptStatus:Failed": 1040,
    "LifecycleScriptFailedWithLogs": 1050,
    "KubernetesConfigUpdated": 1060,
    "KubernetesConfigUpdateFailed": 1070,
    "InstanceOperationCompleted": 1080,
    "InstanceOperationFailed": 1090,
    "UnusedEniDeleted": 1100,
    "UnusedEniDeletionFailed": 1110,
    # A reboot is of an instance that exists.
    "InstanceOperationStarted:reboot": 1200,
    "RebootInProgress": 1210,
    "RebootRequestFailed": 1220,
    "InstanceOperationCompleted:reboot": 1230,
    "InstanceOperationFailed:reboot": 1240,
    "InstanceOperationCompleted:replace": 1250,
    "InstanceOperationFailed:replace": 1260,
    "ReplacementCompleted": 1270,
    "ReplacementFailed": 1280,
    # The end of an instance's patch, then the group's baking, its next batch, its end or its rollback.
    "InstancePatched": 1300,
    "BakeStarted": 1310,
    "BakeCompleted": 1320,
    "BakeEvaluationFailed": 1330,
    "BakeAlarm": 1340,
    "PatchBatchSelected": 1350,
    "PatchBatchSelectionFailed": 1360,
    "FailedInstancesQueued": 1370,
    "FailedInstancesQueueingFailed": 1380,
    "PatchCompleted": 1390,
    "PatchCompletionFailed": 1400,
    "GroupRollbackStarted": 1410,
    "InstanceRollbackStarted": 1420,
    "InstanceRolledBack": 1430,
    "InstanceRollbackFailed": 1440,
    "SchedulableRestored": 1450,
    "SchedulableRestoreFailed": 1460,
    "GroupRollbackFailed": 1470,
    "SlurmDriftDetected": 1500,
    "SlurmReconfigured": 1510,
    "SlurmDriftPassed": 1520,
    "NodeHealth:Healthy": 1600,
    # Events whose meaning is not known: after what gives birth, before what ends.
    "NoDescription": 1610,
    "Unrecognized": 1620,
    "GroupOperationCompleted": 1700,
    "GroupOperationFailed": 1710,
    "SlurmClusterCreationFailed": 1720,
    "ClusterOperationCompleted": 1730,
    "ClusterOperationFailed": 1740,
    "ClusterStateChange:InService": 1750,
    "ClusterStateChange:Failed": 1760,
    # The end: cluster and group decide it, instances go, then the group and the cluster are gone.
    "ClusterOperationStarted:delete": 1800,
    "GroupOperationStarted:delete": 1810,
    "InstanceOperationStarted:delete": 1820,
    "InstanceOperationStartFailed:delete": 1830,
    "TerminationInProgress": 1840,
    "TerminationFailed": 1850,
    "EniDeleted": 1860,
    "EniDeletionFailed": 1870,
    "ReplacementCompleted:delete": 1880,
    "ReplacementFailed:delete": 1890,
    "InstanceOperationCompleted:delete": 1900,
    "InstanceOperationFailed:delete": 1910,
    "FsxDeletionStarted": 1920,
    "FsxDeletionFailed": 1930,
    "FsxDeletionCompleted": 1940,
    "GroupOperationCompleted:delete": 1950,
    "GroupOperationFailed:delete": 1960,
    "ClusterOperationCompleted:delete": 1970,
    "ClusterOperationFailed:delete": 1980,
    # What was seen of all that.
    "OrchestrationReadyLost": 2000,
    "NodeList": 2010,
    "ClusterSnapshot": 2020,
}


def rank_of(code: str, status: str | None = None, operation: str | None = None) -> int:
    """Rank of an event; its status word, then its normalised operation may give it another place than its code's.

    Raises KeyError for a code that the catalogue does not have.
    """
    for word in (status, operation):
        rank = RANKS.get(f"{code}:{word}") if word else None
        if rank is not None:
            return rank
    return RANKS[code]
