"""Proofs about the machines, from their graphs: before any event has run through them.

Knows: the tables, networkx.  Must not know: rows, how a step is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import networkx as nx
import pytest

from models import states
from models.catalogue import BY_CODE
from models.faults import KINDS, PARTICULAR, fault_of
from models.machines import cluster, instance, instance_group
from models.machines.graph import LEVELS, MACHINES, graph, path, render, resolve
from models.machines.signals import Signal, signal_of
from models.observation import Observation
from models.states import GroupPhase, InstancePhase

MODULES = {"instance": instance, "group": instance_group, "cluster": cluster}

VOCABULARY = {
    "instance/provision": states.Provision,
    "instance/lifecycle_script": states.LifecycleScript,
    "instance/replace": states.Replace,
    "instance/patch": states.InstancePatch,
    "instance/rollback": states.Rollback,
    "instance/reboot": states.Reboot,
    "instance/health": states.Health,
    "group/operation": states.GroupOperation,
    "group/network": states.Configured,
    "group/fsx": states.Fsx,
    "group/patch": states.GroupPatch,
    "group/rollback": states.Rollback,
    "cluster/operation": states.ClusterOperation,
    "cluster/access": states.Configured,
    "cluster/autoscaling": states.Configured,
    "cluster/slurm_config": states.SlurmConfig,
}

# What a machine may stay in for good: nothing is under way there.
RESTING = {
    *("InService", "Terminated", "Succeeded", "Replaced", "Updated", "Skipped", "RolledBack", "Rebooted", "Healthy"),
    *("None", "Deleted", "Configured", "Available", "Completed", "InSync"),
}

# Where a machine waits for something that has to come.
WAITING = {
    *("Requested", "NetworkReady", "Provisioned", "Terminating", "Running", "Replacing", "Prepared"),
    *("ReplacingRootVolume", "RollingBack", "Rebooting", "Creating", "Updating", "Scaling", "Deleting"),
    *("Scheduled", "InProgress", "Baking"),
}

# Templates that move no machine and open nothing: news for the history only.
NEWS_ONLY = {
    "ProvisioningParametersFound",
    "ProvisioningParametersNotFound",
    "MungeKeyCreated",
    "CapacityReservationFound",
    "CapacityReservationNotFound",
    "FailedInstancesQueued",
}
# Templates that move no machine and open nothing, but end what a failure of the same thing opened.
ONLY_CLEARS = {"CustomAmiFound", "UnusedEniDeleted", "KubernetesConfigUpdated"}


def words(machine: str) -> list[str]:
    return [str(state) for state in VOCABULARY[machine]]


def test_every_machine_has_its_vocabulary() -> None:
    assert sorted(MACHINES) == sorted(VOCABULARY)


@pytest.mark.parametrize("machine", MACHINES)
def test_every_state_of_the_vocabulary_is_in_the_table_and_no_other(machine: str) -> None:
    assert sorted(map(str, graph(machine))) == sorted(words(machine))


@pytest.mark.parametrize("machine", MACHINES)
def test_one_start_from_which_every_state_is_reached(machine: str) -> None:
    drawn = graph(machine)
    start = drawn.graph["start"]
    assert start == words(machine)[0]
    assert {start, *nx.descendants(drawn, start)} == set(drawn)


@pytest.mark.parametrize("machine", MACHINES)
def test_from_every_state_one_comes_to_rest(machine: str) -> None:
    drawn = graph(machine)
    stranded = [s for s in drawn if not RESTING & {s, *nx.descendants(drawn, s)}]
    assert stranded == []


@pytest.mark.parametrize("machine", MACHINES)
def test_nothing_that_is_under_way_is_a_dead_end(machine: str) -> None:
    drawn = graph(machine)
    assert [s for s in drawn if s in WAITING and drawn.out_degree(s) == 0] == []


def test_only_the_end_of_an_instance_or_a_cluster_is_final() -> None:
    final = {
        (machine, state) for machine in MACHINES for state in graph(machine) if not graph(machine).out_degree(state)
    }
    assert final == {("instance/provision", "Terminated"), ("cluster/operation", "Deleted")}


def test_every_signal_moves_some_machine() -> None:
    used = {signal for machine in MACHINES for _, _, signal in graph(machine).edges(data="signal")}
    assert {str(s) for s in Signal} - {str(s) for s in used} == set()


@pytest.mark.parametrize("machine", MACHINES)
def test_an_edge_leads_where_its_signal_leads_from_anywhere(machine: str) -> None:
    """`TARGETS` says where an unexpected signal leads: no edge may say otherwise."""
    level, name = machine.split("/")
    targets = MODULES[level].TARGETS[name]
    differing = {
        (str(origin), str(signal), str(target))
        for origin, target, signal in graph(machine).edges(data="signal")
        if signal in targets and targets[signal] != target
    }
    assert differing == set()


@pytest.mark.parametrize("machine", MACHINES)
def test_targets_are_states_and_their_signals_stand_in_the_table(machine: str) -> None:
    level, name = machine.split("/")
    signals = {signal for _, _, signal in graph(machine).edges(data="signal")}
    for signal, target in MODULES[level].TARGETS[name].items():
        assert target in graph(machine)
        assert signal in signals


def test_a_completion_finds_its_own_operation() -> None:
    for level in ("group", "cluster"):
        module: Any = MODULES[level]
        for machine, needs in module.NEEDS.items():
            for signal, state in needs.items():
                assert signal in LEVELS[level][machine][state]


def test_the_script_may_run_again_only_in_joint_states_that_exist() -> None:
    for machine, allowed in {**instance.SCRIPT_RUNS_IN, **instance.PROVISION_OPTIONAL_IN}.items():
        assert set(allowed) <= set(graph(f"instance/{machine}"))
    for machine, ignored in instance.IGNORED.items():
        for allowed in ignored.values():
            assert set(allowed) <= set(graph(f"instance/{machine}"))


def joint(tables: Mapping[str, Mapping[str, object]]) -> Iterator[dict[str, str]]:
    """Every combination of states of several machines."""
    names = list(tables)
    for combination in product(*(tables[name] for name in names)):
        yield dict(zip(names, map(str, combination), strict=True))


def test_every_phase_of_an_instance_is_reached_and_health_never_changes_it() -> None:
    still = {name: table for name, table in instance.MACHINES.items() if name != "health"}
    seen = set()
    for machines in joint(still):
        phases = {instance.phase(machines | {"health": str(health)}) for health in states.Health}
        assert len(phases) == 1, machines
        seen |= phases
    assert seen == set(InstancePhase)


PRECEDENCE = list(InstancePhase)


def test_the_phase_of_an_instance_follows_the_precedence() -> None:
    """Written a second time, as the contract's sentence says it."""
    for machines in joint({n: t for n, t in instance.MACHINES.items() if n != "health"}):
        expected = {
            InstancePhase.TERMINATED: machines["provision"] == "Terminated",
            InstancePhase.TERMINATING: machines["provision"] == "Terminating",
            InstancePhase.ROLLING_BACK: machines["rollback"] == "RollingBack",
            InstancePhase.PATCHING: machines["patch"] in ("Prepared", "ReplacingRootVolume"),
            InstancePhase.REPLACING: machines["replace"] == "Replacing",
            InstancePhase.REBOOTING: machines["reboot"] == "Rebooting",
            InstancePhase.FAILED: "Failed"
            in [machines[name] for name in ("provision", "lifecycle_script", "replace", "rollback")],
            InstancePhase.LIFECYCLE_SCRIPT: machines["lifecycle_script"] == "Running",
            InstancePhase.PROVISIONING: machines["provision"] in ("Requested", "NetworkReady", "Provisioned"),
        }
        found = instance.phase(machines | {"health": "Unknown"})
        first = next((word for word in PRECEDENCE if expected.get(word)), None)
        assert found == first if first else found in (InstancePhase.IN_SERVICE, InstancePhase.UNKNOWN), machines


def test_every_phase_of_a_group_is_reached_and_a_failed_patch_does_not_colour_it() -> None:
    seen = set()
    for machines in joint(instance_group.MACHINES):
        for reported, degraded, alive in product((None, "InService", "Degraded"), (False, True), (False, True)):
            seen.add(instance_group.phase(machines, reported=reported, degraded=degraded, alive=alive))
        if machines["patch"] == "Failed":
            calm = instance_group.phase(machines | {"patch": "None"}, reported=None, degraded=False, alive=True)
            assert instance_group.phase(machines, reported=None, degraded=False, alive=True) == calm
    assert seen == set(GroupPhase)


def test_every_phase_of_a_cluster_is_reached() -> None:
    told = set(cluster.STATUS.values())
    assert told | {"RollingBack", "Unknown"} == set(states.ClusterPhase), "the two that only a state change tells"


def meanings(code: str) -> Iterator[Observation]:
    """Observations of a code with every word that may decide."""
    for operation in ("create", "update", "delete", "scale", "replace", "reboot", "update_software", "other", None):
        for status in ("Started", "Succeeded", "Failed", None):
            yield Observation(
                event_id="e",
                detail_type="",
                cluster_arn="a",
                code=code,
                operation=operation,
                status=status,
                text={"current": "6", "total": "8"},
            )


@pytest.mark.parametrize("code", sorted(BY_CODE))
def test_every_template_means_something_or_is_known_to_mean_nothing(code: str) -> None:
    moves = any(signal_of(obs) is not None for obs in meanings(code))
    opens = any(fault_of(obs) is not None for obs in meanings(code))
    assert (moves or opens) is not (code in NEWS_ONLY | ONLY_CLEARS)


@pytest.mark.parametrize("code", sorted(BY_CODE))
def test_a_template_that_fails_opens_the_kind_of_its_table(code: str) -> None:
    kinds = {spec.kind for obs in meanings(code) if (spec := fault_of(obs)) is not None}
    if BY_CODE[code].level == "Error":
        assert kinds, "an error that opens nothing"
    assert not kinds or KINDS[code] in kinds


def test_the_particular_kinds_stand_in_the_order_of_the_contract() -> None:
    heads = [kind.split("_", maxsplit=1)[0] for kind in PARTICULAR]
    assert heads == ["lifecycle", "replacement", "rollback", "patch", "operation"]


def test_the_shortest_legal_path_is_found_or_there_is_none() -> None:
    assert path("instance/provision", "Provisioned", "Terminated") == ("Provisioned", "Terminating", "Terminated")
    assert path("instance/provision", "Terminated", "InService") is None
    assert path("instance/patch", "None", "Updated") == ("None", "ReplacingRootVolume", "Updated")


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("fmt", ["mermaid", "dot", "svg"])
def test_every_machine_can_be_drawn_with_every_state(machine: str, fmt: str) -> None:
    drawn = render(machine, fmt)
    assert all(state in drawn for state in words(machine))


def test_a_bare_name_means_every_machine_of_that_name() -> None:
    assert resolve("patch") == ["group/patch", "instance/patch"]
    assert resolve("group/patch") == ["group/patch"]
    assert resolve("nothing") == []
