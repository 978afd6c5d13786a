"""Stories of whole clusters: what AWS says of them, operations, access, Karpenter, Slurm."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fleet import Fleet
from tests.stories import (
    born,
    cluster,
    described,
    group,
    instance,
    script,
    shown,
    state_change,
)

DATA = Path(__file__).parents[1] / "data"


def test_a_cluster_that_only_sends_state_changes() -> None:
    fleet = Fleet()
    for line in (DATA / "state_changes_slurm.jsonl").read_bytes().splitlines():
        fleet.gets(line)
    summary = fleet.document().summary
    assert (summary.read, summary.applied, summary.duplicate) == (4, 3, 1)
    phases = {item.instance_group: item.phase for item in fleet.document().instance_groups}
    assert phases == {"controller-machine": "InService", "worker-group-1": "Deleted"}
    assert [item.phase for item in fleet.document().clusters] == ["InService"]
    assert fleet.kinds() == []
    fleet.check()


def test_aws_own_samples(fleet: Fleet) -> None:
    for line in (DATA / "samples.jsonl").read_bytes().splitlines():
        fleet.gets(line)
    document = fleet.document()
    assert [item.phase for item in document.clusters] == ["InService"]
    assert [(g.instance_group, g.phase) for g in document.instance_groups] == [
        ("example instance group name", "Failed")
    ]
    assert [(a.kind, a.instance_id) for a in document.anomalies if a.status == "open"] == [
        ("unhealthy_node", "i-12345678abcdefghi")
    ]


@pytest.mark.parametrize(
    "status", ["Creating", "InService", "Updating", "SystemUpdating", "RollingBack", "Failed", "Deleting"]
)
def test_a_state_change_is_the_clusters_phase(fleet: Fleet, status: str) -> None:
    fleet.sees(state_change(status))
    assert fleet.phase("train") == status
    assert fleet.kinds() == []


def test_of_a_state_change_and_an_operation_the_newer_decides(fleet: Fleet) -> None:
    fleet.sees(cluster("ClusterOperationStarted", "update"), state_change("InService"))
    assert fleet.phase("train") == "InService"
    fleet.sees(cluster("ClusterOperationFailed", "update"))
    assert fleet.phase("train") == "Failed"
    fleet.sees(state_change("InService"))
    assert fleet.phase("train") == "InService"


def test_a_creation_whose_end_was_lost_is_over_when_the_cluster_serves(fleet: Fleet) -> None:
    fleet.sees(cluster("ClusterOperationStarted", "creation"), group("GroupOperationStarted", "creation").counts(0, 1))
    fleet.sees(born("i-1"))
    fleet.waits(10)
    fleet.sees(state_change("InService", workers=shown("InService", 1, 1)))
    fleet.waits(60)
    fleet.sees(instance("KubernetesConfigUpdated", "i-1"))
    assert (fleet.phase("train"), fleet.machine("train", "operation")) == ("InService", "None")
    assert (fleet.phase("workers"), fleet.kinds()) == ("InService", [])


def test_a_state_change_says_that_the_clusters_creation_failed(fleet: Fleet) -> None:
    fleet.sees(cluster("ClusterOperationStarted", "creation"))
    fleet.waits(10)
    fleet.sees(state_change("Failed"))
    assert (fleet.phase("train"), fleet.machine("train", "operation")) == ("Failed", "Failed")


def test_a_cluster_that_is_deleted_takes_its_faults_along(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), script("i-1", "Failed"), group("NetworkConfigurationFailed"), cluster("SlurmDriftDetected"))
    fleet.sees(cluster("ClusterOperationStarted", "deletion"), cluster("ClusterOperationCompleted", "deletion"))
    assert fleet.phase("train") == "Deleted"
    assert set(fleet.kinds("open")) <= {"missing_event", "unexpected_transition"}


def test_access_is_well_when_nothing_of_it_is_left_failed(fleet: Fleet) -> None:
    fleet.sees(cluster("SlrAccessEntryFailed", "creation"))
    fleet.waits(1)
    fleet.sees(cluster("EksAccessEntriesFailed", "creation"), cluster("EksAccessEntriesSucceeded", "creation"))
    assert fleet.machine("train", "access") == "Failed"
    assert fleet.kinds("open") == ["operation_failed"]
    fleet.sees(cluster("SlrAccessEntrySucceeded", "creation"))
    assert (fleet.machine("train", "access"), fleet.kinds("open")) == ("Configured", [])


def test_karpenter_step_by_step(fleet: Fleet) -> None:
    fleet.sees(
        cluster("KarpenterCrdInstalled"),
        cluster("KarpenterAccessPolicyUpdated", "Associated"),
        cluster("AutoscalingSucceeded", "enablement"),
    )
    assert (fleet.machine("train", "autoscaling"), fleet.kinds()) == ("Configured", [])


def test_a_view_that_lags_behind_the_end_of_an_operation_does_not_begin_it_again(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "update"), group("GroupOperationCompleted", "update"))
    fleet.sees(described("InService", workers=shown("Updating", 1, 1)))
    assert fleet.phase("workers") == "InService"
    fleet.waits(10)
    fleet.sees(described("InService", workers=shown("Updating", 1, 1)))
    assert fleet.phase("workers") == "Updating"


def test_a_creation_that_events_began_is_not_an_update_because_a_snapshot_says_so(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "creation"))
    fleet.waits(10)
    fleet.sees(described("InService", workers=shown("Updating", 0, 1)))
    assert fleet.machine("workers", "operation") == "Creating"


def test_a_state_change_tells_that_a_cluster_is_being_deleted(fleet: Fleet) -> None:
    fleet.sees(state_change("InService"), state_change("Deleting"))
    assert (fleet.phase("train"), fleet.machine("train", "operation")) == ("Deleting", "Deleting")


def test_slurm_drifts_and_is_reconfigured(fleet: Fleet) -> None:
    fleet.sees(cluster("SlurmDriftDetected", drift_details="partition dev lists no nodes"))
    assert (fleet.machine("train", "slurm_config"), fleet.only("slurm_drift").status) == ("Drifted", "open")
    assert "partition dev lists no nodes" in fleet.only("slurm_drift").title
    fleet.sees(cluster("SlurmReconfigured"))
    assert (fleet.machine("train", "slurm_config"), fleet.only("slurm_drift").status) == ("InSync", "resolved")


def test_readiness_lost_while_scaling_is_planned(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "scaling").counts(8, 10), cluster("OrchestrationReadyLost"))
    lost = fleet.only("orchestration_ready_lost")
    assert (lost.planned, lost.severity, lost.status) == (True, "info", "open")


def test_readiness_that_stays_lost_after_the_scaling_is_not(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "scaling").counts(8, 10), cluster("OrchestrationReadyLost"))
    fleet.sees(group("GroupOperationCompleted", "scaling").counts(10, 10))
    lost = fleet.only("orchestration_ready_lost")
    assert (lost.planned, lost.severity) == (False, "warning")
    fleet.sees(cluster("OrchestrationReadyLost", lost="0", current="10", total="10"))
    assert fleet.only("orchestration_ready_lost").status == "resolved"


def test_readiness_lost_with_nothing_under_way(fleet: Fleet) -> None:
    fleet.sees(cluster("OrchestrationReadyLost"))
    lost = fleet.only("orchestration_ready_lost")
    assert (lost.planned, lost.severity) == (False, "warning")
