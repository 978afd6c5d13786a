"""requirements.lock: what the worker runs with, each file by its hash.  `--check` compares it with pyproject.toml.

Knows: uv's resolver, the form that pip reads.
Must not know: what any package is for.

One version for every supported Python and system, so that what was tested is what is installed.  The check needs no
network: that each direct dependency is pinned within its range, that none stayed behind, that nothing lacks a hash.
The rest (that it is complete, that it installs) is for `make release-check`, which installs it.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCK = Path("requirements.lock")
OURS = "hyperpod-state (pyproject.toml)"
"""How uv calls us where it says who wants a package."""
COMMAND = "make lock"
PLATFORM = "x86_64-manylinux_2_28"
"""Where all of it must be there without a compiler."""


@dataclass(frozen=True)
class Pin:
    """One entry: `name==version`, perhaps for some Pythons only."""

    requirement: Requirement
    hashes: tuple[str, ...]
    wanted_by: tuple[str, ...]

    @property
    def name(self) -> str:
        """As registries compare it."""
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> str | None:
        """None where it is not just one."""
        [*found] = self.requirement.specifier
        return found[0].version if len(found) == 1 and found[0].operator == "==" else None


def pins(text: str) -> Iterator[Pin]:
    """The entries of a lock file."""
    joined = re.sub(r" *\\\n *", " ", text)
    for block in re.split(r"\n(?=[A-Za-z0-9])", "\n" + joined):
        first, *notes = block.strip().splitlines() or [""]
        if not first or first.startswith("#"):
            continue
        told, *hashes = first.split(" --hash=")
        words = [note.strip().removeprefix("#").strip().removeprefix("via").strip() for note in notes]
        yield Pin(Requirement(told), tuple(hashes), tuple(word for word in words if word))


def faults(lock: str, wishes: list[str]) -> list[str]:
    """Where the lock is not what pyproject.toml asks for."""
    found = list(pins(lock))
    wanted = {canonicalize_name(wish.name): wish for wish in map(Requirement, wishes)}
    said = [f"{pin.name} is not pinned to one version" for pin in found if pin.version is None]
    said += [f"{pin.name} has no hash" for pin in found if not any(h.startswith("sha256:") for h in pin.hashes)]
    for name, wish in wanted.items():
        versions = [pin.version for pin in found if pin.name == name and pin.version]
        if not versions:
            said.append(f"{name} is asked for and not locked")
        said += [f"{name} {each} is not {wish.specifier}" for each in versions if not wish.specifier.contains(each)]
    direct = {pin.name for pin in found if OURS in pin.wanted_by}
    return said + [f"{name} is locked as ours and not asked for any more" for name in sorted(direct - wanted.keys())]


def write(upgrade: bool) -> int:
    """Resolve anew; versions that still fit stay, unless all are to be the newest."""
    uv = str(Path(sys.executable).with_name("uv"))
    command = [uv, "pip", "compile", "pyproject.toml", "--universal", "--python-version", _oldest()]
    command += ["--fork-strategy", "fewest", "--generate-hashes", "--no-emit-package", "pip", "--quiet"]
    command += ["--custom-compile-command", COMMAND, "--output-file", str(LOCK), *(["--upgrade"] if upgrade else [])]
    return subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode


def lacking() -> list[str]:
    """Supported Pythons on Linux for which something would have to be compiled."""
    uv, said = str(Path(sys.executable).with_name("uv")), []
    classifiers = " ".join(str(each) for each in _list("classifiers"))
    for version in re.findall(r":: Python :: (3\.\d+)", classifiers):
        command = [uv, "pip", "install", "--dry-run", "--quiet", "--require-hashes", "--only-binary", ":all:"]
        command += [
            "--python-version",
            version,
            "--python-platform",
            PLATFORM,
            "--target",
            str(Path(".venv/dry")),
            "-r",
            str(LOCK),
        ]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            said.append(f"there is not a wheel of everything for Python {version}: {done.stderr.strip()}")
    return said


def _list(name: str) -> list[str]:
    found = _project()[name]
    assert isinstance(found, list)
    return found


def _project() -> dict[str, object]:
    found: dict[str, object] = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
    return found


def _oldest() -> str:
    """The oldest Python that is supported."""
    return str(_project()["requires-python"]).removeprefix(">=").partition(",")[0]


def main() -> int:
    """1 where the lock does not agree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--upgrade", action="store_true", help="take the newest version of everything")
    told = parser.parse_args()
    if not told.check and (code := write(told.upgrade)):
        return code
    said = faults(LOCK.read_text("utf-8"), _list("dependencies"))
    said += [] if told.check else lacking()
    for line in said:
        print(f"{LOCK}: {line}", file=sys.stderr)
    if said and told.check:
        print(f"Run {COMMAND}, and commit the result.", file=sys.stderr)
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
