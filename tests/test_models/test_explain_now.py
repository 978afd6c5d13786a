"""Stories of entities as they are now: since when, why, and what is expected next by when."""

from __future__ import annotations

from itertools import product

import pytest

from models.deadlines import WAITING, Thresholds
from models.explain import expect, story_of_cluster, story_of_group, story_of_instance
from models.explain.times import milliseconds, span
from models.explain.words import PHASES, SAID_BY_NO_EVENT, STATES
from models.machines import instance
from models.public import InstanceItem, iso
from tests.test_models.told_items import BEGIN, at, cluster, fault, group, node, step


@pytest.mark.parametrize(
    ("level", "machine", "state"), [(a, b, c) for a in WAITING for b in WAITING[a] for c in WAITING[a][b]]
)
def test_every_waiting_state_has_a_next_step_and_a_time(level: str, machine: str, state: str):
    if level == "instance":
        found = expect.of_instance(node("i-1", step(0, machine, None, state, "ClusterStateChange")))
    else:
        phase = state if level == "cluster" else next(p for p in PHASES["group"] if p in (state, "Patching", "Unknown"))
        found = expect.of_others(level, phase, {machine: state}, at(0))
    (one,) = [each for each in found if each.machine == f"{level}/{machine}"]
    assert one.steps
    assert one.deadline == WAITING[level][machine][state]
    limit = Thresholds().deadline(one.deadline)
    assert (one.slow_at, one.stuck_at) == (at(limit.slow or 0), at(limit.stuck or 0))


def test_every_joint_state_has_a_story():
    names = ("provision", "lifecycle_script", "replace", "patch", "rollback", "reboot")
    for states in product(*(instance.MACHINES[name] for name in names)):
        history = [step(0, name, None, str(state), "NodeHealth") for name, state in zip(names, states, strict=True)]
        item = node("i-1", *history)
        awaited = expect.of_instance(item)
        assert bool(awaited) or item.phase in expect.RESTING
        assert all(one.steps for one in awaited)


def test_every_phase_of_a_group_or_cluster_has_a_story():
    for phase, operation in product(PHASES["group"], STATES["group/operation"]):
        story = story_of_group(group(phase, operation=operation), [], [], at(9))
        assert story.sentence.startswith(f"gpu (2 of 3 wanted in service) is {phase} for 9 min")
    for phase, operation in product(PHASES["cluster"], STATES["cluster/operation"]):
        assert f" is {phase} for " in story_of_cluster(cluster(phase, operation=operation), [], [], [], at(9)).sentence


def test_what_ends_without_an_event_is_a_state_that_there_is():
    for name in SAID_BY_NO_EVENT:
        level, *machine, state = name.split("/")
        assert state in (STATES[f"{level}/{machine[0]}"] if machine else PHASES[level])


def replacing() -> InstanceItem:
    return node(
        "i-2",
        step(10, "replace", "None", "Replacing", "ReplacementStarted"),
        step(12, "provision", "Unknown", "Provisioned", "InstanceProvisioned"),
        step(13, "lifecycle_script", "NotRun", "Running", "LifecycleScriptStatus"),
        old="i-1",
    ).model_copy(update={"since": at(10)})


def test_the_sentence_says_what_since_when_why_and_what_comes_next_by_when():
    story = story_of_instance(replacing(), [fault("i-1")], (), at(24))
    assert story.sentence == (
        f"i-2 (in place of i-1) is Replacing for 14 min (since {at(10)[:19]}Z) because of ReplacementStarted"
        " (Instance replacement started); expected next: script succeeded, then replacement completed"
        f" (slow at {at(43)[:19]}Z, in 19 min, stuck at {at(58)[:19]}Z, in 34 min)."
    )
    assert story.because is not None
    assert (story.because.code, story.because.event_id) == ("ReplacementStarted", "e-10")
    assert [each.machine for each in story.expects] == ["instance/lifecycle_script", "instance/replace"]
    assert story.anomalies == ()
    assert [change.machine for change in story.changes] == ["replace", "provision", "lifecycle_script"]


def test_a_deadline_that_has_passed_is_told_so():
    story = story_of_instance(replacing(), [], (), at(50))
    assert f"slow since {at(43)[:19]}Z, stuck at {at(58)[:19]}Z, in 8 min" in story.sentence


def test_at_rest_nothing_is_awaited_and_open_anomalies_are_named():
    item = node("i-1", step(0, "provision", "Provisioned", "InService", "LifecycleScriptStatus"))
    found = [fault("i-1"), fault("i-1", "stuck", severity="critical", title="x"), fault("i-1", "zombie", "resolved")]
    story = story_of_instance(item, found, (), at(3))
    assert "is InService for 3 min" in story.sentence
    assert "nothing is awaited" in story.sentence
    assert story.sentence.endswith("critical stuck is open since " + at(1)[:19] + "Z: x, and 1 more.")
    assert len(story.anomalies) == 2


def test_a_failed_instance_may_be_tried_again():
    item = node("i-1", step(0, "lifecycle_script", "Running", "Failed", "LifecycleScriptStatus"))
    (one,) = story_of_instance(item, [], (), at(1)).expects
    assert (one.deadline, one.steps) == ("failed", ("script started or rolled back",))


def test_what_leaves_waits_for_its_end_only():
    leaving = node(
        "i-1",
        step(0, "lifecycle_script", "NotRun", "Running", "LifecycleScriptStatus"),
        step(1, "provision", "Provisioned", "Terminating", "TerminationInProgress"),
    )
    (one,) = expect.of_instance(leaving)
    assert (one.machine, one.steps) == ("instance/provision", ("delete completed or ENI deleted",))
    gone = node("i-1", *leaving.history, step(2, "provision", "Terminating", "Terminated", "EniDeleted"))
    assert expect.of_instance(gone) == ()


def test_an_instance_of_which_nothing_is_kept():
    story = story_of_instance(node(None, slot="s-1"), [fault(None, node_logical_id="s-1")], (), None)
    assert story.sentence.startswith("s-1 is Unknown; nothing is awaited; error unhealthy_node is open")
    assert story.because is None


def test_a_group_names_what_does_not_serve():
    members = [replacing(), node("i-3", step(0, "provision", "Provisioned", "InService", "LifecycleScriptStatus"))]
    story = story_of_group(group("Degraded"), [fault("i-2")], members, at(20))
    assert story.sentence.startswith(
        f"gpu (2 of 3 wanted in service) is Degraded for 20 min (since {at(0)[:19]}Z), where i-2 is Replacing;"
        " expected next: as many members in service as wanted (no deadline); error"
    )
    assert [change.instance for change in story.changes] == ["i-3", "i-2", "i-2", "i-2"]
    many = [node(f"i-{n}", step(0, "reboot", "None", "Rebooting", "RebootInProgress")) for n in range(5)]
    assert "i-2 is Rebooting and 2 more" in story_of_group(group(), [], many, at(1)).sentence


def test_a_group_names_the_event_behind_its_phase_where_its_own_machines_give_it():
    told = [
        step(1, "operation", "None", "Scaling", "GroupOperationStarted"),
        step(4, "operation", "Scaling", "None", "GroupOperationCompleted"),
        step(6, "rollback", "None", "RollingBack", "BakeAlarm"),
        step(7, "network", "Unknown", "Configured", "NetworkConfigurationDetermined"),
    ]
    story = story_of_group(group("RollingBack", rollback="RollingBack"), [], [], at(9), told)
    assert " because of BakeAlarm (Bake time alarm triggered); expected next" in story.sentence
    assert [(change.instance, change.code) for change in story.changes[-2:]] == [
        (None, "BakeAlarm"),
        (None, "NetworkConfigurationDetermined"),
    ]
    settled = group("InService").model_copy(update={"since": at(4)})
    because = story_of_group(settled, [], [], at(9), told).because
    assert because is not None
    assert because.code == "GroupOperationCompleted"
    assert story_of_group(group("Degraded").model_copy(update={"since": at(6)}), [], [], at(9), told).because is None
    assert story_of_group(group("InService"), [], [], at(9), told).because is None


def test_a_cluster_names_the_event_that_came_with_its_status():
    told = [step(0, "operation", "None", "Creating", "ClusterOperationStarted")]
    story = story_of_cluster(cluster("Creating", operation="Creating"), [], [], [], at(6), told)
    assert "is Creating for 6 min" in story.sentence
    assert " because of ClusterOperationStarted (Cluster operation started); " in story.sentence


def test_a_rollback_of_a_group_is_ended_by_its_members():
    story = story_of_group(group("RollingBack", rollback="RollingBack"), [], [], at(6))
    assert "every touched member is rolled back" in story.sentence
    assert story.expects[0].slow_at == at(35)  # from its last sign of life


def test_a_cluster_names_its_groups():
    groups = [group("Scaling", operation="Scaling")]
    story = story_of_cluster(cluster("Creating", operation="Creating"), [], groups, [replacing()], at(6))
    assert story.sentence.startswith(f"train is Creating for 6 min (since {at(0)[:19]}Z), where gpu is Scaling;")
    assert "expected next: create completed (slow at" in story.sentence
    assert story.members == {"Replacing": 1}
    assert "nothing is awaited" in story_of_cluster(cluster(), [], [], [], None).sentence
    assert story_of_cluster(cluster(operation="Creating"), [], [], [], None).expects == ()
    assert "to another status (slow at" in story_of_cluster(cluster("RollingBack"), [], [], [], at(6)).sentence


def test_lengths_of_time():
    assert [span(ms) for ms in (0, 119_000, 120_000, 7_260_000, 200_000_000)] == [
        "0 s",
        "119 s",
        "2 min",
        "2 h 1 min",
        "2 d 7 h",
    ]
    assert milliseconds(iso(BEGIN + 1)) == BEGIN + 1
