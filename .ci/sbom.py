"""Writes dist/sbom.cdx.json: what somebody gets who installs this project, as CycloneDX has it.

Knows: how packages name each other, cyclonedx-py, what the dashboard's script is bundled from.
Must not know: what any package is for.

  python .ci/sbom.py                      of the environment that runs this
  python .ci/sbom.py ENVIRONMENT WHEEL    of one that has nothing but the wheel and what it needs

cyclonedx-py lists an environment, and ours has tools that no user gets.  So it is shown one that has nothing but the
metadata of those packages that the project needs.  What no environment knows is added: the wheel's hash, and the
libraries inside of the dashboard's script.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

PROJECT = "hyperpod-state"
OUT = Path("dist/sbom.cdx.json")
DASHBOARD = Path("dashboard/package-lock.json")


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


def bundled() -> list[dict[str, Any]]:
    """The libraries that the dashboard's script contains, as components; their licences stand in THIRD-PARTY.txt."""
    packages = json.loads(DASHBOARD.read_text("utf-8"))["packages"]
    found = {
        name.removeprefix("node_modules/"): each for name, each in packages.items() if name and not each.get("dev")
    }
    return [
        {
            "type": "library",
            "bom-ref": (purl := f"pkg:npm/{name.replace('@', '%40')}@{each['version']}"),
            "name": name,
            "version": each["version"],
            "description": "Inside of streams/web/static, the dashboard's script",
            "licenses": [{"license": {"id": each["license"]}}],
            "purl": purl,
        }
        for name, each in sorted(found.items())
    ]


def completed(text: str, wheel: Path | None) -> str:
    """The list with what no environment knows."""
    listed = json.loads(text)
    inside = bundled()
    listed["components"] += inside
    own = listed["metadata"]["component"]
    if wheel is not None:
        own["hashes"] = [{"alg": "SHA-256", "content": hashlib.sha256(wheel.read_bytes()).hexdigest()}]
    refs = [each["bom-ref"] for each in inside]
    for each in listed["dependencies"]:
        if each["ref"] == own["bom-ref"]:
            each["dependsOn"] = sorted([*each.get("dependsOn", ()), *refs])
    listed["dependencies"] += [{"ref": ref} for ref in refs]
    return json.dumps(listed, indent=2) + "\n"


def checked(text: str) -> str:
    """The list, if it is one by CycloneDX's own schema: cyclonedx-py has looked at its part alone."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    version = SchemaVersion.from_version(json.loads(text)["specVersion"])
    if wrong := JsonStrictValidator(version).validate_str(text):
        raise SystemExit(f"{OUT} is no CycloneDX: {wrong}")
    return text


def main(words: list[str]) -> int:
    """The exit code of cyclonedx-py."""
    environment, wheel = map(Path, words) if words else (None, None)
    folder = environment or shown(list(needed(PROJECT)), Path(".venv/runtime"))
    OUT.parent.mkdir(exist_ok=True)
    command = [str(Path(sys.executable).with_name("cyclonedx-py")), "environment", "--pyproject", "pyproject.toml"]
    command += ["--mc-type", "application", "--output-reproducible", "--output-file", str(OUT), str(folder)]
    done = subprocess.run(command, check=False)
    if done.returncode == 0:
        OUT.write_text(checked(completed(OUT.read_text("utf-8"), wheel)), "utf-8")
        print(f"{OUT} written")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
