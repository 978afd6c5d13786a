"""SageMaker's API for tests, over HTTP and by botocore's own service model: no request or answer has a shape of ours.

Knows: the protocol (JSON 1.1), the model.  Must not know: what a test lets it answer.

boto3 sends no request that the model does not allow; an answer that it does not allow fails the test that gave it, when
the server is closed.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import botocore.loaders
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

MODEL = ServiceModel(botocore.loaders.Loader().load_service_model("sagemaker", "service-2"), "sagemaker")
Answer = Callable[[str, dict[str, Any]], Mapping[str, Any]]
"""Gives the answer to an operation with its parameters; raises Refusal."""
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "nobodys",
    "AWS_REGION": "us-west-2",
}


class Refusal(Exception):
    """What AWS answers instead: its code, its words, the status."""

    def __init__(self, code: str, message: str = "", status: int = 400) -> None:
        super().__init__(message)
        self.code, self.status = code, status


class Server(ThreadingHTTPServer):
    """Asked by boto3 through `AWS_ENDPOINT_URL_SAGEMAKER`."""

    daemon_threads = True

    def __init__(self, answer: Answer, clock: Callable[[], float] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer, self.clock = answer, clock
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.faults: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def environment(self) -> dict[str, str]:
        """For a process that is to ask it."""
        return {**CREDENTIALS, "AWS_ENDPOINT_URL_SAGEMAKER": self.url, "AWS_EC2_METADATA_DISABLED": "true"}

    def count(self, operation: str) -> int:
        return sum(name == operation for name, _ in self.asked)


@contextmanager
def serving(answer: Answer, clock: Callable[[], float] | None = None) -> Iterator[Server]:
    server = Server(answer, clock)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
    assert not server.faults, server.faults


def checked(operation: str, answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer, which AWS's model allows.  Raises ValueError."""
    shape = MODEL.operation_model(operation).output_shape
    report = ParamValidator().validate(dict(answer), shape)
    if report.has_errors():
        raise ValueError(f"{operation}: {report.generate_report()}")
    return answer


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        operation = self.headers["X-Amz-Target"].partition(".")[2]
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((operation, given))
        with suppress(ConnectionError):  # who asked may have ended meanwhile
            self._say(*self._answer(operation, given))

    def _answer(self, operation: str, given: dict[str, Any]) -> tuple[int, Mapping[str, Any]]:
        """Status and body."""
        try:
            return 200, checked(operation, self.server.answer(operation, given))
        except Refusal as refusal:
            return refusal.status, {"__type": refusal.code, "message": str(refusal)}
        except Exception as error:  # noqa: BLE001 - whatever it is, the test has to hear of it
            self.server.faults.append(repr(error))
            return 500, {"__type": "InternalFailure", "message": "the test's own answer is wrong"}

    def _say(self, status: int, body: Mapping[str, Any]) -> None:
        data = json.dumps(body, default=_epoch).encode()
        self.send_response_only(status)
        now = datetime.fromtimestamp(self.server.clock(), UTC) if self.server.clock else datetime.now(UTC)
        self.send_header("Date", format_datetime(now.replace(microsecond=0), usegmt=True))
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Tests say themselves what went wrong."""


def _epoch(value: Any) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(repr(value))
