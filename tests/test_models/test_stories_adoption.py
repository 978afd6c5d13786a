"""Stories that begin in mid-life: what is met there is adopted, and no anomaly."""

from __future__ import annotations

import pytest

from tests.fleet import Fleet
from tests.stories import (
    Event,
    born,
    cluster,
    group,
    health,
    instance,
    replacing,
    script,
    terminated,
)

MID_LIFE: dict[str, tuple[list[Event], str]] = {
    "script runs": ([script("i-1", "Started"), script("i-1", "Succeeded")], "InService"),
    "script ends": ([script("i-1", "Succeeded")], "InService"),
    "creation ends": ([instance("InstanceOperationCompleted", "i-1", "creation")], "InService"),
    "goes": (terminated("i-1"), "Terminated"),
    "is gone": ([instance("InstanceOperationCompleted", "i-1", "deletion")], "Terminated"),
    "restarts": ([instance("RebootInProgress", "i-1")], "Rebooting"),
    "has restarted": ([instance("InstanceOperationCompleted", "i-1", "reboot")], "InService"),
    "is patched": ([instance("InstancePatched", "i-1"), instance("SchedulableRestored", "i-1")], "InService"),
    "is rolled back": ([script("i-1", "Succeeded"), instance("InstanceRolledBack", "i-1")], "InService"),
    "replaces": (replacing("i-1")[2:], "InService"),
    "fails": ([script("i-1", "Failed")], "Failed"),
    "is unhealthy": ([health("i-1", "Unhealthy")], "Unknown"),
    "is configured": ([instance("KubernetesConfigUpdated", "i-1")], "Unknown"),
}


@pytest.mark.parametrize("name", MID_LIFE)
def test_an_instance_met_in_mid_life_is_adopted(fleet: Fleet, name: str) -> None:
    events, phase = MID_LIFE[name]
    fleet.sees(events)
    assert (fleet.instance("i-1").origin, fleet.phase("i-1")) == ("adopted", phase)
    assert not {"missing_event", "unexpected_transition"} & set(fleet.kinds())


GROUPS_MID_LIFE: dict[str, tuple[list[Event], str]] = {
    "is created": ([group("GroupOperationCompleted", "creation")], "InService"),
    "is scaled": ([group("GroupOperationCompleted", "scaling")], "InService"),
    "bakes": ([group("BakeStarted")], "Baking"),
    "has baked": ([group("BakeCompleted"), group("PatchCompleted")], "InService"),
    "selects": ([group("PatchBatchSelected")], "Patching"),
    "alarms": ([group("BakeAlarm"), group("GroupRollbackStarted")], "RollingBack"),
    "is deleted": ([group("GroupOperationCompleted", "deletion")], "Deleted"),
    "has FSx": ([group("FsxUpdateCompleted")], "Unknown"),
}


@pytest.mark.parametrize("name", GROUPS_MID_LIFE)
def test_a_group_met_in_mid_life_is_adopted(fleet: Fleet, name: str) -> None:
    events, phase = GROUPS_MID_LIFE[name]
    fleet.sees(events)
    assert (fleet.group().origin, fleet.phase("workers")) == ("adopted", phase)
    assert not {"missing_event", "unexpected_transition"} & set(fleet.kinds())


def test_a_group_first_heard_of_through_the_birth_of_a_nameless_instance_is_adopted(fleet: Fleet) -> None:
    fleet.sees(instance("InstanceOperationStarted", operation="creation"))
    fleet.sees(group("GroupOperationCompleted", "scaling").counts(5, 5), born("i-1"))
    assert (fleet.group().origin, fleet.phase("workers"), fleet.kinds()) == ("adopted", "InService", [])


def test_a_cluster_met_in_mid_life_is_adopted(fleet: Fleet) -> None:
    fleet.sees(cluster("ClusterOperationCompleted", "update"))
    assert (fleet.cluster().origin, fleet.phase("train"), fleet.kinds()) == ("adopted", "InService", [])
