"""What people read of an anomaly, the same in every service.

Knows: one line, the facts below it, links.
Must not know: services, how they escape or cut texts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from models.public_anomaly import Anomaly
from streams.alerts.due import Message, place
from streams.runbooks.places import query

LONGEST = 1000
"""Characters of a fact."""


@dataclass(frozen=True)
class Links:
    """Where people read on, as the settings have it."""

    link: str = ""
    docs: str = ""

    def anomaly(self, anomaly: Anomaly) -> str | None:
        """The page of the anomaly."""
        return self.link.replace("{anomaly_id}", anomaly.anomaly_id) or None

    def runbook(self, anomaly: Anomaly) -> str | None:
        """What to do about its kind, where the settings say where that can be read.

        A worker, where `docs` is one, puts the names into the commands of the page; whoever else has it does not mind.
        """
        if not self.docs:
            return None
        return f"{self.docs}/runbooks/{anomaly.kind.value}.md?{query(anomaly.model_dump(mode='json'))}"

    def log(self, anomaly: Anomaly) -> str | None:
        """The log that says what went wrong, where there is one."""
        found = anomaly.runbook or ""
        return found if found.startswith("https://") else None

    def named(self, anomaly: Anomaly) -> Iterator[tuple[str, str]]:
        """All that there are, and what they are called."""
        found = {"Anomaly": self.anomaly(anomaly), "Runbook": self.runbook(anomaly), "Log": self.log(anomaly)}
        return ((text, link) for text, link in found.items() if link)


def cut(text: str, most: int) -> str:
    """At most so many characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def headline(message: Message) -> str:
    """What is wrong where; with how many others, where it stands for them."""
    anomaly = message.anomaly
    cluster = anomaly.cluster_name or anomaly.cluster_arn
    where = place(anomaly)
    named = where if where == cluster else f"{cluster}/{where}"
    more = f" (+{message.members})" if message.members else ""
    return f"{named}: {anomaly.title}{more}"


def facts(message: Message) -> Iterator[tuple[str, str]]:
    """Name and value of all that is known, what is not left out."""
    anomaly = message.anomaly
    named = ", ".join(message.named)
    others = message.members - len(message.named)
    told = {
        "kind": anomaly.kind.value,
        "severity": anomaly.severity.value,
        "cluster": anomaly.cluster_name,
        "group": anomaly.instance_group,
        "instance": anomaly.instance_id or anomaly.node_logical_id,
        "cause": anomaly.cause.value if anomaly.cause else None,
        "since": anomaly.opened_at,
        "resolved": anomaly.resolved_at,
        "clears when": anomaly.expected,
        "stands for": f"{named} and more" if others > 0 and named else named,
        "note": message.why,
        "anomaly": anomaly.anomaly_id,
        "cluster arn": anomaly.cluster_arn,
    }
    return ((name, cut(value, LONGEST)) for name, value in told.items() if value)
