"""What AWS's control plane knows of clusters' events: ListClusters, ListClusterEvents, DescribeClusterEvent.

Knows: these calls, how a list tells less than a description, which clusters have no events to ask for.
Must not know: files, Kafka, what is done with an event.

AWS keeps the 500 newest events of a cluster, and describes them one by one.  Waiting and trying again is what
`streams.aws` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from streams.aws import Absent, Api, AwsError

KEPT = 500
"""Events of a cluster that AWS keeps; where it lists so many there were others before."""
PAGE = 100
SLACK_MS = 1000
"""Asked for on both sides: whether AWS's own bounds belong to the window is not said."""
PERMISSIONS = ("sagemaker:ListClusters", "sagemaker:ListClusterEvents", "sagemaker:DescribeClusterEvent")


class Window(NamedTuple):
    """From when to when, epoch ms; None: without a bound."""

    start: int | None = None
    end: int | None = None

    def has(self, moment: int) -> bool:
        """Whether a moment is in it."""
        return (self.start is None or self.start <= moment) and (self.end is None or moment <= self.end)


class NoEvents(AwsError):
    """The cluster cannot be asked for events; the message says why."""


def clusters(api: Api) -> list[str]:
    """The ARNs of all clusters of the account and region.  Raises AwsError."""
    pages = api.pages("list_clusters")
    return sorted(each["ClusterArn"] for page in pages for each in page["ClusterSummaries"])


def listed(api: Api, cluster: str, window: Window) -> list[dict[str, Any]]:
    """What the list says of each event, oldest first.  Raises NoEvents, AwsError."""
    asked: dict[str, Any] = {"ClusterName": cluster, "SortBy": "EventTime", "SortOrder": "Ascending"}
    if window.start is not None:
        asked["EventTimeAfter"] = _moment(window.start - SLACK_MS)
    if window.end is not None:
        asked["EventTimeBefore"] = _moment(window.end + SLACK_MS)
    try:
        pages = api.pages("list_cluster_events", PaginationConfig={"PageSize": PAGE}, **asked)
        return [event for page in pages for event in page.get("Events", ())]
    except Absent:
        raise NoEvents(f"there is no cluster {cluster} in this account and region") from None
    except AwsError as error:
        if error.code == "ValidationException" and _has_no_events(api, cluster, str(error)):
            raise NoEvents("it has no events: its NodeProvisioningMode is not Continuous") from None
        raise


def _has_no_events(api: Api, cluster: str, refusal: str) -> bool:
    """Whether that is why it may not be asked: the refusal says so, or else, where that is allowed, the cluster."""
    if "Continuous" in refusal:
        return True
    try:
        return api.call("describe_cluster", ClusterName=cluster).get("NodeProvisioningMode") != "Continuous"
    except AwsError:
        return False


def described(api: Api, event: dict[str, Any]) -> dict[str, Any]:
    """All that AWS says of a listed event, as its answer; the list's word where it has let go of the event since."""
    try:
        answer = api.call("describe_cluster_event", EventId=event["EventId"], ClusterName=event["ClusterArn"])
    except Absent:
        return {"EventDetails": event}
    return {"EventDetails": answer.get("EventDetails") or event}


def may_lack(events: Sequence[dict[str, Any]]) -> bool:
    """Whether there may have been older events that AWS does not keep."""
    return len(events) >= KEPT


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(max(ms, 0) / 1000, UTC)
