"""Which anomalies a sink hears of.

Knows: severities, planned work, silences, matchers.
Must not know: what becomes of what is heard.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from models.public_anomaly import Anomaly, Severity
from models.public_silence import Silence

ALWAYS = {"starts_at": "1970-01-01T00:00:00Z", "until": "9999-12-31T23:59:59Z"}


def matcher(given: Mapping[str, str]) -> Silence:
    """Matchers mean what they mean in a silence, so one is made of them.  ValueError names what is wrong."""
    return Silence(silence_id="filter", matchers=dict(given), **ALWAYS)


@dataclass(frozen=True)
class Filter:
    """`only`: one of these has to match, where there are any; `never`: none of these may."""

    least: Severity = Severity.WARNING
    planned: bool = False
    silenced: bool = False
    only: tuple[Silence, ...] = ()
    never: tuple[Silence, ...] = ()

    def hears(self, anomaly: Anomaly) -> bool:
        """Whether the sink is told of an open anomaly that stands by itself."""
        return self.covers(anomaly) and (self.silenced or anomaly.silenced_by is None)

    def covers(self, anomaly: Anomaly) -> bool:
        """The same, whether it is silenced or not: whoever silences an incident has silenced its members."""
        if anomaly.severity.rank < self.least.rank or (anomaly.planned and not self.planned):
            return False
        return (not self.only or _any(self.only, anomaly)) and not _any(self.never, anomaly)

    def why_not(self, anomaly: Anomaly) -> str:
        """Why an open anomaly is not heard of any more, for people."""
        if anomaly.silenced_by is not None and not self.silenced:
            return f"silenced by {anomaly.silenced_by}"
        if anomaly.planned and not self.planned:
            return "it is planned work"
        if anomaly.severity.rank < self.least.rank:
            return f"it is {anomaly.severity}, and this sink is told of {self.least} at the least"
        return "this sink is not told of such any more (only, never)"


def _any(matchers: Iterable[Silence], anomaly: Anomaly) -> bool:
    return any(each.matches(anomaly) for each in matchers)
