"""Made-up fleets against their truth: what was scripted is what is reconstructed, and nothing besides.

Knows: the simulator, replay.  Must not know: how either comes to its answer.

Events come duplicated, disordered and in every wrapping.  Where no event tells a slot, who replaced whom is inferred;
what hangs on it (lineage and the kinds of `BY_LINEAGE`) is compared only where slots are told.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from functools import cache
from typing import Any

import pytest

from streams.replay import Replay
from streams.simulate.delivery import Habits
from streams.simulate.run import Faults, Settings, Told, simulate

SEEDS = range(1, 6)
HABITS = Habits(duplicates=0.1, disorder=0.2, wrapped=True)
BY_LINEAGE = frozenset({"flapping", "correlated_failure", "repair_not_started"})
FLEETS = [
    pytest.param(seed, faults, told, id=f"seed {seed}, {faults} faults, {told} metadata")
    for faults, told in ((Faults.some, Told.full), (Faults.many, Told.mixed), (Faults.none, Told.mixed))
    for seed in SEEDS
]
Json = dict[str, Any]
Pair = tuple[Json, Json]


@cache
def told_and_found(seed: int, faults: Faults, told: Told) -> Pair:
    """The truth of three clusters of sixty instances, and the document that replay makes of their events."""
    hours = 10 if faults is Faults.many else 24
    made = simulate(Settings(seed, hours=hours, faults=faults, metadata=told, habits=HABITS))
    job = Replay()
    for _, value in made.delivered.values:
        job.feed("simulated", value)
    return made.truth, job.document(made.truth["now_ms"]).model_dump(mode="json")


@pytest.fixture
def pair(seed: int, faults: Faults, told: Told) -> Pair:
    return told_and_found(seed, faults, told)


def with_slots(truth: Json) -> set[str]:
    return {cluster["cluster_arn"] for cluster in truth["clusters"] if cluster["metadata"] == "full"}


def by(items: list[Json], *names: str) -> dict[tuple[Any, ...], Json]:
    return {tuple(item[name] for name in names): item for item in items}


@pytest.mark.parametrize(("seed", "faults", "told"), FLEETS)
def test_every_value_is_counted_once(pair: Pair) -> None:
    truth, found = pair
    summary = found["summary"]
    assert (summary["read"], summary["applied"]) == (truth["delivered"], truth["distinct"])
    assert (summary["dead_lettered"], summary["late"], summary["ignored"]) == (0, 0, {})


@pytest.mark.parametrize(("seed", "faults", "told"), FLEETS)
def test_every_phase_is_right(pair: Pair) -> None:
    truth, found = pair
    for name, keys in (
        ("clusters", ("cluster_arn",)),
        ("instance_groups", ("cluster_arn", "instance_group")),
        ("instances", ("cluster_arn", "instance_group", "instance_id")),
    ):
        wanted, got = by(truth[name], *keys), by(found[name], *keys)
        assert {key: item["phase"] for key, item in got.items()} == {key: item["phase"] for key, item in wanted.items()}


@pytest.mark.parametrize(("seed", "faults", "told"), FLEETS)
def test_groups_count_their_members_right(pair: Pair) -> None:
    truth, found = pair
    got = by(found["instance_groups"], "cluster_arn", "instance_group")
    for key, group in by(truth["instance_groups"], "cluster_arn", "instance_group").items():
        assert {phase: count for phase, count in got[key]["members"].items() if count} == group["members"]


@pytest.mark.parametrize(("seed", "faults", "told"), FLEETS)
def test_scripts_health_and_cordons_are_right(pair: Pair) -> None:
    truth, found = pair
    got = by(found["instances"], "cluster_arn", "instance_id")
    for key, node in by(truth["instances"], "cluster_arn", "instance_id").items():
        machines = got[key]["machines"]
        assert (machines["lifecycle_script"], machines["health"]) == (node["lifecycle_script"], node["health"]), key
        assert got[key]["schedulable"] == node["schedulable"], key


@pytest.mark.parametrize(("seed", "faults", "told"), FLEETS)
def test_slots_and_lineage_are_right(pair: Pair) -> None:
    truth, found = pair
    names = ("node_logical_id", "replaces", "replaced_by")
    known = with_slots(truth)
    wanted, got = (by(document["instances"], "cluster_arn", "instance_id") for document in (truth, found))
    for key, node in wanted.items():
        if key[0] in known:
            assert [got[key][name] for name in names] == [node[name] for name in names], key


@pytest.mark.parametrize(("seed", "faults", "told"), FLEETS)
def test_every_fault_is_found_and_nothing_else(pair: Pair) -> None:
    truth, found = pair
    known = with_slots(truth)
    wanted = Counter(_fault(fault, fault["opened_ms"], known) for fault in truth["faults"] if _sure(fault, known))
    got = Counter(_fault(item, _ms(item["opened_at"]), known) for item in found["anomalies"] if _sure(item, known))
    assert (wanted - got, got - wanted) == (Counter(), Counter())


@pytest.mark.parametrize("told", Told)
@pytest.mark.parametrize("seed", [10, 11])
def test_not_one_false_alarm_where_nothing_goes_wrong(seed: int, told: Told) -> None:
    truth, found = told_and_found(seed, Faults.none, told)
    assert (truth["faults"], found["anomalies"]) == ([], [])


@pytest.mark.parametrize("faults", [Faults.none, Faults.many])
@pytest.mark.parametrize(("seed", "minutes"), [(20, 3), (21, 7)])
def test_snapshots_that_lag_behind_contradict_nothing(seed: int, minutes: float, faults: Faults) -> None:
    settings = Settings(seed, instances=15, hours=8, faults=faults, metadata=Told.mixed, habits=HABITS, polls=minutes)
    made, job = simulate(settings), Replay()
    for _, value in made.delivered.values:
        job.feed("simulated", value)
    document = job.document(made.truth["now_ms"])
    assert [a.title for a in document.anomalies if a.kind == "drift"] == []
    assert faults is Faults.many or not document.anomalies
    seen = [item.observed.status for item in document.instances if item.observed]
    assert len(set(seen)) > 1


def _sure(fault: Json, known: set[str]) -> bool:
    return fault["cluster_arn"] in known or fault["kind"] not in BY_LINEAGE


def _fault(fault: Json, opened: int, known: set[str]) -> tuple[Any, ...]:
    """What is compared; what flaps is the slot, whichever of its instances shows it."""
    slot = fault["node_logical_id"] if fault["cluster_arn"] in known else None
    who = slot if fault["kind"] == "flapping" and slot else fault["instance_id"] or slot
    return fault["kind"], fault["cluster_arn"], fault["instance_group"], who, opened, fault["status"]


def _ms(time: str) -> int:
    return round(datetime.fromisoformat(time).timestamp() * 1000)
