"""docker/healthcheck.py: it says what the worker's /healthz says."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.test_docker.reading import ROOT

PREFIX = "HYPERPOD_STATE_"


@contextmanager
def answering(status: int) -> Iterator[int]:
    """A server on a free loopback port that answers everything with one status."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Silent."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def check(port: int, host: str = "0.0.0.0") -> int:
    told = {PREFIX + "HTTP_PORT": str(port), PREFIX + "HTTP_HOST": host, "http_proxy": "http://127.0.0.1:1"}
    command = [sys.executable, "-I", str(ROOT / "docker" / "healthcheck.py")]
    return subprocess.run(command, env=os.environ | told, capture_output=True, timeout=60, check=False).returncode


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])
def test_the_health_check_says_what_the_worker_says(status, code, host):
    with answering(status) as port:
        assert check(port, host) == code


def test_the_health_check_fails_where_nobody_answers():
    with answering(200) as port:
        pass
    assert check(port) == 1


def test_the_health_check_knows_no_token_and_asks_nothing_that_needs_one():
    text = (ROOT / "docker" / "healthcheck.py").read_text()
    assert "TOKEN" not in text
    assert "Authorization" not in text
    with answering(200) as port:
        told = {PREFIX + "HTTP_PORT": str(port), PREFIX + "HTTP_TOKEN": "canary-nobody-may-see"}
        command = [sys.executable, "-I", str(ROOT / "docker" / "healthcheck.py")]
    done = subprocess.run(command, env=os.environ | told, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "canary" in done.stdout + done.stderr) == (1, False)
