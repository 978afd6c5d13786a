"""The questions: DescribeCluster and ListClusterNodes, and those that `backfill` has as well.

Knows: the API's parameters, paging.
Must not know: sessions and retries (`streams.aws`), what an answer is good for.

Every question raises AwsError.  A list is whole or it is not there: the error of any of its pages is raised, and the
pages before it are dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from streams.aws import Absent, Api
from streams.backfill.control_plane import PAGE, Window, clusters, described, listed
from streams.reconcile.answers import Json, told_ms, unstamped
from streams.reconcile.news import NodeAnswer, Poll


class Questions:
    """`clock` (epoch seconds) tells the time of an answer that does not."""

    def __init__(self, api: Api, clock: Callable[[], float]) -> None:
        self._api, self._clock = api, clock

    def clusters(self) -> list[str]:
        """The ARNs of all clusters of the account and region."""
        return clusters(self._api)

    def cluster(self, name: str) -> Poll:
        """What DescribeCluster says; `name` is a name or an ARN."""
        try:
            answer = self._api.call("describe_cluster", ClusterName=name)
        except Absent:
            raise Absent(f"There is no cluster {name} in this account and region.") from None
        return Poll(answer["ClusterArn"], answer.get("ClusterName"), self._told(answer), unstamped(answer))

    def nodes(self, poll: Poll) -> NodeAnswer:
        """All nodes of a cluster that was described; those without an instance yet where they have a slot."""
        more = {"IncludeNodeLogicalIds": True} if is_continuous(poll) else {}
        question = {"ClusterName": poll.arn, **more, "PaginationConfig": {"PageSize": PAGE}}
        pages = list(self._api.pages("list_cluster_nodes", **question))
        return NodeAnswer(self._told(pages[0]), pages)

    def events(self, arn: str, after: float) -> list[Json]:
        """Events that are newer than that (epoch seconds), the oldest first."""
        return listed(self._api, arn, Window(start=round(after * 1000)))

    def event(self, event: Json) -> Json:
        """All that the API has of an event that it listed."""
        return described(self._api, event)

    def _told(self, answer: Mapping[str, Any]) -> int:
        told = told_ms(answer)
        return round(self._clock() * 1000) if told is None else told


def is_continuous(poll: Poll) -> bool:
    """Whether a cluster has events and slots: in Continuous provisioning mode alone."""
    return poll.cluster.get("NodeProvisioningMode") == "Continuous"
