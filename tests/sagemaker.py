"""The control plane asked in two ways: over HTTP, as other processes do, and inside a client of this process.

Knows: where botocore's requests can be met, its parser, HTTP.
Must not know: what is answered (`tests.control_plane`): both ways carry the same bytes.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.parsers import create_parser

from tests.control_plane import ControlPlane


@contextmanager
def serving(plane: ControlPlane) -> Iterator[ControlPlane]:
    """At an address of its own, which `plane.env` leads a process to."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            operation = self.headers["X-Amz-Target"].removeprefix("SageMaker.")
            reply = plane.reply(operation, self.rfile.read(int(self.headers["Content-Length"])))
            with suppress(ConnectionError):  # whoever asked was killed
                self.send_response_only(reply.status)
                for name, value in {**reply.headers, "Content-Length": str(len(reply.body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.body)

        def log_message(self, *_: Any) -> None:
            """Tests say themselves what went wrong."""

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
    assert not plane.faults, plane.faults


@contextmanager
def answering(client: Any, plane: ControlPlane) -> Iterator[ControlPlane]:
    """In place of the network of a boto3 client, and of its trying again: what is refused is refused at once."""

    def answer(model: Any, params: dict[str, Any], **_: Any) -> tuple[AWSResponse, Any]:
        reply = plane.reply(model.name, params["body"])
        told = {"status_code": reply.status, "headers": HeadersDict(reply.headers), "body": reply.body}
        parsed = create_parser(model.service_model.resolved_protocol).parse(told, model.output_shape)
        return AWSResponse(params["url"], reply.status, reply.headers, None), parsed

    client.meta.events.register("before-call.sagemaker", answer)
    try:
        yield plane
    finally:
        client.meta.events.unregister("before-call.sagemaker", answer)
    assert not plane.faults, plane.faults
