"""Is what `make build` gives fit to be released?  Builds it, looks into it, installs it elsewhere and tries it.

Knows: how the wheel and the source archive are built, what belongs into them, how an installation is tried.
Must not know: what any command does.

Leaves what is fit in dist/, with a list of its parts and of hashes; prints all that it finds wrong.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import venv
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST, LOCK = ROOT / "dist", ROOT / "requirements.lock"
PACKAGES = ("models", "streams")
SECONDS = 600
MUST = (
    *("models/py.typed", "streams/py.typed", "models/schemas/anomaly.v1.json", "streams/web/static/index.html"),
    *("licenses/LICENSE", "licenses/THIRD-PARTY.txt", "share/man/man1/hyperpod-state.1"),
    *("share/hyperpod-state/prometheus/fleet.rules.yml", "share/hyperpod-state/grafana/dashboards/hyperpod-fleet.json"),
)
"""Ends of names without which something that users are promised is not there, whatever the folders say."""
METADATA = ("METADATA", "WHEEL", "RECORD", "entry_points.txt")
EVENT = {"source": "aws.ec2", "detail-type": "Something else", "detail": {}}
COMMANDS = """
import json, sys
from typer.main import get_command
from streams.cli.app import app
def below(command, words):
    yield words
    for name, each in getattr(command, "commands", {}).items():
        yield from below(each, [*words, name])
print(json.dumps(list(below(get_command(app), []))))
"""
NEEDED = """
import json
from importlib.metadata import distribution, distributions
from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import canonicalize_name
seen, waiting = set(), [("hyperpod-state", frozenset({""}))]
while waiting:
    name, extras = waiting.pop()
    if (name, extras) in seen:
        continue
    seen.add((name, extras))
    for wish in map(Requirement, distribution(name).requires or ()):
        if wish.marker is None or any(wish.marker.evaluate({"extra": extra}) for extra in extras):
            waiting.append((canonicalize_name(wish.name), frozenset({"", *wish.extras})))
there = {canonicalize_name(each.metadata["Name"]) for each in distributions()}
print(json.dumps(sorted(there - {name for name, _ in seen} - {"pip", "setuptools"})))
"""
CLIENT = """
import sys
from streams.client import AnomalyConsumer, Api
heavy = {"faust", "duckdb", "rocksdict", "fastapi"} & {name.partition(".")[0] for name in sys.modules}
assert not heavy, f"streams.client loads {heavy}"
"""


class Wrong(Exception):
    """Something is not as it has to be, and nothing further can be told."""


def run(*command: object, cwd: Path, **env: str) -> str:
    """What a program of ours printed.  Wrong where it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words, cwd=cwd, env=os.environ | env, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    if done.returncode:
        raise Wrong(f"{' '.join(words[:6])} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-2000:]}")
    return done.stdout


def tracked(root: Path) -> list[str]:
    """The files of the repository as they are now; those that git ignores are nobody's."""
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", cwd=root).split("\0")
    return sorted(name for name in listed if name and (root / name).is_file())


def built(root: Path, names: Iterable[str], folder: Path, mask: int = 0o022, **env: str) -> list[Path]:
    """Wheel and source archive out of a copy, whose times and rights are those of this moment and mask."""
    tree, out = folder / "tree", folder / "out"
    before = os.umask(mask)
    try:
        for name in names:
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_bytes((root / name).read_bytes())
            if (root / name).stat().st_mode & 0o100:
                (tree / name).chmod(0o777 & ~mask)
        return _build(tree, out, **env)
    finally:
        os.umask(before)


def _build(tree: Path, out: Path, **env: str) -> list[Path]:
    env = {"SOURCE_DATE_EPOCH": "", **env}
    run(sys.executable, "-m", "hatchling", "build", "-d", out, cwd=tree, **{k: v for k, v in env.items() if v})
    [wheel], [archive] = out.glob("*.whl"), out.glob("*.tar.gz")
    return [wheel, archive]


def reproducible(root: Path, folder: Path) -> Iterator[str]:
    """Two builds in two places, and one out of the source archive, are the same bytes; they are left in dist/."""
    names = tracked(root)
    first = built(root, names, folder / "one", TZ="UTC", PYTHONHASHSEED="1", LC_ALL="C")
    second = built(
        root, names, folder / "two" / "elsewhere", 0o077, TZ="Asia/Tokyo", PYTHONHASHSEED="2", LC_ALL="C.UTF-8"
    )
    for one, two in zip(first, second, strict=True):
        if one.name != two.name or one.read_bytes() != two.read_bytes():
            yield f"{one.name} is not the same when it is built again"
    wheel, archive = first
    with tarfile.open(archive) as packed:
        packed.extractall(folder / "sdist", filter="data")
    [tree] = (folder / "sdist").iterdir()
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder / "again", cwd=tree)
    [again] = (folder / "again").iterdir()
    if again.read_bytes() != wheel.read_bytes():
        yield "the wheel is another when it is built out of the source archive"
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    for path in first:
        shutil.copy(path, DIST)


def wheel_faults(names: Iterable[str], files: Iterable[str]) -> Iterator[str]:
    """What is missing, and what does not belong.  `files` are those of the repository."""
    there, known = set(names), set(files)
    package = {name for name in known if name.startswith(tuple(f"{each}/" for each in PACKAGES))}
    plain = {name for name in there if not re.match(r"[^/]+\.(dist-info|data)/", name)}
    yield from (f"the wheel lacks {name}" for name in sorted(package - plain))
    yield from (f"the wheel has {name}, which is not in the repository" for name in sorted(plain - package))
    yield from (f"the wheel lacks …/{end}" for end in MUST if not any(name.endswith(end) for name in there))
    sources = {name.rpartition("/")[2] for name in known}
    for name in sorted(there - plain):
        last = name.rpartition("/")[2]
        if last not in METADATA and not ("/share/" in name or ("/licenses/" in name and last in sources)):
            yield f"the wheel has {name}, which nobody asked for"


def page_faults(wheel: zipfile.ZipFile) -> Iterator[str]:
    """The dashboard's page names files, which must be beside it."""
    static = "streams/web/static/"
    page = wheel.read(static + "index.html").decode()
    for name in re.findall(r'(?:src|href)="/static/([^"]+)"', page):
        if static + name not in wheel.namelist():
            yield f"the dashboard loads {name}, which is not in the wheel"


def archive_faults(names: Iterable[str], files: Iterable[str]) -> Iterator[str]:
    """Of the source archive: everything in it is of the repository, and what the tests need is there."""
    there = {name.partition("/")[2] for name in names}
    yield from (f"the source archive has {name}" for name in sorted(there - set(files) - {"PKG-INFO"}))
    wanted = ("pyproject.toml", "Makefile", "requirements.lock", "tests/conftest.py", "docs/man/hyperpod-state.1")
    yield from (f"the source archive lacks {name}" for name in wanted if name not in there)


def metadata_faults(wheel: zipfile.ZipFile) -> Iterator[str]:
    """What registries and pip read agrees with pyproject.toml."""
    [name] = [each for each in wheel.namelist() if each.endswith(".dist-info/METADATA")]
    text = wheel.read(name).decode()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for line in (
        f"Version: {project['version']}",
        f"License-Expression: {project['license']}",
        f"Requires-Python: {project['requires-python']}",
        "Description-Content-Type: text/markdown",
    ):
        if f"\n{line}\n" not in text:
            yield f"METADATA lacks “{line}”"


def installed(wheel: Path, home: Path) -> Path:
    """The folder of commands of a fresh environment that has the wheel, and what the lock says, from the registry."""
    venv.create(home, with_pip=True, symlinks=True)
    pip = (home / "bin" / "python", "-I", "-m", "pip", "--disable-pip-version-check", "--quiet")
    run(*pip, "install", "--require-hashes", "--only-binary", ":all:", "-r", LOCK, cwd=home)
    run(*pip, "install", "--no-deps", "--no-index", wheel, cwd=home)
    run(*pip, "check", cwd=home)
    return home / "bin"


def tried(commands: Path, away: Path, version: str) -> Iterator[str]:
    """What a user would do first, in a folder that knows nothing of the checkout."""
    python, program = commands / "python", commands / "hyperpod-state"
    away.mkdir()
    told = run(program, "--version", cwd=away).splitlines()
    if told[:1] != [f"hyperpod-state {version}"]:
        yield f"hyperpod-state --version says {told[:1]}, not {version}"
    (away / "one.jsonl").write_text(json.dumps(EVENT) + "\n")
    summary = json.loads(run(program, "replay", "one.jsonl", "-o", "json", cwd=away))["summary"]
    if (summary["read"], summary["ignored"]) != (1, {"Something else": 1}):
        yield f"replay says {summary}"
    for words in json.loads(run(python, "-I", "-c", COMMANDS, cwd=away)):
        if "Usage" not in run(program, *words, "--help", cwd=away):
            yield f"{' '.join(words)} --help does not explain itself"
    run(python, "-I", "-c", CLIENT, cwd=away)
    where = run(python, "-I", "-c", "import models, streams; print(models.__file__, streams.__file__)", cwd=away)
    if str(ROOT) in where:
        yield f"it runs from the checkout: {where}"


def tight(commands: Path) -> Iterator[str]:
    """What the lock installs is what the wheel needs, and no more."""
    told = json.loads(run(commands / "python", "-I", "-c", NEEDED, cwd=commands))
    yield from (f"the lock has {name}, which nothing needs" for name in told)


def sums(folder: Path) -> None:
    """SHA256SUMS, as sha256sum reads it."""
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(folder.iterdir())]
    (folder / "SHA256SUMS").write_text("".join(lines))


def checked(folder: Path) -> Iterator[str]:
    """Everything that is wrong."""
    yield from reproducible(ROOT, folder)
    files = tracked(ROOT)
    [archive], [wheel] = DIST.glob("*.tar.gz"), DIST.glob("*.whl")
    with tarfile.open(archive) as packed:
        yield from archive_faults([each.name for each in packed if each.isfile()], files)
    with zipfile.ZipFile(wheel) as packed:
        yield from wheel_faults(packed.namelist(), files)
        yield from page_faults(packed)
        yield from metadata_faults(packed)
    commands = installed(wheel, folder / "environment")
    yield from tried(commands, folder / "away", wheel.name.split("-")[1])
    yield from tight(commands)
    run(commands / "python", "-I", "-m", "pip", "uninstall", "--quiet", "--yes", "pip", "setuptools", cwd=folder)
    run(sys.executable, ROOT / ".ci" / "sbom.py", folder / "environment", wheel, cwd=ROOT)
    sums(DIST)


def main() -> int:
    """1 where something is wrong."""
    with tempfile.TemporaryDirectory(prefix="release-") as name:
        try:
            said = list(checked(Path(name)))
        except Wrong as error:
            said = [str(error)]
    for line in said:
        print(f"not fit for a release: {line}", file=sys.stderr)
    if not said:
        print(f"fit for a release: {', '.join(path.name for path in sorted(DIST.iterdir()))}")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
