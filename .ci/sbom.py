"""Writes dist/sbom.cdx.json: what somebody gets who installs this project, as CycloneDX has it.

Knows: how packages name each other, cyclonedx-py.
Must not know: what any package is for.

cyclonedx-py lists an environment, and ours has tools that no user gets.  So it is shown one that has nothing but the
metadata of those packages that the project needs.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

PROJECT = "hyperpod-state"
OUT = Path("dist/sbom.cdx.json")


def needed(name: str, extras: frozenset[str] = frozenset({""}), seen: set[str] | None = None) -> Iterator[Distribution]:
    """The package, and all that it needs on this machine."""
    seen = set() if seen is None else seen
    try:
        found = distribution(name)
    except PackageNotFoundError:
        raise SystemExit(f"{name} is needed and not installed: make venv") from None
    if (key := f"{found.metadata['Name']}{sorted(extras)}") in seen:
        return
    seen.add(key)
    yield found
    for wish in map(Requirement, found.requires or ()):
        if wish.marker is None or any(wish.marker.evaluate({"extra": extra}) for extra in extras):
            yield from needed(wish.name, frozenset({"", *wish.extras}), seen)


def shown(packages: list[Distribution], folder: Path) -> Path:
    """An environment that has their metadata and nothing else."""
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=False)
    [site] = folder.glob("lib/python*/site-packages")
    for each in packages:
        metadata = Path(str(each.locate_file(""))) / next(f for f in each.files or () if f.name == "METADATA").parent
        link = site / metadata.name
        if not link.exists():
            link.symlink_to(metadata.resolve())
    return folder


def main() -> int:
    """The exit code of cyclonedx-py."""
    folder = shown(list(needed(PROJECT)), Path(".venv/runtime"))
    OUT.parent.mkdir(exist_ok=True)
    command = [str(Path(sys.executable).with_name("cyclonedx-py")), "environment", "--pyproject", "pyproject.toml"]
    command += ["--mc-type", "application", "--output-reproducible", "--output-file", str(OUT), str(folder)]
    done = subprocess.run(command, check=False)
    if done.returncode == 0:
        print(f"{OUT} written")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
