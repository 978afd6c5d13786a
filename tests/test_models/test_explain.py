"""Words for everything, stories of entities and chains of replacements."""

from __future__ import annotations

import json
from itertools import product

import pytest

from models.catalogue import BY_CODE, EVENT_CODES
from models.deadlines import NAMES, WAITING, Thresholds
from models.explain import (
    closest,
    codes,
    expect,
    explain,
    lineage_chain,
    story_of_cluster,
    story_of_group,
    story_of_instance,
    words,
)
from models.explain.phases import PHASE_LEVELS, given_by
from models.explain.times import milliseconds, span
from models.explain.words import CHECK, MACHINES, OPENS, PHASES, RULES, SAID_BY_NO_EVENT, STATES
from models.faults import KINDS
from models.machines import graph, instance
from models.public import (
    Anomaly,
    AnomalyKind,
    ClusterItem,
    GroupItem,
    HistoryItem,
    InstanceItem,
    Picture,
    iso,
    sort_instances,
)

ARN = "arn:aws:sagemaker:us-west-2:123456789012:cluster/abc"
BEGIN = 1_780_000_000_000


def at(minutes: float) -> str:
    return iso(BEGIN + round(minutes * 60_000))


def step(minutes: float, machine: str | None, before: str | None, to: str | None, code: str) -> HistoryItem:
    return HistoryItem(time=at(minutes), event_id=f"e-{minutes:g}", code=code, machine=machine, from_=before, to=to)


def node(
    name: str | None, *history: HistoryItem, slot: str | None = None, old: str | None = None, new: str | None = None
) -> InstanceItem:
    machines = dict(instance.START)
    for change in history:
        if change.machine and change.to:
            machines[change.machine] = change.to
    return InstanceItem(
        cluster_arn=ARN,
        instance_group="gpu",
        instance_id=name,
        node_logical_id=slot,
        phase=instance.phase(machines),
        machines=machines,
        origin="observed",
        schedulable=True,
        replaces=old,
        replaced_by=new,
        lineage="inferred" if old else None,
        since=history[-1].time if history else None,
        last_event_time=history[-1].time if history else None,
        history=history,
    )


def group(phase: str = "InService", **machines: str) -> GroupItem:
    start = {name: next(iter(table)) for name, table in graph.LEVELS["group"].items()}
    return GroupItem(
        cluster_arn=ARN,
        instance_group="gpu",
        phase=phase,
        machines={**start, **machines},
        origin="observed",
        target_count=3,
        members={"InService": 2},
        since=at(0),
        last_event_time=at(5),
    )


def cluster(phase: str = "InService", **machines: str) -> ClusterItem:
    return ClusterItem(
        cluster_arn=ARN,
        cluster_name="train",
        phase=phase,
        machines={"operation": "None", **machines},
        origin="observed",
        since=at(0),
        last_event_time=at(5),
    )


def fault(name: str | None, kind: str = "unhealthy_node", status: str = "open", **more: object) -> Anomaly:
    given = {"anomaly_id": f"{kind}-{name}", "revision": 1, "kind": kind, "severity": "error", "status": status}
    given |= {"cluster_arn": ARN, "instance_group": "gpu", "instance_id": name, "resource_type": "Instance"}
    given |= {"title": "Node is Unhealthy", "opened_at": at(1), "updated_at": at(1), "cause": "unknown", **more}
    return Anomaly.model_validate(given)


# Words


def test_every_machine_state_and_phase_has_its_words():
    assert tuple(sorted(MACHINES)) == tuple(sorted(graph.MACHINES))
    for level, tables in graph.LEVELS.items():
        for name, table in tables.items():
            assert list(STATES[f"{level}/{name}"]) == [str(state) for state in table]
    assert {level: list(phases) for level, phases in PHASES.items()} == {
        level: [str(phase) for phase in phases] for level, phases in PHASE_LEVELS.items()
    }


def test_every_kind_says_what_opens_it_and_what_to_look_at():
    assert set(CHECK) == set(AnomalyKind)
    assert set(OPENS) | {AnomalyKind(kind) for kind in KINDS.values()} == set(AnomalyKind)
    assert all(CHECK.values())


def test_every_phase_is_given_by_a_machine_or_by_a_rule():
    for level, phases in PHASE_LEVELS.items():
        for phase in phases:
            if phase != "Unknown":
                assert given_by(level, phase) or f"{level}/{phase}" in RULES, (level, phase)


EVERYTHING = [
    *(("code", name, None) for name in (*BY_CODE, *EVENT_CODES)),
    *(("kind", str(kind), None) for kind in AnomalyKind),
    *(("phase", str(phase), level) for level, phases in PHASE_LEVELS.items() for phase in phases),
    *(("machine", machine.split("/")[1], machine.split("/")[0]) for machine in graph.MACHINES),
    *(("state", str(state), machine) for machine in graph.MACHINES for state in graph.graph(machine)),
    *(("deadline", name, None) for name in NAMES),
]


@pytest.mark.parametrize(("kind", "name", "of"), EVERYTHING)
def test_everything_is_explained_under_each_of_its_names(kind: str, name: str, of: str | None):
    narrowed = f"{of}/{name}" if of else name
    for word in (name, name.upper(), narrowed, narrowed.lower()):
        found = [topic for topic in explain(word) if (topic.type, topic.name, topic.of) == (kind, name, of)]
        assert len(found) == 1, word
        assert len(found[0].meaning) > 10
        json.dumps(found[0].model_dump(mode="json"), allow_nan=False)
    assert name in words()


def test_a_narrowed_word_has_fewer_meanings():
    assert len(explain("failed")) > len(explain("provision/failed")) == 1
    assert [topic.of for topic in explain("group/patch")] == ["group"]


def test_what_is_misspelt_is_guessed():
    assert closest("patch_faild")[0] == "patch_failed"
    assert closest("InstanceRoledBack")[0] == "InstanceRolledBack"
    assert "Replacing" in closest("replacng") or "replacing" in closest("replacng")
    assert closest("%&/") == []
    assert explain("") == explain("nothing like it") == ()


def test_a_code_says_what_it_moves_opens_and_clears():
    (topic,) = explain("LifecycleScriptStatus")
    details = topic.model_dump(mode="json")["details"]
    moves = {(m["machine"], m["from"], m["to"], m["when"]) for m in details["moves"]}
    assert ("instance/lifecycle_script", "Running", "Failed", "Failed") in moves
    assert ("instance/provision", "Provisioned", "InService", "Succeeded") in moves
    assert details["opens"] == ["lifecycle_script_failed (Failed)"]
    assert "LifecycleScriptFailedWithLogs (Succeeded)" in details["clears"]
    assert details["text"].startswith("Instance lifecycle script execution for EC2 Instance <instance-id>")
    assert details["ranks"]["Failed"] > details["rank"]


def test_codes_agree_with_the_table_of_kinds():
    for name, kind in KINDS.items():
        assert kind in codes.opens(name), name


def test_every_move_of_a_code_is_an_edge_of_its_machine():
    for name in codes.CODES:
        for move in codes.moves(name):
            assert name in next(
                edge.events
                for edge in codes.edges(move.machine)
                if (edge.from_, edge.to, edge.on) == (move.from_, move.to, move.on)
            )


def test_a_state_says_how_it_is_left_and_until_when():
    (topic,) = explain("replace/Replacing")
    details = topic.model_dump(mode="json")["details"]
    limit = Thresholds().deadline("replacing")
    assert details["deadline"] == {"name": "replacing", "slow_minutes": limit.slow, "stuck_minutes": limit.stuck}
    assert {edge["to"] for edge in details["left_by"]} == {"Replaced", "Failed"}
    assert details["phase"] == ["Replacing"]
    (final,) = explain("provision/Terminated")
    assert final.details["is_final"]
    assert final.details["no_deadline_because"] == "nothing is awaited here"


def test_a_kind_that_is_found_says_its_severity():
    (topic,) = (each for each in explain("patch_skipped") if each.type == "kind")
    assert topic.details["severity"] == "warning"
    assert topic.details["opens_on"][0].startswith("PatchSkipped: UpdateClusterSoftware for Instance")


# Stories


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


# Chains


def chain_of(*items: InstanceItem, of: int = 0, now: str | None = None, anomalies: tuple[Anomaly, ...] = ()):
    picture = Picture(instances=sort_instances(items), anomalies=anomalies)
    return lineage_chain(picture, items[of], now)


def story_of_three() -> tuple[InstanceItem, ...]:
    first = node(
        "i-9",
        step(0, "provision", "Provisioned", "InService", "LifecycleScriptStatus"),
        step(10, "health", "Unknown", "Unhealthy", "NodeHealth"),
        step(12, "provision", "InService", "Terminating", "ReplacementStarted"),
        step(20, "provision", "Terminating", "Terminated", "EniDeleted"),
        new="i-5",
    )
    failed = node(
        "i-5",
        step(12, "replace", "None", "Replacing", "ReplacementStarted"),
        step(25, "replace", "Replacing", "Failed", "ReplacementFailed"),
        old="i-9",
        new="i-7",
    )
    last = node(
        "i-7",
        step(30, "replace", "None", "Replacing", "ReplacementStarted"),
        step(45, "provision", "Provisioned", "InService", "LifecycleScriptStatus"),
        step(46, "replace", "Replacing", "Replaced", "ReplacementCompleted"),
        old="i-5",
    )
    return first, failed, last


@pytest.mark.parametrize("of", [0, 1, 2])
def test_a_chain_is_whole_from_wherever_it_is_asked(of: int):
    chain = chain_of(*story_of_three(), of=of, now=at(60), anomalies=(fault("i-9", status="resolved"),))
    assert [item.instance_id for item in chain] == ["i-9", "i-5", "i-7"]
    assert [item.attempt for item in chain] == [None, 1, 2]
    assert [item.minutes_lost for item in chain] == [None, 15.0, 20.0]  # 10 → 25 failed, 25 → 45 in service
    assert [item.replaced_at for item in chain] == [None, at(45), None]
    assert (chain[0].in_service_at, chain[0].lost_at, chain[0].terminated_at) == (at(0), at(10), at(20))
    assert [f.kind for f in chain[0].faults] == ["unhealthy_node"]
    assert chain[2].first_seen == at(30)


def test_attempts_are_counted_anew_after_one_that_served():
    first, failed, last = story_of_three()
    again = node("i-8", step(90, "replace", "None", "Replacing", "ReplacementStarted"), old="i-7")
    chain = chain_of(first, failed, last.model_copy(update={"replaced_by": "i-8"}), again, now=at(100))
    assert [item.attempt for item in chain] == [None, 1, 2, 1]
    assert chain[3].minutes_lost is None  # nothing says that i-7 was lost
    assert chain[3].in_service_at is None


def test_what_is_not_over_costs_until_now():
    first, failed, _ = story_of_three()
    still = failed.model_copy(update={"history": failed.history[:1], "replaced_by": None})
    assert chain_of(first, still, now=at(40))[1].minutes_lost == 30.0
    assert chain_of(first, still, now=None)[1].minutes_lost is None


def test_what_recovered_was_not_lost():
    item = node(
        "i-1",
        step(0, "health", "Unknown", "Unhealthy", "NodeHealth"),
        step(5, "reboot", "Rebooting", "Rebooted", "InstanceOperationCompleted"),
    )
    assert chain_of(item, now=at(9))[0].lost_at is None


def test_a_slot_that_waits_for_its_next_instance_ends_the_chain():
    old = node("i-1", step(0, "provision", "InService", "Terminating", "ReplacementStarted"), slot="s-1")
    coming = node(None, step(8, "provision", "Unknown", "Requested", "InstanceOperationStarted"), slot="s-1")
    other = node(None, step(8, "provision", "Unknown", "Requested", "InstanceOperationStarted"), slot="s-2")
    for of in (0, 1):
        chain = chain_of(old, coming, other, of=of, now=at(10))
        assert [(item.instance_id, item.node_logical_id) for item in chain] == [("i-1", "s-1"), (None, "s-1")]
        assert chain[1].minutes_lost == 10.0
    assert [item.node_logical_id for item in chain_of(old, coming, other, of=2)] == ["s-2"]


def test_a_chain_that_bites_its_tail_or_names_the_unknown_ends():
    a, b = node("i-1", old="i-2", new="i-2"), node("i-2", old="i-1", new="i-1")
    assert len(chain_of(a, b)) == 2
    assert len(chain_of(node("i-1", old="i-gone", new="i-new"))) == 1
