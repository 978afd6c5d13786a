"""A folder that looks like the repository's root to what writes the reference.

Knows: which files of the repository have a part that is generated.
Must not know: what is generated.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from streams.reference import chart

ROOT = Path(__file__).resolve().parent.parent.parent


def elsewhere(folder: Path) -> None:
    """Make it one, with nothing generated yet but what stands in files that are written by hand."""
    (folder / "streams" / "reference").mkdir(parents=True)
    (folder / chart.SCHEMA).parent.mkdir(parents=True)
    shutil.copy(ROOT / chart.SCHEMA, folder / chart.SCHEMA)
