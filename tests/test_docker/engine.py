"""The Docker engine that tests of containers drive: whether there is one, and the project's images built on it.

Knows: Docker, through testcontainers.  Must not know: what is tested.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import docker
from docker.errors import DockerException
from docker.models.images import Image
from testcontainers.core.config import testcontainers_config
from testcontainers.core.image import DockerImage

from tests.test_docker.reading import ROOT

CONTEXT = (
    *("models", "streams", "docs/man", "docker", "deploy/prometheus", "deploy/grafana"),
    *("pyproject.toml", "requirements.lock", "README.md", "LICENSE", "THIRD-PARTY.txt", ".dockerignore"),
)
CANARY = f"canary-{uuid.uuid4().hex}"
SECRETS = (
    ".env",
    "docker/http-token",
    ".git/config",
    ".run/worker/rows",
    "streams/__pycache__/secret.pyc",
    "tests/a.py",
)
"""Files beside the sources that no image may have anything of."""
BASE = "python:3.11-slim-bookworm"
# Debian's packages stand in for the official images, started as those are: by options alone, as nobody.
MONITORING = f"""
FROM {BASE} AS packages
RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \\
    prometheus prometheus-alertmanager >/dev/null && install -d -o nobody /prometheus /alertmanager
USER nobody
FROM packages AS prometheus
ENTRYPOINT ["prometheus"]
FROM packages AS alertmanager
ENTRYPOINT ["prometheus-alertmanager"]
"""
PATIENCE = 600
TOLD: list[str] = []
"""What the end of the run says."""
# Its reaper is an image of its own, which cannot be pulled everywhere; whoever makes something here takes it down.
testcontainers_config.ryuk_disabled = True


def missing() -> str | None:
    """Why no container can be run, and the way out."""
    try:
        client = docker.from_env(timeout=10)
    except DockerException as error:
        return f"no Docker engine answers; start one, or name it in DOCKER_HOST ({error})"
    try:
        client.ping()
    except DockerException as error:
        return f"no Docker engine answers; start one, or name it in DOCKER_HOST ({error})"
    finally:
        client.close()
    if shutil.which("docker") is None:
        return "there is no docker command here (https://docs.docker.com/engine/install)"
    asked = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    return "`docker compose` is missing: install the plugin docker-compose, version 2" if asked.returncode else None


@dataclass(frozen=True)
class Images:
    """Names of the images that were built."""

    worker: str
    broker: str
    prometheus: str
    alertmanager: str


@contextmanager
def built(folder: Path) -> Iterator[Images]:
    """All of them, ours from the sources as they are and secrets beside them."""
    _stage(folder)
    (folder / "Dockerfile.monitoring").write_text(MONITORING)
    ours, theirs = "docker/Dockerfile", "Dockerfile.monitoring"
    wanted = {"worker": ours, "broker": ours, "prometheus": theirs, "alertmanager": theirs}
    with ExitStack() as made:
        yield Images(
            **{target: str(made.enter_context(image(folder, file, target))) for target, file in wanted.items()}
        )


@contextmanager
def image(folder: Path, dockerfile: str, target: str) -> Iterator[DockerImage]:
    """One stage of a Dockerfile, by a name that nobody else uses.  Its layers stay: the next run is quick."""
    made = DockerImage(
        path=folder,
        docker_client_kw={"timeout": PATIENCE},
        dockerfile_path=dockerfile,
        tag=f"hyperpod-state-test-{target}:{uuid.uuid4().hex[:8]}",
        target=target,
        network_mode="host",  # the network of this machine is what reaches the package index, wherever that is
        rm=True,
    )
    made.build()
    try:
        yield made
    finally:
        made.remove(noprune=True)


def _stage(folder: Path) -> None:
    """What an engine is sent, and what must not get through .dockerignore."""
    for name in CONTEXT:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "http-token"))
        else:
            shutil.copy2(source, target)
    for name in SECRETS:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(CANARY)


@contextmanager
def client() -> Iterator[docker.DockerClient]:
    """The engine's own library, with patience: it may be at work for others."""
    asked = docker.from_env(timeout=PATIENCE)
    try:
        yield asked
    finally:
        asked.close()


def wrapped(name: str) -> Image:
    """What the engine knows of an image."""
    with client() as asked:
        return asked.images.get(name)


if __name__ == "__main__":
    if why_not := missing():
        sys.exit(f"make docker-test needs a Docker engine that it can build and run containers with: {why_not}")
