"""CHANGELOG.md: is it in the form that it promises, and does it belong to the version?  `release` turns it over.

Knows: keep a changelog's form, where the version is written: in pyproject.toml and in copies of it.
Must not know: git, what changed.

  python .ci/changelog.py                    what is wrong with it
  python .ci/changelog.py --release          and whether this version can be released as it stands
  python .ci/changelog.py release 0.2.0      what is unreleased becomes 0.2.0 of today, and pyproject.toml says 0.2.0
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from packaging.version import InvalidVersion, Version

LOG, PROJECT = Path("CHANGELOG.md"), Path("pyproject.toml")
UNRELEASED = "Unreleased"
HEADINGS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
_VERSION = re.compile(r'^version = "([^"]+)"$', re.MULTILINE)
COPIES = {
    # Helm reads this file alone; its version is the tag of the image, which the page tells how to build.
    Path("deploy/helm/hyperpod-state/Chart.yaml"): re.compile(r'^((?:version|appVersion): "?)([^"\s]+)', re.MULTILINE),
    Path("docs/kubernetes.md"): re.compile(r"(registry\.example\.com/hyperpod-state:)([^\s`]+)"),
}
_TITLE = re.compile(r"^## (.+)$", re.MULTILINE)
USAGE = 2


@dataclass(frozen=True)
class Section:
    """What is written of one version, or of what is to be one."""

    title: str
    text: str

    @property
    def version(self) -> str:
        """Its number, or `Unreleased`."""
        return self.title.partition(" - ")[0]

    @property
    def is_empty(self) -> bool:
        """Nothing but headings."""
        return not re.search(r"^(?!#)\S", self.text, re.MULTILINE)


def sections(log: str) -> list[Section]:
    """In the order in which they stand."""
    _, *parts = _TITLE.split(log)
    return [Section(title.strip(), text) for title, text in zip(parts[::2], parts[1::2], strict=True)]


def faults(log: str, version: str, releasing: bool = False) -> list[str]:
    """What is not as it has to be."""
    found = sections(log)
    if not found or found[0].title != UNRELEASED:
        return [f"the first section is not “## {UNRELEASED}”"]
    said = [fault for section in found for fault in _of_section(section)]
    released = [each.version for each in found[1:]]
    try:
        numbers = [Version(each) for each in released]
        ours = Version(version)
    except InvalidVersion as error:
        return [*said, str(error)]
    if numbers != sorted(set(numbers), reverse=True):
        said.append(f"the newest version does not stand first, or one stands twice: {', '.join(released)}")
    said += _of_version(found, version, ours, numbers, releasing)
    return said


def _of_version(
    found: list[Section], version: str, ours: Version, numbers: list[Version], releasing: bool
) -> list[str]:
    """Whether the version that pyproject.toml has fits."""
    if numbers and ours < numbers[0]:
        return [f"pyproject.toml says {version}, and {numbers[0]} was released already"]
    if numbers and ours == numbers[0] and not found[0].is_empty:
        return [f"there are changes since {version}: pyproject.toml needs the next version"]
    if releasing and (not numbers or ours != numbers[0]):
        return [f"{version} has no section of its own: python .ci/changelog.py release {version}"]
    return []


def _of_section(section: Section) -> list[str]:
    """One date for a release, known headings, nothing above them."""
    said = []
    if section.title != UNRELEASED and not _is_date(section.title.partition(" - ")[2]):
        said.append(f"“## {section.title}” is not “## VERSION - YYYY-MM-DD”")
    above, *kinds = re.split(r"^### (.+)$", section.text, flags=re.MULTILINE)
    if re.search(r"^\s*- ", above, re.MULTILINE):
        said.append(f"{section.version}: a change stands under none of {', '.join(HEADINGS)}")
    said += [
        f"{section.version}: “### {kind}” is none of {', '.join(HEADINGS)}"
        for kind in kinds[::2]
        if kind not in HEADINGS
    ]
    said += [
        f"{section.version}: “### {kind}” stands there twice"
        for kind in sorted({k for k in kinds[::2] if kinds[::2].count(k) > 1})
    ]
    return said


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == len("2026-01-31")


def strays(version: str) -> list[str]:
    """Copies that say another version, and those that say none."""
    said = []
    for path, place in COPIES.items():
        told = {found[2] for found in place.finditer(path.read_text("utf-8"))}
        if told != {version}:
            said.append(f"{path} says {', '.join(sorted(told)) or 'nothing'}, and pyproject.toml {version}")
    return said


def released(log: str, version: str, day: str) -> str:
    """The log with what is unreleased as that version's, and room for the next."""
    return log.replace(f"## {UNRELEASED}\n", f"## {UNRELEASED}\n\n## {version} - {day}\n", 1)


def release(version: str) -> list[str]:
    """Write all files; what is in the way, where something is."""
    log, project = LOG.read_text("utf-8"), PROJECT.read_text("utf-8")
    if faults(log, version):
        return faults(log, version)
    if sections(log)[0].is_empty:
        return ["nothing is unreleased"]
    PROJECT.write_text(_VERSION.sub(f'version = "{version}"', project, count=1), "utf-8")
    LOG.write_text(released(log, version, _today()), "utf-8")
    for path, place in COPIES.items():
        path.write_text(place.sub(rf"\g<1>{version}", path.read_text("utf-8")), "utf-8")
    print(f"{', '.join(map(str, (LOG, PROJECT, *COPIES)))} say {version} now")
    return []


def _today() -> str:
    return datetime.now(UTC).date().isoformat()  # noqa: TID251 - the day of a release is that of the clock


def main(words: list[str]) -> int:
    """1 where something is wrong."""
    if words[:1] == ["release"] and len(words) == 2:
        said = release(words[1])
    elif words in ([], ["--release"]):
        found = _VERSION.search(PROJECT.read_text("utf-8"))
        own = found[1] if found else ""
        said = [*faults(LOG.read_text("utf-8"), own, releasing=bool(words)), *strays(own)]
    else:
        print(__doc__, file=sys.stderr)
        return USAGE
    for line in said:
        print(f"version and changelog: {line}", file=sys.stderr)
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
