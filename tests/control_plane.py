"""AWS's control plane on this machine: what the command asks and what it is answered, both held to AWS's own model.

Knows: botocore's service model of SageMaker, its JSON protocol, paging, throttling.
Must not know: our code.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import botocore.session
from botocore.validate import ParamValidator

from tests.builders import Event, Site

MODEL = botocore.session.Session().get_service_model("sagemaker")
KEPT = 500


class Refused(Exception):
    """An error of the API."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def with_uuid(event: Event) -> Event:
    """A cluster event whose EventId is a UUID, as AWS's are."""
    record = event["detail"]["EventDetails"]
    return {**event, "detail": {"EventDetails": {**record, "EventId": str(UUID(hex=record["EventId"]))}}}


def _detail(event: Event) -> dict[str, Any]:
    """What DescribeClusterEvent says of an event that EventBridge has brought: without nulls, its time as a moment."""
    record = _without_nulls(event["detail"]["EventDetails"])
    return {**record, "EventTime": datetime.fromtimestamp(record["EventTime"] / 1000, UTC)}


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: _without_nulls(each) for key, each in value.items() if each is not None}
        return {key: each for key, each in kept.items() if each != {}}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


@dataclass
class Cluster:
    """A cluster and its events, oldest first."""

    site: Site
    events: list[Event] = field(default_factory=list)
    continuous: bool = True
    forgotten: set[str] = field(default_factory=set)
    """Events that are listed and cannot be described any more."""


class ControlPlane:
    """Three calls over HTTP."""

    def __init__(self, *clusters: Cluster) -> None:
        self.clusters = {cluster.site.arn: cluster for cluster in clusters}
        self.calls: Counter[str] = Counter()
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.on_call: Callable[[str], None] = lambda operation: None
        """Told before each answer; what it raises of Refused is the answer."""
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

    def answer(self, operation: str, asked: dict[str, Any]) -> bytes:
        """The answer's bytes; both sides are what AWS's model allows."""
        model = MODEL.operation_model(operation)
        _hold(asked, model.input_shape)
        self.calls[operation] += 1
        self.asked.append((operation, asked))
        self.on_call(operation)
        said = {"ListClusters": self._list, "ListClusterEvents": self._events, "DescribeClusterEvent": self._event}
        body = said[operation](asked)
        _hold(body, model.output_shape)
        return json.dumps(body, default=lambda moment: moment.timestamp()).encode()

    def _list(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = [
            {
                "ClusterArn": arn,
                "ClusterName": cluster.site.name,
                "CreationTime": datetime(2026, 1, 1, tzinfo=UTC),
                "ClusterStatus": "InService",
            }
            for arn, cluster in self.clusters.items()
        ]
        return _page("ClusterSummaries", found, asked, 1)

    def _events(self, asked: dict[str, Any]) -> dict[str, Any]:
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

    def _event(self, asked: dict[str, Any]) -> dict[str, Any]:
        cluster = self._cluster(asked)
        known = {event["detail"]["EventDetails"]["EventId"]: event for event in cluster.events}
        if asked["EventId"] not in known or asked["EventId"] in cluster.forgotten:
            raise Refused("ResourceNotFound", "no such event")
        return {"EventDetails": _detail(known[asked["EventId"]])}

    def _cluster(self, asked: dict[str, Any]) -> Cluster:
        name = asked["ClusterName"]
        found = [each for each in self.clusters.values() if name in (each.site.arn, each.site.name)]
        if not found:
            raise Refused("ResourceNotFound", f"Cluster {name} not found")
        return found[0]


def _page(key: str, found: list[Any], asked: dict[str, Any], size: int) -> dict[str, Any]:
    begin, size = int(asked.get("NextToken", "0")), min(size, asked.get("MaxResults", size))
    more = {"NextToken": str(begin + size)} if begin + size < len(found) else {}
    return {key: found[begin : begin + size], **more}


def _hold(body: dict[str, Any], shape: Any) -> None:
    report = ParamValidator().validate(body, shape)
    assert not report.has_errors(), report.generate_report()


@contextmanager
def serving(plane: ControlPlane) -> Iterator[ControlPlane]:
    """The control plane at an address of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            operation = self.headers["X-Amz-Target"].removeprefix("SageMaker.")
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                status, body = 200, plane.answer(operation, asked)
            except Refused as error:
                status, body = 400, json.dumps({"__type": error.code, "message": str(error)}).encode()
            except Exception as error:  # noqa: BLE001 - the process that asked is to hear of it, not to wait
                status, body = 400, json.dumps({"__type": "ModelBroken", "message": str(error)}).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # whoever asked was killed

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    plane.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield plane
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
