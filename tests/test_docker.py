"""What docker/ promises, as far as it can be read: no engine is needed here."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PREFIX = "HYPERPOD_STATE_"
DATA = "/var/lib/hyperpod-state"


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions in their order, continued lines joined, comments left out."""
    text = (ROOT / "docker" / "Dockerfile").read_text()
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in joined.splitlines())]


def stages() -> dict[str, list[tuple[str, str]]]:
    """The instructions of each stage, after those of the stage it is made from."""
    found: dict[str, list[tuple[str, str]]] = {}
    name = ""
    for word, rest in instructions():
        if word == "FROM":
            base, name = rest.split(" AS ")
            found[name] = list(found.get(base, []))
        elif name:
            found[name].append((word, rest))
    return found


def last(stage: str, word: str) -> str:
    return [rest for instruction, rest in stages()[stage] if instruction == word][-1]


def sent_to_the_engine(path: str) -> bool:
    """Whether .dockerignore lets a path of the repository through: the last line that fits it decides."""
    wanted = True
    parts = path.split("/")
    above = ["/".join(parts[: count + 1]) for count in range(len(parts))]
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!")
        names = parts if pattern.startswith("**/") else above
        if any(fnmatchcase(name, pattern.removeprefix("**/")) for name in names):
            wanted = line.startswith("!")
    return wanted


@pytest.mark.parametrize("stage", ["worker", "broker"])
def test_an_image_runs_as_a_numbered_user_that_is_not_root(stage):
    user, group = (int(number) for number in last(stage, "USER").split(":"))
    assert user > 0
    assert group > 0


@pytest.mark.parametrize("stage", ["worker", "broker"])
def test_an_image_is_the_command(stage):
    assert json.loads(last(stage, "ENTRYPOINT")) == ["hyperpod-state"]
    assert json.loads(last(stage, "CMD"))[0] == stage


def test_the_worker_is_the_default_and_has_a_health_check():
    assert list(stages())[-1] == "worker"
    assert "healthcheck.py" in last("worker", "HEALTHCHECK")


def test_the_base_image_can_be_chosen():
    assert instructions()[0] == ("ARG", "BASE=python:3.11-slim-bookworm")
    assert stages().keys() == {"build", "runtime", "jars", "broker", "worker"}


def test_everything_written_goes_to_the_volume():
    assert last("worker", "VOLUME") == last("worker", "WORKDIR") == DATA
    given = dict(pair.split("=", 1) for pair in last("runtime", "ENV").split() if "=" in pair)
    assert {given[name] for name in ("HOME", "XDG_CACHE_HOME", "HYPERPOD_STATE_DATA_DIR")} == {
        DATA,
        f"{DATA}/cache",
        f"{DATA}/worker",
    }


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_no_rights_it_does_not_need(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"] == last(name if name == "worker" else "broker", "USER")
    assert "privileged" not in service
    assert "network_mode" not in service


def test_each_service_has_a_volume_of_its_own():
    mounts = [mount.split(":") for service in SERVICES.values() for mount in service["volumes"]]
    assert {target for _, target in mounts} == {DATA}
    assert sorted(volume for volume, _ in mounts) == sorted(COMPOSE["volumes"])


def test_only_http_is_published_and_on_loopback():
    assert {name: service.get("ports", []) for name, service in SERVICES.items()} == {
        "kafka": [],
        "worker": ["127.0.0.1:8780:8780"],
    }


def test_http_beyond_the_container_needs_a_token_from_outside():
    environment = SERVICES["worker"]["environment"]
    assert environment[PREFIX + "HTTP_HOST"] == "0.0.0.0"
    assert environment[PREFIX + "HTTP_TOKEN"].startswith("${HYPERPOD_STATE_HTTP_TOKEN:?")


def test_the_worker_understands_every_setting(monkeypatch):
    environment = SERVICES["worker"]["environment"]
    monkeypatch.setenv(PREFIX + "HTTP_TOKEN", "0123456789abcdef")
    for name, value in environment.items():
        assert name.removeprefix(PREFIX).lower() in Settings.model_fields
        if ":?" not in value:
            monkeypatch.setenv(name, re.sub(r"^\$\{\w+:-(.*)\}$", r"\1", value))
    assert Settings().brokers == "kafka:19092"


def test_kafka_is_known_by_the_name_it_advertises():
    kafka = SERVICES["kafka"]
    command = kafka["command"]
    assert command[command.index("--host") + 1] == kafka["hostname"] == "kafka"
    assert SERVICES["worker"]["depends_on"]["kafka"]["condition"] == "service_healthy"


@pytest.mark.parametrize(
    "path",
    [".venv/bin/python", ".run/demo/kafka.log", ".git/config", ".env", "dist/a.whl", "tests/kafka.py",
     "models/__pycache__/states.pyc", "streams/web/__pycache__/api.pyc"],
)  # fmt: skip
def test_what_stays_out_of_the_image(path):
    assert not sent_to_the_engine(path)


@pytest.mark.parametrize("path", ["pyproject.toml", "README.md", "LICENSE", "models/states.py", "streams/web/api.py"])
def test_what_the_wheel_is_built_from_comes_in(path):
    assert (ROOT / path).exists()
    assert sent_to_the_engine(path)


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


def test_no_program_of_the_image_makes_its_caller_somebody_else():
    assert any("-perm /6000 -exec chmod a-s" in rest for word, rest in stages()["runtime"] if word == "RUN")


def test_no_layer_has_a_secret_and_none_is_asked_for_while_building():
    words = ("token", "password", "secret", "credential", "_key")
    for word, rest in instructions():
        assert not any(each in rest.lower() for each in words), f"{word} {rest}"
    assert all("args" not in service["build"] and "secrets" not in service["build"] for service in SERVICES.values())


def test_the_health_check_knows_no_token_and_asks_nothing_that_needs_one():
    text = (ROOT / "docker" / "healthcheck.py").read_text()
    assert "TOKEN" not in text
    assert "Authorization" not in text
    with answering(200) as port:
        told = {PREFIX + "HTTP_PORT": str(port), PREFIX + "HTTP_TOKEN": "canary-nobody-may-see"}
        command = [sys.executable, "-I", str(ROOT / "docker" / "healthcheck.py")]
    done = subprocess.run(command, env=os.environ | told, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "canary" in done.stdout + done.stderr) == (1, False)


def test_only_the_worker_is_given_the_token():
    given = {
        name: [key for key in service.get("environment", {}) if "TOKEN" in key] for name, service in SERVICES.items()
    }
    assert given == {"kafka": [], "worker": [PREFIX + "HTTP_TOKEN"]}
    assert not [word for service in SERVICES.values() for word in service["command"] if "TOKEN" in str(word)]
