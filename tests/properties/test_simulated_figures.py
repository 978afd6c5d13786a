"""The figures of made-up fleets against what the simulator knows: failures, durations of replacements, lost hours.

Knows: the simulator, replay, the report.  Must not know: how any of them comes to its answer.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

import pytest
from pydantic import TypeAdapter

from models.explain.times import milliseconds
from models.public import Picture, iso
from models.report import Counted, Report, counted, report, summed
from models.report.failures import KINDS
from models.report.ground import stand
from models.report.lives import PHASE
from streams.replay import Replay
from streams.simulate.run import Faults, Settings, Told, simulate
from tests.properties.test_simulated_fleets import HABITS

SEEDS = range(1, 5)
Json = dict[str, Any]
HOUR_MS = 3_600_000


@cache
def played(seed: int) -> tuple[Json, Picture, Report]:
    """The truth of three clusters, what replay makes of their events, and the figures."""
    made = simulate(Settings(seed, instances=30, hours=12, faults=Faults.many, metadata=Told.full, habits=HABITS))
    job = Replay()
    for _, value in made.delivered.values:
        job.feed("simulated", value)
    now = made.truth["now_ms"]
    picture = job.picture(now)
    return made.truth, picture, report(picture, iso(now), keep_ms=None)


@pytest.mark.parametrize("seed", SEEDS)
def test_failures_are_counted_as_they_happened(seed: int) -> None:
    truth, _, found = played(seed)
    wanted = Counter((f["cluster_arn"], f["instance_group"]) for f in truth["faults"] if f["kind"] in KINDS)
    groups = {
        (each.cluster_arn, each.instance_group): each.failures
        for each in found.figures
        if each.by == "instance_group" and each.failures
    }
    assert sum(wanted.values()) > 0
    assert groups == {key: count for key, count in wanted.items() if key[1] is not None}
    (fleet,) = [each for each in found.figures if each.by == "fleet"]
    causes = [each for each in found.figures if each.by == "cause" and each.cluster_arn is None]
    assert fleet.failures == sum(wanted.values()) == sum(each.failures for each in causes)


@pytest.mark.parametrize("seed", SEEDS)
def test_replacements_took_as_long_as_they_did(seed: int) -> None:
    truth, picture, _ = played(seed)
    now = truth["now_ms"]
    wanted = Counter(
        (each["instance_id"], each["begun_ms"], now if each["ended_ms"] is None else each["ended_ms"])
        for each in truth["replacements"]
    )
    got = Counter(
        (life.item.instance_id, stay.begun, stay.ended)
        for life in stand(picture, iso(now), None, ()).lives
        for stay in life.stays
        if (stay.machine, stay.state) == ("replace", "Replacing")
    )
    assert wanted
    assert got == wanted


@pytest.mark.parametrize("seed", SEEDS)
def test_the_figures_of_replacing_are_those_of_the_truth(seed: int) -> None:
    truth, _, found = played(seed)
    lengths = sorted((each["ended_ms"] or truth["now_ms"]) - each["begun_ms"] for each in truth["replacements"])
    (told,) = [s for s in found.states if s.by == "fleet" and (s.machine, s.state) == ("replace", "Replacing")]
    assert told.n == len(lengths)
    assert told.longest_seconds == lengths[-1] / 1000
    assert told.hours == round(sum(lengths) / HOUR_MS, 4)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_ledger_of_rollouts_is_what_was_done(seed: int) -> None:
    truth, picture, _ = played(seed)
    wanted = {(each["cluster_arn"], each["instance_group"], each["begun_ms"]): each for each in truth["rollouts"]}
    got = {(each.cluster_arn, each.instance_group, milliseconds(str(each.begun))): each for each in picture.rollouts}
    assert got.keys() == wanted.keys()
    for key, told in wanted.items():
        found = got[key]
        done = found.instances.rolled_back if told["outcome"] == "RolledBack" else found.instances.updated
        assert (found.outcome, found.batches) == (told["outcome"], told["batches"])
        assert milliseconds(str(found.ended)) == told["ended_ms"]
        assert [*done] == told["updated"]
        assert [*found.instances.skipped] == told["skipped"]


def test_the_fleets_had_rollouts_of_both_ends() -> None:
    outcomes = {each["outcome"] for seed in SEEDS for each in played(seed)[0]["rollouts"]}
    assert outcomes >= {"Completed", "RolledBack"}


@pytest.mark.parametrize("seed", SEEDS)
def test_no_hour_is_lost_twice(seed: int) -> None:
    """Places up and lost never add to more than their span; phases add to the lives."""
    truth, picture, found = played(seed)
    ground = stand(picture, iso(truth["now_ms"]), None, ())
    for place in ground.places:
        up, lost = place.hours(place.begun, place.ended)
        assert up + sum(lost.values()) <= place.ended - place.begun
    for life in ground.lives:
        stays = sorted((s.begun, s.ended) for s in life.stays if s.machine == PHASE)
        assert sum(ended - begun for begun, ended in stays) == life.ended - life.begun
    for each in found.figures:
        assert each.availability is None or 0 <= each.availability <= 1


def only(picture: Picture, arn: str) -> Picture:
    """One cluster of a picture."""
    lists = dict(picture)
    return Picture(**{name: tuple(each for each in items if each.cluster_arn == arn) for name, items in lists.items()})


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("hours", [None, 3])
def test_what_each_cluster_adds_is_the_whole_also_by_way_of_json(seed: int, hours: int | None) -> None:
    truth, picture, _ = played(seed)
    now, form = iso(truth["now_ms"]), TypeAdapter(Counted)
    since = None if hours is None else truth["now_ms"] - hours * HOUR_MS
    alone = (counted(only(picture, each.cluster_arn), now, since_ms=since) for each in picture.clusters)
    parts = [form.validate_json(form.dump_json(part)) for part in alone]
    assert len(parts) == 3
    assert summed(parts, since_ms=since) == summed(parts[::-1], since_ms=since) == report(picture, now, since_ms=since)
