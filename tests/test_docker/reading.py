"""docker/Dockerfile as a table: its instructions by stage.  No engine is needed."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = "/var/lib/hyperpod-state"


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions in their order, continued lines joined, comments left out."""
    text = (ROOT / "docker" / "Dockerfile").read_text()
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in joined.splitlines())]


def stages() -> dict[str, list[tuple[str, str]]]:
    """The instructions of each stage, after those of the stage it is made from."""
    found: dict[str, list[tuple[str, str]]] = {}
    name = ""
    for word, rest in instructions():
        if word == "FROM":
            base, name = rest.split(" AS ")
            found[name] = list(found.get(base, []))
        elif name:
            found[name].append((word, rest))
    return found


def last(stage: str, word: str) -> str:
    return [rest for instruction, rest in stages()[stage] if instruction == word][-1]
