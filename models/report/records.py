"""The public records of a report.

Knows: names, order and types of the fields.  Must not know: how a figure is found.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from models.public_anomaly import PublicModel, Time
from models.report.definitions import meaning

By = Literal["fleet", "cluster", "instance_group", "instance_type", "cause"]


def _figure(name: str) -> Any:
    return Field(description=meaning("figures", name))


def _state(name: str) -> Any:
    return Field(description=meaning("states", name))


def _offence(name: str) -> Any:
    return Field(description=meaning("offenders", name))


class _Of(PublicModel):
    """What figures are of; what is null does not narrow it."""

    by: By
    cluster_arn: str | None = None
    cluster_name: str | None = None
    instance_group: str | None = None
    instance_type: str | None = None
    cause: str | None = None


class Figures(_Of):
    """The figures of one scope; of a cause, those that a cause has."""

    places: int | None = _figure("places")
    instances: int | None = _figure("instances")
    instance_hours: float | None = _figure("instance_hours")
    up_hours: float = _figure("up_hours")
    lost_hours_planned: float | None = _figure("lost_hours_planned")
    lost_hours_unplanned: float = _figure("lost_hours_unplanned")
    availability: float | None = _figure("availability")
    failures: int = _figure("failures")
    failures_planned: int = _figure("failures_planned")
    failures_open: int = _figure("failures_open")
    repairs: int = _figure("repairs")
    mttr_seconds: float | None = _figure("mttr_seconds")
    repair_median_seconds: float | None = _figure("repair_median_seconds")
    repair_p95_seconds: float | None = _figure("repair_p95_seconds")
    longest_open_seconds: float | None = _figure("longest_open_seconds")
    mtbf_hours: float | None = _figure("mtbf_hours")
    provisioned: int | None = _figure("provisioned")
    capacity_failures: int | None = _figure("capacity_failures")
    capacity_shortage: float | None = _figure("capacity_shortage")
    capacity_longest_wait_seconds: float | None = _figure("capacity_longest_wait_seconds")


class StateFigures(_Of):
    """How long instances stayed in one state of one machine; `phase` is the machine of phases."""

    machine: str
    state: str
    n: int = _state("n")
    open: int = _state("open")
    median_seconds: float | None = _state("median_seconds")
    p95_seconds: float | None = _state("p95_seconds")
    longest_seconds: float | None = _state("longest_seconds")
    hours: float = _state("hours")


class Offender(PublicModel):
    """A place that fails again and again, whichever instance is in it."""

    cluster_arn: str
    cluster_name: str | None
    instance_group: str | None
    node_logical_id: str | None = Field(description="Null where events do not tell slots: then `instances` name it.")
    instances: tuple[str, ...] = Field(description="The instances that were in the place, oldest first.")
    failures: int = _offence("failures")
    replacements: int = _offence("replacements")
    causes: dict[str, int] = Field(description="Failures by cause.")
    last_failure: Time
    lost_hours_unplanned: float = _offence("lost_hours_unplanned")


class Report(PublicModel):
    """Everything of one window."""

    since: Time | None = Field(description="The window's beginning: what was asked for, else the first known event.")
    until: Time | None = Field(description="Its end: the moment of the answer.  What is open is counted up to it.")
    complete_since: Time | None = Field(
        description="From when on nothing is missing; before it, some histories or anomalies are no longer kept."
    )
    notes: tuple[str, ...] = Field(description="What to know before trusting a figure.")
    figures: tuple[Figures, ...]
    states: tuple[StateFigures, ...]
    offenders: tuple[Offender, ...]
