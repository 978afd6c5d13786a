"""AWS's control plane as tests have it: clusters, and what SageMaker's API says of them.

Knows: botocore's service model of SageMaker, which questions and answers are both held to; paging.
Must not know: our code, how it is asked (`tests.sagemaker` serves it, over HTTP and inside a client).

A test says what there is and who is refused what.  Answers follow from that, so one question has one answer however it
is asked.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, NamedTuple
from uuid import UUID

import botocore.session
from botocore.validate import ParamValidator

from tests.builders import Event, Site

Json = dict[str, Any]
MODEL = botocore.session.Session().get_service_model("sagemaker")
KEPT = 500
LAUNCHED = datetime(2026, 1, 1, tzinfo=UTC)


class Refused(Exception):
    """An error of the API."""

    def __init__(self, code: str, message: str = "because") -> None:
        super().__init__(message)
        self.code = code


class Reply(NamedTuple):
    """An answer as bytes."""

    status: int
    headers: dict[str, str]
    body: bytes


def with_uuid(event: Event) -> Event:
    """A cluster event whose EventId is a UUID, as AWS's are."""
    record = event["detail"]["EventDetails"]
    return {**event, "detail": {"EventDetails": {**record, "EventId": str(UUID(hex=record["EventId"]))}}}


def node(name: str, group: str = "workers", status: str = "Running", **more: Any) -> Json:
    """An item of ListClusterNodes."""
    said = {"InstanceGroupName": group, "InstanceId": name, "InstanceType": "ml.p5.48xlarge", "LaunchTime": LAUNCHED}
    return {**said, "InstanceStatus": {"Status": status}, **more}


@dataclass
class Cluster:
    """A cluster, its nodes and its events; these as EventBridge has brought them, oldest first."""

    site: Site
    events: list[Event] = field(default_factory=list)
    continuous: bool = True
    forgotten: set[str] = field(default_factory=set)
    """Events that are listed and cannot be described any more."""
    status: str = "InService"
    groups: list[Json] = field(default_factory=list)
    nodes: list[Json] = field(default_factory=list)
    created: datetime = LAUNCHED


class ControlPlane:
    """Of one account and region."""

    def __init__(self, *clusters: Cluster) -> None:
        self.clusters = {cluster.site.arn: cluster for cluster in clusters}
        self.calls: Counter[str] = Counter()
        self.asked: list[tuple[str, Json]] = []
        self.on_call: Callable[[str, Json], object] = lambda operation, asked: None
        """Told before each answer; what it raises of Refused is the answer."""
        self.clock: Callable[[], float] | None = time.time
        """Of the date that an answer has; without it none has."""
        self.nodes_page = 100
        self.faults: list[str] = []
        """What was wrong with the test's own answers."""
        self.address = ""

    @property
    def env(self) -> dict[str, str]:
        """What a process needs to ask here, and nobody else."""
        return {
            "AWS_ENDPOINT_URL_SAGEMAKER": self.address,
            "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "example",  # nosec B105
            "AWS_REGION": "us-west-2",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def reply(self, operation: str, body: bytes) -> Reply:
        """To a request of SageMaker's JSON protocol."""
        try:
            status, said = 200, self._answer(operation, json.loads(body))
        except Refused as error:
            status, said = 400, {"__type": error.code, "message": str(error)}
        except Exception as error:  # noqa: BLE001 - whatever it is, the test has to hear of it
            self.faults.append(repr(error))
            status, said = 400, {"__type": "ModelBroken", "message": str(error)}
        headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-RequestId": str(UUID(int=0))}
        if self.clock is not None:
            now = datetime.fromtimestamp(self.clock(), UTC).replace(microsecond=0)
            headers["Date"] = format_datetime(now, usegmt=True)
        return Reply(status, headers, json.dumps(said, default=datetime.timestamp).encode())

    def _answer(self, operation: str, asked: Json) -> Mapping[str, Any]:
        _hold(asked, MODEL.operation_model(operation).input_shape)
        self.calls[operation] += 1
        self.asked.append((operation, asked))
        self.on_call(operation, asked)
        return checked(operation, getattr(self, f"_{operation}")(asked))

    def _ListClusters(self, asked: Json) -> Json:
        found = [
            {
                "ClusterArn": arn,
                "ClusterName": cluster.site.name,
                "CreationTime": cluster.created,
                "ClusterStatus": cluster.status,
            }
            for arn, cluster in self.clusters.items()
        ]
        return _page("ClusterSummaries", found, asked, 1)

    def _DescribeCluster(self, asked: Json) -> Json:
        cluster = self._cluster(asked)
        said = {"ClusterArn": cluster.site.arn, "ClusterName": cluster.site.name, "ClusterStatus": cluster.status}
        mode = {"NodeProvisioningMode": "Continuous"} if cluster.continuous else {}
        return {**said, "InstanceGroups": cluster.groups, **mode}

    def _ListClusterNodes(self, asked: Json) -> Json:
        """Without IncludeNodeLogicalIds neither slots nor those who wait in one for an instance."""
        nodes = self._cluster(asked).nodes
        if not asked.get("IncludeNodeLogicalIds"):
            nodes = [{k: each[k] for k in each if k != "NodeLogicalId"} for each in nodes if each["InstanceId"]]
        return _page("ClusterNodeSummaries", nodes, asked, self.nodes_page)

    def _ListClusterEvents(self, asked: Json) -> Json:
        cluster = self._cluster(asked)
        if not cluster.continuous:
            only = "ListClusterEvents is only supported for cluster with NodeProvisioningMode set to Continuous"
            raise Refused("ValidationException", only)
        after, before = asked.get("EventTimeAfter", 0), asked.get("EventTimeBefore", 1e12)
        found = [_detail(event) for event in cluster.events[-KEPT:]]
        found = [each for each in found if after < each["EventTime"].timestamp() < before]
        summaries = [{key: each[key] for key in each if key != "EventDetails"} for each in found]
        summaries.sort(key=lambda each: each["EventTime"], reverse=asked.get("SortOrder") != "Ascending")
        return _page("Events", summaries, asked, 100)

    def _DescribeClusterEvent(self, asked: Json) -> Json:
        cluster = self._cluster(asked)
        known = {event["detail"]["EventDetails"]["EventId"]: event for event in cluster.events}
        if asked["EventId"] not in known or asked["EventId"] in cluster.forgotten:
            raise Refused("ResourceNotFound", "no such event")
        return {"EventDetails": _detail(known[asked["EventId"]])}

    def _cluster(self, asked: Json) -> Cluster:
        name = asked["ClusterName"]
        found = [each for each in self.clusters.values() if name in (each.site.arn, each.site.name)]
        if not found:
            raise Refused("ResourceNotFound", f"Cluster {name} not found")
        return found[0]


def checked(operation: str, answer: Json) -> Json:
    """The answer, which AWS's model allows."""
    _hold(answer, MODEL.operation_model(operation).output_shape)
    return answer


def _hold(body: Json, shape: Any) -> None:
    report = ParamValidator().validate(body, shape)
    assert not report.has_errors(), report.generate_report()


def _page(key: str, found: Sequence[Any], asked: Json, size: int) -> Json:
    begin, size = int(asked.get("NextToken", "0")), min(size, asked.get("MaxResults", size))
    more = {"NextToken": str(begin + size)} if begin + size < len(found) else {}
    return {key: found[begin : begin + size], **more}


def _detail(event: Event) -> Json:
    """What DescribeClusterEvent says of an event that EventBridge has brought: without nulls, its time as a moment."""
    record: Json = _without_nulls(event["detail"]["EventDetails"])
    return {**record, "EventTime": datetime.fromtimestamp(record["EventTime"] / 1000, UTC)}


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: _without_nulls(each) for key, each in value.items() if each is not None}
        return {key: each for key, each in kept.items() if each != {}}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value
