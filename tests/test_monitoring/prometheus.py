"""Debian's Prometheus and Alertmanager, where they can be had: promtool, and a server that scrapes."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from streams.broker import free_port

ROOT = Path(__file__).resolve().parents[2]
RULES = sorted((ROOT / "deploy/prometheus").glob("*.rules.yml"))
SECONDS = 120.0


@cache
def _found(name: str) -> tuple[str | None, str]:
    try:
        done = subprocess.run([ROOT / ".ci/prometheus", name], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, str(error)
    return (done.stdout.strip(), "") if done.returncode == 0 else (None, done.stderr.strip())


def binary(name: str) -> str:
    """A program of theirs; the test is skipped where there is none."""
    path, why = _found(name)
    if path is None:
        pytest.skip(why)
    return path


def promtool(*words: str | Path, cwd: Path = ROOT) -> str:
    """What it prints; it must be content."""
    done = subprocess.run(
        [binary("promtool"), *map(str, words)], cwd=cwd, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@contextmanager
def server(folder: Path, config: str) -> Iterator[Server]:
    """A Prometheus with this configuration, on loopback."""
    program = binary("prometheus")
    (folder / "prometheus.yml").write_text(config)
    port = free_port()
    words = [program, f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen([*words, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
    try:
        yield Server(f"http://127.0.0.1:{port}", folder / "prometheus.log")
    finally:
        process.terminate()
        process.wait(30)


class Server:
    """A Prometheus that runs."""

    def __init__(self, address: str, log: Path) -> None:
        self.address, self._log = address, log

    def get(self, path: str, **query: str) -> Any:
        """The data of an answer."""
        asked = urllib.parse.urlencode(query)
        with urllib.request.urlopen(f"{self.address}/api/v1/{path}?{asked}", timeout=30) as answer:
            body = json.loads(answer.read())
        assert body["status"] == "success", body
        return body["data"]

    def query(self, expr: str) -> list[Any]:
        """The samples of now."""
        found: list[Any] = self.get("query", query=expr)["result"]
        return found

    def wait_for(self, expr: str) -> list[Any]:
        """Until a query has an answer."""
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            try:
                if found := self.query(expr):
                    return found
            except (urllib.error.URLError, ConnectionError):
                pass  # not up yet
            time.sleep(0.2)
        raise AssertionError(f"waited in vain for {expr}:\n{self._log.read_text()[-3000:]}")
