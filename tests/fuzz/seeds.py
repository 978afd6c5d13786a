"""What fuzzing begins with: one value of every form that is read, and everything that was ever found.

Knows: where the samples lie, the wrappings of the demo.  Must not know: what is done with a seed.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from streams.demo.records import FORMS, wrap
from tests.builders import raw
from tests.properties.fixed import three_clusters

DATA = Path(__file__).parents[1] / "data"
SHAPES = DATA / "fuzz" / "shapes.jsonl"
FOUND = DATA / "fuzz" / "found"
BROKEN = (b"", b"\xff", b"\xef\xbb\xbf[1]", b"[NaN]", b"[1e999]", b'["\\ud800"]', b"{", b"[" * 70 + b"]" * 70)
DEEPEST = b"[" * 5000 + b"]" * 5000
"""Texts for every reason why one cannot be read."""
EVERY = 23
"""One in so many of a long story's events is a seed: neighbours are alike."""


@cache
def seeds() -> tuple[bytes, ...]:
    """Samples, AWS's shapes, a long story's events and all wrappings; the same ones in the same order every time."""
    lines = [line for path in _files() for line in path.read_bytes().splitlines() if line.strip()]
    story = raw(three_clusters())
    events = [json.loads(line) for line in lines[:6]]
    wrapped = [wrap(_few(events, form), form) for form in FORMS]
    batches = [b"[" + b",".join(story[begin : begin + 6]) + b"]" for begin in range(0, len(story), 6 * EVERY)]
    return tuple(dict.fromkeys([*lines, *story[::EVERY], *wrapped, *batches, *BROKEN, DEEPEST]))


def found() -> dict[str, bytes]:
    """Inputs that something once broke on, by the name of what it was."""
    return {path.name: path.read_bytes() for path in sorted(FOUND.glob("*"))}


def _files() -> list[Path]:
    captured = Path(str(files("streams.demo").joinpath("data/captured.jsonl")))
    return [*sorted(DATA.glob("*.jsonl")), captured, SHAPES]


def _few(events: list[Any], form: str) -> list[Any]:
    return events[:1] if form in ("plain", "broken") else events[:3]
