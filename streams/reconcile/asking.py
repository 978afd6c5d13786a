"""The questions: DescribeCluster, ListClusterNodes, ListClusters, ListClusterEvents, DescribeClusterEvent.

Knows: the API's parameters, paging.
Must not know: sessions and retries (`streams.aws`), what an answer is good for.

Every question raises AwsError.  A list is whole or it is not there: the error of any of its pages is raised, and the
pages before it are dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from streams.aws import Api
from streams.reconcile.answers import Json, described, event_answer, told_ms
from streams.reconcile.news import NodeAnswer, Poll

PAGE = 100
"""As many items as AWS gives at a time."""


class Questions:
    """`clock` (epoch seconds) tells the time of an answer that does not."""

    def __init__(self, api: Api, clock: Callable[[], float]) -> None:
        self._api, self._clock = api, clock

    def clusters(self) -> list[str]:
        """The ARNs of all clusters of the account and region."""
        return [each["ClusterArn"] for page in self._pages("list_clusters") for each in page["ClusterSummaries"]]

    def cluster(self, name: str) -> Poll:
        """What DescribeCluster says; `name` is a name or an ARN."""
        answer = self._api.call("describe_cluster", ClusterName=name)
        return Poll(answer["ClusterArn"], answer.get("ClusterName"), self._told(answer), described(answer))

    def nodes(self, poll: Poll) -> NodeAnswer:
        """All nodes of a cluster that was described; those without an instance yet where they have a slot."""
        more = {"IncludeNodeLogicalIds": True} if is_continuous(poll) else {}
        pages = list(self._pages("list_cluster_nodes", ClusterName=poll.arn, **more))
        return NodeAnswer(self._told(pages[0]), pages)

    def events(self, arn: str, after: float) -> list[Mapping[str, Any]]:
        """Events that are newer than that (epoch seconds), the oldest first."""
        since = datetime.fromtimestamp(after, UTC)
        order = {"SortBy": "EventTime", "SortOrder": "Ascending"}
        pages = self._pages("list_cluster_events", ClusterName=arn, EventTimeAfter=since, **order)
        return [event for page in pages for event in page.get("Events", ())]

    def event(self, arn: str, event_id: str) -> Json:
        """One event with all that the API has of it."""
        return event_answer(self._api.call("describe_cluster_event", ClusterName=arn, EventId=event_id))

    def _pages(self, operation: str, **question: Any) -> Iterator[Mapping[str, Any]]:
        return self._api.pages(operation, **question, PaginationConfig={"PageSize": PAGE})

    def _told(self, answer: Mapping[str, Any]) -> int:
        told = told_ms(answer)
        return round(self._clock() * 1000) if told is None else told


def is_continuous(poll: Poll) -> bool:
    """Whether a cluster has events and slots: in Continuous provisioning mode alone."""
    return poll.cluster.get("NodeProvisioningMode") == "Continuous"
