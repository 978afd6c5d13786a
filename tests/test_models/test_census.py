"""Who is in which state of which machine, and which steps were taken."""

from __future__ import annotations

from typing import Any

from models import public
from models.census import Census, added, census, members
from models.machines.graph import MACHINES

ARN, OTHER = "arn:aws:sagemaker:us-west-2:1:cluster/a", "arn:aws:sagemaker:us-west-2:1:cluster/b"


def change(machine: str, origin: str, to: str, minute: int = 0) -> public.HistoryItem:
    time = f"2026-10-05T00:{minute:02d}:00.000Z"
    return public.HistoryItem(time=time, event_id="e", code="X", machine=machine, from_=origin, to=to)


def instance(name: str, phase: str, *history: public.HistoryItem, arn: str = ARN, **machines: str) -> Any:
    return public.InstanceItem(
        cluster_arn=arn,
        instance_group="g",
        instance_id=name,
        node_logical_id=None,
        phase=phase,
        machines=machines,
        origin="observed",
        schedulable=True,
        since=None,
        last_event_time=None,
        history=history,
    )


def picture(*instances: public.InstanceItem) -> public.Picture:
    arns = sorted({each.cluster_arn for each in instances})
    clusters = tuple(
        public.ClusterItem(
            cluster_arn=arn,
            cluster_name=arn[-1],
            phase="InService",
            machines={"operation": "None"},
            origin="observed",
            since=None,
            last_event_time=None,
        )
        for arn in arns
    )
    return public.Picture(clusters=clusters, instances=public.sort_instances(instances))


def of(machine: str, found: tuple[Census, ...]) -> Census:
    return next(each for each in found if each.machine == machine)


def counts(machine: str, found: tuple[Census, ...]) -> dict[str, int]:
    return {each.state: each.count for each in of(machine, found).states if each.count}


def test_every_machine_and_every_state_is_there_also_where_nobody_is() -> None:
    found = census(public.Picture(), None)
    assert tuple(each.machine for each in found) == MACHINES
    assert [each.state for each in of("instance/reboot", found).states] == ["None", "Rebooting", "Rebooted", "Failed"]
    assert all(state.count == 0 for each in found for state in each.states)


def test_who_is_gone_counts_where_its_end_is_a_state_and_nowhere_else() -> None:
    gone = instance("i-1", "Terminated", provision="Terminated", health="Unhealthy")
    found = census(picture(gone, instance("i-2", "InService", provision="InService", health="Healthy")), None)
    assert counts("instance/provision", found) == {"InService": 1, "Terminated": 1}
    assert counts("instance/health", found) == {"Healthy": 1}
    assert members(picture(gone), "instance/health", "Unhealthy") == []


def test_steps_are_counted_and_those_that_the_table_lacks_are_marked() -> None:
    steps = [change("provision", "Provisioned", "InService", 1), change("provision", "Terminated", "InService", 2)]
    one = instance("i-1", "InService", *steps, provision="InService")
    two = instance("i-2", "InService", change("provision", "Provisioned", "InService", 5), provision="InService")
    told = of("instance/provision", census(picture(one, two), None)).steps
    assert [(each.from_, each.to, each.count, each.legal, each.by, each.last[14:16]) for each in told] == [
        ("Provisioned", "InService", 2, True, "i-2", "05"),
        ("Terminated", "InService", 1, False, "i-1", "02"),
    ]


def test_what_changed_nothing_is_no_step() -> None:
    same = change("provision", "InService", "InService")
    alone = public.HistoryItem(time="2026-10-05T00:00:00.000Z", event_id="e", code="X")
    found = census(picture(instance("i-1", "InService", same, alone, provision="InService")), None)
    assert all(each.steps == () for each in found)


def test_parts_of_other_clusters_add_up_to_the_whole() -> None:
    step = change("reboot", "None", "Rebooting")
    here = instance("i-1", "Rebooting", step, reboot="Rebooting")
    there = instance("i-2", "Rebooting", step, arn=OTHER, reboot="Rebooting")
    both = picture(here, there)
    assert added([census(both, {ARN}), census(both, {OTHER})]) == census(both, None)


def test_a_state_of_another_version_is_counted_last_and_is_not_lost() -> None:
    found = census(picture(instance("i-1", "InService", health="Shiny")), None)
    assert of("instance/health", found).states[-1].state == "Shiny"
    assert counts("instance/health", found) == {"Shiny": 1}


def test_a_member_says_since_when_where_its_history_tells_it() -> None:
    told = instance("i-1", "Rebooting", change("reboot", "None", "Rebooting", 7), reboot="Rebooting")
    untold = instance("i-2", "Rebooting", change("health", "Unknown", "Healthy", 7), reboot="Rebooting")
    found = members(picture(told, untold), "instance/reboot", "Rebooting")
    assert [(each.instance_id, each.since) for each in found] == [("i-1", "2026-10-05T00:07:00.000Z"), ("i-2", None)]
    assert found[0].cluster_name == "a"
