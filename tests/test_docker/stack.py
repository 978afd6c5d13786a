"""docker/compose.yaml, up: its services, asked over HTTP from this machine and by commands within.

Knows: Docker Compose, through testcontainers; the worker's API.  Must not know: what is tested.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from docker.models.containers import Container
from testcontainers.compose import DockerCompose

from streams.broker import free_port
from tests.test_docker.engine import Images, client
from tests.test_docker.reading import ROOT

WORKERS = ("worker-1", "worker-2")
OURS = ("kafka", *WORKERS)
MONITORING = ("prometheus", "alertmanager")
SECONDS = 180.0
TOKEN = uuid.uuid4().hex
PRODUCE = """
import sys
from kafka import KafkaProducer
producer = KafkaProducer(bootstrap_servers="kafka:19092", acks="all")
for value in sys.argv[1:]:
    producer.send("hyperpod.events.raw", value=value.encode())
producer.flush(30)
"""


class Stack:
    """Kafka and both workers."""

    def __init__(self, compose: DockerCompose, ports: dict[str, int]) -> None:
        self.compose, self.ports, self.audited = compose, ports, ""

    def ask(self, service: str, path: str) -> Any:
        """The answer over the port that is published on this machine; None while it is refused, or nobody is there."""
        url = f"http://127.0.0.1:{self.ports[service]}{path}"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {TOKEN}"})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return None
        except (OSError, json.JSONDecodeError):
            return None

    def listed(self, worker: str, kind: str, query: str = "") -> list[dict[str, Any]]:
        """A whole list; empty while it is refused."""
        body = self.ask(worker, f"/api/v1/{kind}?limit=5000{query}")
        return list(body["items"]) if body else []

    def partitions(self, worker: str) -> set[int]:
        """Those that it owns and has judged."""
        body = self.ask(worker, "/api/v1/holdings")
        return {each["partition"] for each in body["partitions"] if each["fresh"]} if body else set()

    def counts(self, worker: str) -> dict[str, Any]:
        """What became of everything that was read."""
        body = self.ask(worker, "/api/v1/pipeline")
        return dict(body["item"]["summary"]) if body else {}

    def tell(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`docker compose WORDS`, whatever comes of it."""
        command = [*self.compose.compose_command_property, *words]
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300, check=False)

    def within(self, service: str, *words: str) -> str:
        """What a command prints in a service's container; it must be content."""
        done = self.tell("exec", "-T", service, *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def produce(self, *values: bytes) -> None:
        self.within("worker-2", "python", "-c", PRODUCE, *(value.decode() for value in values))

    def exact(self) -> bool:
        """What `audit` says, from within a worker's container."""
        done = self.tell("exec", "-T", "worker-1", "hyperpod-state", "audit", "-o", "json")
        self.audited = done.stdout + done.stderr
        return done.returncode == 0

    @contextmanager
    def container(self, service: str) -> Iterator[Container]:
        """The engine's own view of a service's container, whether it runs or not."""
        with client() as asked:
            yield asked.containers.get(str(self.compose.get_container(service, include_all=True).ID))

    def health(self, service: str) -> str:
        """What its health check has found."""
        with self.container(service) as container:
            return str(container.attrs["State"]["Health"]["Status"])

    def wait_for(self, condition: Callable[[], Any], what: str) -> Any:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            if found := condition():
                return found
            time.sleep(0.5)
        said = self.compose.get_logs(*OURS)[0][-6000:]
        raise AssertionError(f"waited in vain for {what}:\n{self.audited}\n{said}")


@contextmanager
def up(images: Images, folder: Path) -> Iterator[Stack]:
    """A project of its own name, with ports and volumes that nobody else has; nothing of it is left."""
    token = folder / "http-token"
    token.write_text(TOKEN + "\n")
    token.chmod(0o644)
    ports = {name: free_port() for name in (*WORKERS, *MONITORING)}
    told = {
        "COMPOSE_PROJECT_NAME": f"hyperpod-state-test-{uuid.uuid4().hex[:8]}",
        "HYPERPOD_STATE_IMAGE": images.worker,
        "HYPERPOD_STATE_BROKER_IMAGE": images.broker,
        "PROMETHEUS_IMAGE": images.prometheus,
        "ALERTMANAGER_IMAGE": images.alertmanager,
        "HYPERPOD_STATE_SESSION_TIMEOUT": "10",
        "TOKEN_FILE": str(token),
        **{f"{name.upper().replace('-', '_')}_PORT": str(port) for name, port in ports.items()},
    }
    with environment(told):
        file, services = "docker/compose.yaml", [*OURS, *MONITORING]
        compose = DockerCompose(ROOT, compose_file_name=file, profiles=["monitoring"], services=services)
        stack = Stack(compose, ports)
        try:
            compose.start()
            yield stack
        finally:
            stack.tell("--profile", "*", "down", "--volumes")  # else the volume of the simulator's profile stays
    with client() as asked:
        mine = {"label": f"com.docker.compose.project={told['COMPOSE_PROJECT_NAME']}"}
        assert not [*asked.volumes.list(filters=mine), *asked.containers.list(all=True, filters=mine)]


@contextmanager
def environment(told: dict[str, str]) -> Iterator[None]:
    """For testcontainers, which gives compose the environment of this process."""
    before = {name: os.environ.get(name) for name in told}
    os.environ.update(told)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
