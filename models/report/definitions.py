"""What every figure means: its unit, how it is found, what it rests on, what it leaves out.

Knows: words only.  The records take their descriptions from here, and the reference page is printed from it.
"""

from __future__ import annotations

from typing import NamedTuple


class Definition(NamedTuple):
    """One figure."""

    name: str
    unit: str
    formula: str
    source: str
    excludes: str


LEAST_FOR_P95 = 20
"""Of fewer values the 95th percentile would only be the largest: it is null."""
LEAST_FAILURES = 2
"""Failures that make a place a repeat offender."""

FIGURES = (
    Definition(
        "places",
        "count",
        "Places: all instances that took each other's place count as one, with a slot that still waits for one.",
        "lineage of replacements",
        "places whose last instance had ended before the window",
    ),
    Definition("instances", "count", "Instances that lived in the window.", "history", "slots without an instance"),
    Definition(
        "instance_hours",
        "node-hours",
        "Time from an instance's first known event to its termination, to what ended it from outside (its group or"
        " cluster is deleted, a successor has its place), or to the window's end: the sum of the hours of all phases.",
        "history",
        "what lies before the kept history; Terminated",
    ),
    Definition(
        "up_hours",
        "node-hours",
        "Time in which a place had an instance in phase InService whose health was not Unhealthy.",
        "history",
        "Degraded counts as up",
    ),
    Definition(
        "lost_hours_planned",
        "node-hours",
        "Time in which a place had no such instance, from its first one's beginning on, and no unplanned failure of the"
        " place explains it: creation, scaling up, software updates and their rollbacks, replacements without a fault.",
        "history, lineage, anomalies",
        "phase Unknown; an instance that leaves without a fault and without a successor; a place after its last"
        " instance, until a next one is heard of",
    ),
    Definition(
        "lost_hours_unplanned",
        "node-hours",
        "The same from the moment on at which an unplanned failure of the place was open, until the place is up again.",
        "history, lineage, anomalies",
        "as above",
    ),
    Definition(
        "availability",
        "ratio",
        "up_hours / (up_hours + lost_hours_planned + lost_hours_unplanned); null where that is 0.",
        "the three figures",
        "",
    ),
    Definition(
        "failures",
        "count",
        "Anomalies of the kinds operation_failed, lifecycle_script_failed, replacement_failed, patch_failed,"
        " rollback_failed and unhealthy_node that opened in the window.",
        "anomalies",
        "retracted ones; incidents and patterns, for they are made of failures; group rows leave out the cluster's own;"
        " silenced ones are counted",
    ),
    Definition(
        "failures_planned",
        "count",
        "Those of them inside an operation that somebody began (`planned`).",
        "anomalies",
        "",
    ),
    Definition("failures_open", "count", "Those of them that are not repaired.", "anomalies, lineage", ""),
    Definition(
        "repairs",
        "count",
        "Those of them that are repaired: resolved and, of an instance, its place up again (at once where the place has"
        " ended, for nobody misses it). What the next three figures rest on.",
        "anomalies, lineage",
        "",
    ),
    Definition(
        "mttr_seconds",
        "s",
        "Mean time to repair: the mean time from opened_at until the repair; null without one.",
        "anomalies, lineage",
        "open failures: see longest_open_seconds",
    ),
    Definition("repair_median_seconds", "s", "The median of the same; null without a repair.", "anomalies", "as above"),
    Definition(
        "repair_p95_seconds",
        "s",
        f"The 95th percentile of the same (nearest rank); null with fewer than {LEAST_FOR_P95} repairs.",
        "anomalies",
        "as above",
    ),
    Definition(
        "longest_open_seconds",
        "s",
        "How long the oldest open failure has been open, up to now; null without one.",
        "anomalies",
        "",
    ),
    Definition(
        "mtbf_hours",
        "h",
        "Mean time between failures: up_hours / (failures - failures_planned); null where nothing failed unplanned.",
        "the three figures",
        "of a cause: the up_hours are those of everything that could have failed for it",
    ),
    Definition(
        "provisioned",
        "count",
        "Instances that were first provisioned (or in service) in the window.",
        "history",
        "adopted instances, and those whose history was cut",
    ),
    Definition(
        "capacity_failures",
        "count",
        "Attempts that found no capacity: the `count` of failures with the cause capacity.",
        "anomalies",
        "attempts that failed for another cause: they say nothing about capacity",
    ),
    Definition(
        "capacity_shortage",
        "ratio",
        "capacity_failures / (capacity_failures + provisioned): which share of the attempts found no capacity; null"
        " without an attempt.",
        "the two figures",
        "",
    ),
    Definition(
        "capacity_longest_wait_seconds",
        "s",
        "The longest time from the first such failure until it was resolved, or until now; null without one.",
        "anomalies",
        "",
    ),
)

STATES = (
    Definition(
        "n",
        "count",
        "Stays in the state whose beginning was seen and that reach into the window; `phase` is the first machine.",
        "history",
        "stays that had begun before the kept history",
    ),
    Definition("open", "count", "Those of them that go on: they are counted up to now.", "history", ""),
    Definition("median_seconds", "s", "The median length of these stays, open ones up to now.", "history", ""),
    Definition(
        "p95_seconds",
        "s",
        f"Their 95th percentile (nearest rank); null with fewer than {LEAST_FOR_P95}.",
        "history",
        "",
    ),
    Definition("longest_seconds", "s", "The longest of them.", "history", ""),
    Definition(
        "hours",
        "node-hours",
        "All time in the state inside the window, of every stay; over the states of one machine the sum is"
        " instance_hours.",
        "history",
        "Terminated",
    ),
)

OFFENDERS = (
    Definition(
        "failures",
        "count",
        f"Unplanned failures of the place that opened in the window; places with at least {LEAST_FAILURES} are listed.",
        "anomalies, lineage",
        "planned ones",
    ),
    Definition(
        "replacements",
        "count",
        "Instances that came into the place in the window, after another one.",
        "history, lineage",
        "",
    ),
    Definition("lost_hours_unplanned", "node-hours", "As above, of the place.", "history, lineage, anomalies", ""),
)

DEFINITIONS = {"figures": FIGURES, "states": STATES, "offenders": OFFENDERS}


def meaning(section: str, name: str) -> str:
    """A figure's formula, as its description."""
    return next(found.formula for found in DEFINITIONS[section] if found.name == name)
