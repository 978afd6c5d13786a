"""Which version this is, and what it writes and is made of.

Knows: the metadata that an installation leaves (pyproject.toml is where the version is written, and nowhere else), the
versions of rows and of records.
Must not know: commands, HTTP.
"""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

PROJECT = "hyperpod-state"
FAUST = "faust-streaming"


def installed(package: str = PROJECT) -> str | None:
    """Its version; None where it is not installed, such as this project run from its sources."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def about() -> list[tuple[str, str]]:
    """What somebody who asks for help, or is about to upgrade, is asked for: names and versions, the project first."""
    from models.public import SCHEMA_VERSION
    from models.rows import FOLD_VERSION
    from streams.codecs import VERSION

    return [
        (PROJECT, installed() or "(run from its sources)"),
        ("Python", platform.python_version()),
        (FAUST, installed(FAUST) or "(not installed)"),
        ("rows", f"version {FOLD_VERSION} of the state, {VERSION} of everything around it"),
        ("records", f"schema_version {SCHEMA_VERSION}"),
    ]
