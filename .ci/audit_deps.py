"""Fails on a known vulnerability in what is installed here; says so where nobody can be asked.

Knows: pip-audit, its two sources, which findings are ignored and why (`[tool.audit-deps.ignore]` in pyproject.toml).
Must not know: the project.

A machine that reaches a package index through a mirror often reaches no source of vulnerabilities.  That is no reason
to fail, and none to look as if all was well either.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

SOURCES = ("pypi", "osv")
SECONDS = 300
OK, FOUND, MISUSE = 0, 1, 2


def main() -> int:
    """0 where nothing is found, or nobody could be asked."""
    ignored = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["tool"]["audit-deps"]["ignore"]
    if nameless := [name for name, reason in ignored.items() if not str(reason).strip()]:
        print(f"[tool.audit-deps.ignore]: {', '.join(nameless)} has no reason", file=sys.stderr)
        return MISUSE
    for source in SOURCES:
        report = _asked(source)
        if report is not None and (code := verdict(source, report, ignored)) is not None:
            return code
    print(f"NOT AUDITED: neither {' nor '.join(SOURCES)} answers here, so no package was looked up.", file=sys.stderr)
    return OK


def _asked(source: str) -> dict[str, Any] | None:
    """pip-audit's report by one source; None where that cannot be reached."""
    command = [str(Path(sys.executable).with_name("pip-audit")), "--vulnerability-service", source]
    command += ["--format", "json", "--progress-spinner", "off", "--skip-editable", "--timeout", "20"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        report: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        return None
    return report


def verdict(source: str, report: dict[str, Any], ignored: dict[str, str]) -> int | None:
    """The exit code, after saying what was found; None where the source knew no package at all."""
    packages = report["dependencies"]
    unknown = [each["name"] for each in packages if "vulns" not in each]
    known = [each for each in packages if "vulns" in each]
    if not known:
        return None
    found = [(each, hole) for each in known for hole in each["vulns"]]
    names = [{hole["id"], *hole.get("aliases", [])} for _, hole in found]
    bad = [pair for pair, ids in zip(found, names, strict=True) if not ids & ignored.keys()]
    for package, hole in bad:
        fixed = ", ".join(hole.get("fix_versions", [])) or "no version yet"
        print(f"{package['name']} {package['version']}: {hole['id']}, mended in {fixed}", file=sys.stderr)
    waved = f", {len(found) - len(bad)} ignored findings" if len(found) > len(bad) else ""
    missing = f"; not known to {source}: {', '.join(unknown)}" if unknown else ""
    print(f"{len(known)} packages looked up at {source}: {len(bad)} findings{waved}{missing}")
    if stale := ignored.keys() - set().union(*names):
        print(f"[tool.audit-deps.ignore]: {', '.join(sorted(stale))} is not found any more", file=sys.stderr)
    return FOUND if bad else OK


if __name__ == "__main__":
    sys.exit(main())
