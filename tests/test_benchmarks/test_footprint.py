"""What an instance takes, out of what a worker held at rest after each fleet."""

from __future__ import annotations

from benchmarks.parts.footprint import LEAST, Rested, _runs

MB = 1_000_000
FLEET = 1000
"""Instances of each."""


def told(*at_rest: int) -> dict[str, float]:
    found = [Rested(memory, disk * MB, memory) for disk, memory in enumerate(at_rest)]
    return {run.contender: run.value for run in _runs(0, FLEET, found)}


def test_a_further_instance_is_told_by_all_fleets_but_the_first_and_that_one_has_what_a_load_leaves():
    values = told(100 * MB, 120 * MB, 122 * MB, 121 * MB, 123 * MB, 124 * MB)
    assert values == {"resident": MB / 1000, "resident_first": 20 * MB / 1000, "disk": MB / 1000}


def test_fleets_that_fit_into_what_the_first_one_left_cost_next_to_nothing():
    assert told(100 * MB, 120 * MB, 119 * MB, 119 * MB, 119 * MB, 119 * MB)["resident"] == LEAST
