"""What AWS's reference does not list: texts seen on live clusters, and codes for events without a text.

Knows: the texts as seen, and what they mean.  Must not know: how they are matched.
"""

from __future__ import annotations

from dataclasses import dataclass

from models.catalogue.ranks import rank_of
from models.catalogue.template import Template, section

_field = section("Seen in the field", "Instance")

FIELD: tuple[Template, ...] = (
    _field(
        "HealthAgentUnhealthy",
        "Instance unhealthy",
        "Instance <instance-id> is unhealthy. HyperPod Health Monitoring Agent (HMA) has detected fault type <fault>"
        " on this node and is unhealthy. Repair action: <action>.",
        "The health agent found the instance broken and names the repair that HyperPod should begin.",
        level="Warn",
        example="Instance i-0a is unhealthy. HyperPod Health Monitoring Agent (HMA) has detected fault type"
        " NvidiaErrorTerminate on this node and is unhealthy. Repair action: Replace.",
        near_miss="Instance i-0a is unhealthy.",
    ),
    _field(
        "OrchestrationReadyLost",
        "Orchestration-ready status lost",
        "<lost> node(s) lost orchestration-ready status."
        " Current: <current>/<total> orchestration-ready across <groups> instance group(s).",
        "Nodes left the orchestrator; during a scaling this is what one expects.",
        level="Warn",
        scope="Cluster",
        example="2 node(s) lost orchestration-ready status."
        " Current: 6/8 orchestration-ready across 2 instance group(s).",
        near_miss="2 node(s) lost orchestration-ready status.",
    ),
)


@dataclass(frozen=True, slots=True)
class EventCode:
    """The code of an event that is known by its form, not by a text."""

    code: str
    meaning: str
    rank: int


def _event_code(code: str, meaning: str) -> tuple[str, EventCode]:
    return code, EventCode(code, meaning, rank_of(code))


EVENT_CODES: dict[str, EventCode] = dict(
    (
        _event_code("ClusterStateChange", "The cluster's status changed, or one of its groups did."),
        _event_code("NodeHealth", "The health agent reports the health of an instance."),
        _event_code(
            "ClusterSnapshot", "An answer of DescribeCluster: what the API says of the cluster and its groups."
        ),
        _event_code("NodeList", "An answer of ListClusterNodes: what the API says of the instances."),
        _event_code("Heartbeat", "The feed of an account and region is alive."),
        _event_code("NoDescription", "A cluster event without a text: only its fields are known."),
        _event_code("Unrecognized", "A cluster event whose text is not in the catalogue."),
    )
)
