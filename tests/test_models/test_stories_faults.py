"""Stories of failing templates: each opens its kind on its entity, and the same thing's success ends it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.catalogue import BY_CODE
from models.faults import KINDS
from tests.fleet import Fleet
from tests.stories import (
    Event,
    born,
    cluster,
    group,
    health,
    instance,
    patched,
    replacing,
    rollout_begins,
    says,
    shown,
    state_change,
    terminated,
)
from tests.test_models.failing import ALIVE, CASES, DELETED, of_instance


def test_every_template_that_names_a_kind_has_its_story() -> None:
    assert sorted(CASES) == sorted(KINDS)


@pytest.mark.parametrize("code", sorted(KINDS))
def test_a_failing_template_opens_exactly_its_kind_and_the_success_ends_it(fleet: Fleet, code: str) -> None:
    case = CASES[code]
    fleet.sees(case.before)
    earlier = fleet.kinds()
    assert set(earlier) <= {"rollback_started"}
    fleet.sees(case.fault)
    fault = fleet.only(case.kind)
    assert (fault.kind, fault.status) == (KINDS[code], "open")
    assert (fault.cause, fault.machine, fault.state) == (case.cause, case.machine, case.state)
    assert fault.resource_type == (BY_CODE[code].scope if code in BY_CODE else "Instance")
    assert fleet.kinds() == sorted([*earlier, case.kind])
    fleet.sees(case.ends)
    assert (fleet.kinds("open"), fleet.kinds("resolved")) == ([], sorted([*earlier, case.kind]))


INSTANCE_FAULTS = [
    code
    for code in sorted(KINDS)
    if (BY_CODE[code].scope if code in BY_CODE else "Instance") == "Instance" and KINDS[code] != "resource_leak"
]


@pytest.mark.parametrize("code", INSTANCE_FAULTS)
def test_the_end_of_the_instance_ends_what_was_wrong_with_it(fleet: Fleet, code: str) -> None:
    fleet.sees(CASES[code].before, CASES[code].fault, DELETED)
    owed = ["replacement_failed"] if KINDS[code] == "replacement_failed" else []
    assert fleet.kinds("open") == owed


@pytest.mark.parametrize("code", ["EniDeletionFailed", "UnusedEniDeletionFailed"])
def test_a_leak_outlives_its_instance_until_it_is_cleaned(fleet: Fleet, code: str) -> None:
    fleet.sees(ALIVE, DELETED, of_instance(code))
    assert fleet.kinds("open") == ["resource_leak"]
    fleet.sees(of_instance("EniDeleted"))
    assert fleet.kinds() == ["resource_leak"]
    assert fleet.kinds("open") == []


GROUP_FAULTS = [code for code in sorted(KINDS) if code in BY_CODE and BY_CODE[code].scope == "InstanceGroup"]


@pytest.mark.parametrize("code", GROUP_FAULTS)
def test_the_end_of_the_group_ends_what_was_wrong_with_it(fleet: Fleet, code: str) -> None:
    fleet.sees(CASES[code].before, CASES[code].fault)
    fleet.sees(group("GroupOperationStarted", "deletion"), group("GroupOperationCompleted", "deletion"))
    assert fleet.phase("workers") == "Deleted"
    assert fleet.kinds("open") == []


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ("We currently do not have sufficient capacity to launch new ml.p5.48xlarge instances.", "capacity"),
        ("InsufficientInstanceCapacity: try again", "capacity"),
        ("EFA health checks did not run successfully. Ensure that your VPC and security groups are set up", "efa"),
        ("Lifecycle scripts did not run successfully. Ensure the scripts exist in S3.", "lifecycle_script"),
        ("Instance groups do not match those in the lifecycle script's provisioning_parameters.json", "configuration"),
        ("User: arn:aws:iam::1:role/x is not authorized to perform: ec2:CreateNetworkInterface", "permissions"),
        ("AccessDeniedException: no", "permissions"),
        ("Unable to assume role arn:aws:iam::1:role/x", "permissions"),
        ("The account-level service limit 'ml.p5.48xlarge for cluster usage' is 0 Instances", "quota"),
        ("ResourceLimitExceeded: too many", "quota"),
        ("You have exceeded your quota of network interfaces", "quota"),
        ("The subnet has no free addresses", "network"),
        ("Failed to mount FSx for Lustre", "fsx"),
        ("The image id ami-1 does not exist", "ami"),
        ("kubelet did not register", "kubernetes"),
        ("Something else", "unknown"),
    ],
)
def test_the_failure_message_tells_the_cause(fleet: Fleet, message: str, cause: str) -> None:
    fleet.sees(of_instance("InstanceOperationFailed", "creation").because(message))
    assert fleet.only("operation_failed").cause == cause


def test_the_template_tells_the_cause_where_the_message_does_not(fleet: Fleet) -> None:
    fleet.sees(of_instance("EniCreationFailed").because("Something else"))
    assert fleet.only("operation_failed").cause == "eni"


def test_a_snapshot_in_service_lifts_a_failed_operation_and_not_its_fault(fleet: Fleet) -> None:
    serves = state_change("InService", workers=shown("InService", 2, 2))
    fleet.sees(group("GroupOperationStarted", "scaling"), group("GroupOperationFailed", "scaling"), serves)
    assert fleet.phase("workers") == "Failed"  # taken while views may differ
    fleet.waits(5)
    fleet.sees(serves)
    assert (fleet.phase("workers"), fleet.machine("workers", "operation")) == ("InService", "None")
    assert fleet.kinds("open") == ["operation_failed"]


def test_a_node_that_no_health_event_names_is_its_clusters_until_as_many_are_well(fleet: Fleet) -> None:
    def unnamed(status: str) -> Event:
        event = health("", status)
        return replace(event, detail={**event.detail, "InstanceId": None})

    fleet.sees(unnamed("Unhealthy").named("e-1"))
    fleet.waits(10)
    fleet.sees(unnamed("Unhealthy").named("e-2"))
    found = fleet.only("unhealthy_node")
    assert (found.resource_type, found.status, found.severity, found.count) == ("Cluster", "open", "error", 2)
    fleet.sees(unnamed("Healthy"))
    assert fleet.only("unhealthy_node").status == "open"
    fleet.sees(unnamed("Healthy"))
    assert fleet.only("unhealthy_node").status == "resolved"


def test_an_instance_that_is_provisioned_again_without_any_failure_is_reported(fleet: Fleet) -> None:
    fleet.sees(ALIVE, of_instance("InstanceProvisioned"))
    assert fleet.phase("i-1") == "Provisioning"  # what an event saw wins
    assert "InService → Failed → Provisioned" in fleet.only("missing_event").title


def test_a_replacement_that_failed_namelessly_is_made_good_by_a_later_one(fleet: Fleet) -> None:
    fleet.sees(born("i-1", "s-1"), instance("ReplacementFailed", operation="creation"))
    assert fleet.only("replacement_failed").resource_type == "InstanceGroup"
    fleet.sees(terminated("i-1"))
    assert fleet.kinds("open") == ["replacement_failed"]
    fleet.sees(replacing("i-2"))
    assert fleet.kinds("open") == []


@pytest.mark.parametrize(
    ("slot", "other", "place"),
    [("s-1", "s-2", "workers"), (None, None, "others")],
    ids=["another slot", "another group"],
)
def test_a_replacement_somewhere_else_makes_no_failed_one_good(
    fleet: Fleet, slot: str | None, other: str | None, place: str
) -> None:
    begun, failed = instance("ReplacementStarted", "i-3"), instance("ReplacementFailed", "i-3", "creation")
    fleet.sees(born("i-1", slot), born("i-2", other, group=place), terminated("i-1"), terminated("i-2"))
    fleet.sees([event.slot(slot) if slot else event for event in (begun, failed)])
    coming = [instance(code, "i-4", "creation", group=place) for code in ("ReplacementStarted", "ReplacementCompleted")]
    fleet.sees([event.slot(other) if other else event for event in coming])
    assert fleet.only("replacement_failed").status == "open"
    fleet.sees(replacing("i-5"))
    assert fleet.only("replacement_failed").status == "resolved"


def test_what_others_made_good_stays_so_when_the_failed_one_comes_after_all(fleet: Fleet) -> None:
    def step(code: str, name: str) -> Event:
        return instance(code, name, "creation").slot("s-1")

    fleet.sees(born("i-1", "s-1"), terminated("i-1"), step("ReplacementStarted", "i-2"))
    fleet.sees(step("ReplacementFailed", "i-2"), step("ReplacementStarted", "i-3"), step("ReplacementCompleted", "i-3"))
    over = fleet.only("replacement_failed")
    fleet.sees(step("ReplacementCompleted", "i-2"))
    assert (over.status, fleet.only("replacement_failed").resolved_at) == ("resolved", over.resolved_at)


def test_two_nameless_failures_within_five_seconds_are_one_fault(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "scaling"), instance("InstanceProvisionFailed").at(3600))
    fleet.sees(instance("InstanceOperationFailed", operation="creation").at(3601))
    found = fleet.only("operation_failed")
    assert (found.count, len(found.evidence)) == (1, 2)


def test_a_failure_that_aws_names_after_the_rollback_that_followed_it_says_what_failed(fleet: Fleet) -> None:
    fleet.sees(CASES["SlurmClusterCreationFailed"].fault)
    assert fleet.only("operation_failed").title.startswith("Slurm cluster creation failed")


@pytest.mark.parametrize(
    ("event", "title"),
    [
        (instance("InstanceOperationFailed", "i-1", "reboot"), "Instance reboot failed"),
        (instance("InstanceOperationStartFailed", "i-1", "creation"), "Instance creation start failed"),
        (instance("InstanceOperationFailed", "i-1", "termination"), "Instance deletion failed"),
        (group("GroupOperationFailed", "scaling"), "Instance group scaling failed"),
        (group("GroupOperationStartFailed", "UpdateClusterSoftware"), "Instance group software update start failed"),
        (cluster("ClusterOperationFailed", "update"), "Cluster update failed"),
    ],
)
def test_the_title_says_which_operation_failed(fleet: Fleet, event: Event, title: str) -> None:
    fleet.sees(event)
    assert fleet.only("operation_failed").title == title


def test_what_the_agent_found_is_in_the_title(fleet: Fleet) -> None:
    found = "HyperPod Health Monitoring Agent (HMA) has detected fault type NvidiaErrorTerminate"
    summary = {"HealthStatus": "Unhealthy", "HealthStatusReason": f"{found} on this node and is unhealthy."}
    fleet.sees(born("i-1"), health("i-1", "Unhealthy", HealthSummary=summary))
    assert fleet.only("unhealthy_node").title == "Node is Unhealthy: NvidiaErrorTerminate"


@pytest.mark.parametrize("fault", ["NVIDIA XID 79", "Gpu-Lost"])
def test_a_fault_of_several_words_is_told_whole(fleet: Fleet, fault: str) -> None:
    for end in (" on this node and is unhealthy.", "."):
        said = f"(HMA) has detected fault type {fault}{end}"
        summary = {"HealthStatus": "Unhealthy", "HealthStatusReason": said, "RepairAction": "None"}
        fleet.sees(health("i-1", "Unhealthy", HealthSummary=summary), health("i-1", "Healthy"))
    assert {each.title for each in fleet.anomalies("unhealthy_node")} == {f"Node is Unhealthy: {fault}"}


def test_an_unknown_text_is_shown_whole_where_it_is_the_agents_too(fleet: Fleet) -> None:
    text = "The agent (HMA) has detected fault type NvidiaErrorTerminate on this node and waits."
    fleet.sees(says(text, InstanceId="i-1"))
    assert fleet.only("unrecognized_event").title.endswith("on this node and waits.")


def test_what_somebody_else_found_is_in_the_title_as_it_was_said(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), health("i-1", "Unhealthy"))
    assert "fault type NvidiaErrorTerminate" in fleet.only("unhealthy_node").title


@pytest.mark.parametrize(("seconds", "faults"), [(5, 1), (5.001, 2)])
def test_a_nameless_failure_within_five_seconds_is_part_of_a_members_fault(
    fleet: Fleet, seconds: float, faults: int
) -> None:
    fleet.sees(born("i-1"), instance("InstanceOperationFailed", "i-1", "creation").at(3600))
    fleet.sees(instance("InstanceProvisionFailed").at(3600 + seconds))
    assert fleet.kinds() == ["operation_failed"] * faults


@pytest.mark.parametrize(
    ("fault", "success"),
    [
        (instance("KubernetesConfigUpdateFailed"), [instance("KubernetesConfigUpdated", "i-1")]),
        (instance("UnusedEniDeletionFailed"), [instance("UnusedEniDeleted", "i-1")]),
        (instance("TerminationFailed"), terminated("i-1")),
        (
            instance("InstanceOperationFailed", operation="reboot"),
            [instance("RebootInProgress", "i-1"), instance("InstanceOperationCompleted", "i-1", "reboot")],
        ),
        (instance("RebootRequestFailed"), [instance("RebootInProgress", "i-1")]),
        (instance("PatchPreparationFailed"), patched("i-1")),
    ],
    ids=lambda value: "",
)
def test_a_nameless_fault_is_made_good_by_any_member(fleet: Fleet, fault: Event, success: list[Event]) -> None:
    fleet.sees(born("i-1"), rollout_begins(), fault)
    assert len(fleet.kinds("open")) == 1
    fleet.sees(success)
    assert fleet.kinds("open") == []
