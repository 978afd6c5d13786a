"""The zip that Lambda gets: the same bytes every time, and all that the function needs in it."""

from __future__ import annotations

import base64
import importlib.metadata
import importlib.util
import os
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from hashlib import sha256
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
BRINGS = {"boto3", "botocore", "certifi", "dateutil", "jmespath", "s3transfer", "six.py", "urllib3"}
"""What Lambda's Python has beside its own: AWS's SDK, and what that is made with; it can do without certifi."""
SIGNS = """
import sys; sys.path[:0] = [{function!r}]; sys.path.append({sdk!r})
import kafka, streams.feed.function
from streams.feed.sender import Access
settings = dict(HYPERPOD_STATE_BROKERS="b-1:9098", HYPERPOD_STATE_KAFKA_SASL_MECHANISM="AWS_MSK_IAM")
settings["AWS_REGION"] = "us-west-2"
options = Access.of(settings).options()
assert kafka.__file__.startswith({function!r}), kafka.__file__
assert not {{"models", "pydantic", "faust", "aiokafka"}} & set(sys.modules)
token = options["sasl_oauth_token_provider"].token()
files = [getattr(each, "__file__", None) or "" for each in list(sys.modules.values())]
brought = {{file.removeprefix({sdk!r}).lstrip("/").split("/")[0] for file in files if file.startswith({sdk!r})}}
assert brought <= {brings!r}, brought
print(options["security_protocol"], options["sasl_mechanism"], token)
"""


@pytest.fixture(scope="module")
def package() -> ModuleType:
    spec = importlib.util.spec_from_file_location("package", ROOT / "deploy" / "package.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def built(package: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = package.build(tmp_path_factory.mktemp("function"))
    return path


def test_the_same_sources_are_the_same_bytes_and_the_name_tells_them(
    package: ModuleType, built: Path, tmp_path: Path
) -> None:
    again = package.build(tmp_path)
    assert again.read_bytes() == built.read_bytes()
    assert again.name == built.name == f"hyperpod-state-feed-{sha256(built.read_bytes()).hexdigest()[:12]}.zip"
    (tmp_path / "hyperpod-state-feed-000000000000.zip").touch()
    assert [package.build(tmp_path)] == list(tmp_path.iterdir())


def test_lambda_can_read_every_file(built: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        entries = archive.infolist()
    assert {(entry.external_attr >> 16, entry.date_time[0]) for entry in entries} == {(0o100644, 1980)}
    assert [entry.filename for entry in entries] == sorted({entry.filename for entry in entries})
    assert not [entry.filename for entry in entries if entry.filename.endswith(".pyc")]


def test_it_runs_on_python_and_the_sdk_alone_and_signs_for_msk(built: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        archive.extractall(tmp_path)
    code = SIGNS.format(function=str(tmp_path), sdk=sysconfig.get_path("purelib"), brings=BRINGS)
    keys = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "session"}
    command = [sys.executable, "-S", "-c", code]
    ran = subprocess.run(command, env={**os.environ, **keys}, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    protocol, mechanism, token = ran.stdout.split()
    url = base64.urlsafe_b64decode(token + "==").decode()
    assert (protocol, mechanism) == ("SASL_SSL", "OAUTHBEARER")
    assert url.startswith("https://kafka.us-west-2.amazonaws.com/?Action=kafka-cluster%3AConnect&")
    assert "X-Amz-Credential=AKIDEXAMPLE" in url


def test_its_kafka_client_is_within_the_workers_range_and_each_wheel_has_a_hash() -> None:
    lines = [line for line in (ROOT / "deploy/function/requirements.txt").read_text().splitlines() if "==" in line]
    pinned = dict(line.split(" --hash=sha256:")[0].split("==") for line in lines)
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (own,) = [Requirement(each) for each in wanted["dependencies"] if each.startswith("kafka-python")]
    (signer,) = map(Requirement, wanted["optional-dependencies"]["msk"])
    assert pinned[own.name] in own.specifier
    assert pinned[signer.name] in signer.specifier
    assert len(pinned) == 2
    assert importlib.metadata.version("kafka-python").split(".")[0] == pinned[own.name].split(".")[0]
