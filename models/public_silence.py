"""The silence record as users write and read it: which anomalies somebody expects for a while, and why.

Knows: its fields, what a matcher may name, how it matches.
Must not know: where silences are kept, how anomalies are found.

A silence hides nothing: anomalies that it matches carry its id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from models.public_anomaly import Anomaly, AnomalyStatus, PublicModel, Time
from models.timestamps import iso, parse_ms

MATCHERS: Mapping[str, tuple[str, ...]] = {
    "cluster": ("cluster_name", "cluster_arn"),
    "group": ("instance_group",),
    "instance": ("instance_id", "node_logical_id"),
    "anomaly": ("anomaly_id",),
    **{name: (name,) for name in ("kind", "severity", "cause", "machine", "state", "resource_type")},
    **{name: (name,) for name in ("cluster_name", "cluster_arn", "instance_group", "instance_id", "node_logical_id")},
    "anomaly_id": ("anomaly_id",),
}
"""What a matcher may name → the fields of the anomaly that are looked at; one that fits is enough."""


def _known(matchers: dict[str, str]) -> dict[str, str]:
    unknown = sorted(matchers.keys() - MATCHERS.keys())
    if unknown:
        raise ValueError(f"no matcher is called {', '.join(unknown)}; there are {', '.join(MATCHERS)}")
    return dict(sorted(matchers.items()))


def _public(value: Any) -> Any:
    """Any spelling of a time as the public one; what is none is left to be refused."""
    ms = parse_ms(value)
    return value if ms is None else iso(ms)


AnyTime = Annotated[Time, BeforeValidator(_public), WithJsonSchema({"type": "string", "format": "date-time"})]


class Silence(PublicModel):
    """One record of `hyperpod.silences`; the last one of a `silence_id` is what holds."""

    silence_id: str = Field(min_length=1, max_length=200, description="The key of the topic.")
    matchers: Annotated[dict[str, str], AfterValidator(_known)] = Field(
        min_length=1, description="Name → pattern as in a shell (`i-0a*`); every one has to match."
    )
    starts_at: AnyTime = Field(description="From when on it holds.")
    until: AnyTime = Field(description="From when on it holds no more; expiring a silence moves it to then.")
    created_by: str = Field(default="", description="Who wants it.")
    reason: str = Field(default="", description="Why, for whoever meets it.")
    created_at: AnyTime | None = Field(default=None, description="When it was written first.")

    @model_validator(mode="after")
    def _in_order(self) -> Silence:
        if self.until < self.starts_at:
            raise ValueError("a silence cannot end before it begins")
        return self

    def holds(self, at: str) -> bool:
        """Whether it holds at a public time; those have one length, so their texts compare as they do."""
        return self.starts_at <= at < self.until

    def matches(self, anomaly: Anomaly) -> bool:
        """Whether every matcher fits; a field that the anomaly does not have is an empty text."""
        return all(_fits(anomaly, MATCHERS[name], pattern) for name, pattern in self.matchers.items())


def _fits(anomaly: Anomaly, fields: Iterable[str], pattern: str) -> bool:
    return any(fnmatchcase(getattr(anomaly, field) or "", pattern) for field in fields)


def silenced(anomaly: Anomaly, silences: Sequence[Silence], now: str) -> Anomaly:
    """The anomaly with the silence that holds over it now, or held when it was resolved; the smallest id of several."""
    at = now if anomaly.status is AnomalyStatus.OPEN else anomaly.resolved_at
    if at is None:
        return anomaly
    found = min((each.silence_id for each in silences if each.holds(at) and each.matches(anomaly)), default=None)
    return anomaly if found is None else anomaly.model_copy(update={"silenced_by": found})
