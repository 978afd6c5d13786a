"""The file of results: what was measured on which machine, part by part, and what came of the targets.

Knows: its form, how a part measured anew takes the place of the old one.
Must not know: how anything is measured or shown.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from benchmarks.measure import Run
from benchmarks.targets import Verdict, judge

SCHEMA = 2
PATH = Path(__file__).parent / "results.json"


class Part(msgspec.Struct, frozen=True):
    """One part of the measurements, made in one go."""

    commit: str
    """Of the code that was measured; with `+` where files were changed since."""
    at: str
    command: str
    load: tuple[float, float]
    """The machine's load average before and after: a busy machine widens the spread."""
    machine: dict[str, str]
    versions: dict[str, str]
    notes: list[str]
    """What was left out, and why."""
    runs: list[Run]


class Results(msgspec.Struct):
    """Everything."""

    schema: int = SCHEMA
    parts: dict[str, Part] = {}
    targets: list[Verdict] = []

    def put(self, name: str, part: Part) -> None:
        """Take a part in, and judge again."""
        self.parts[name] = part
        self.judge()

    def judge(self) -> None:
        """The targets as they are now, by the runs that there are."""
        self.targets = judge({name: part.runs for name, part in self.parts.items()})


def read(path: Path = PATH) -> Results:
    """What is there; nothing measured where there is no file.  ValueError where it is of another form."""
    if not path.exists():
        return Results()
    found = msgspec.json.decode(path.read_bytes(), type=Results)
    if found.schema != SCHEMA:
        raise ValueError(f"{path} is of form {found.schema}, this program knows {SCHEMA}: remove it and measure anew.")
    return found


def write(results: Results, path: Path = PATH) -> None:
    """For people and diffs: indented, in a fixed order; whole, or not at all."""
    text = msgspec.json.format(msgspec.json.encode(results), indent=1)
    made = path.with_suffix(".new")
    made.write_bytes(text + b"\n")
    made.replace(path)
