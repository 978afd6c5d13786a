"""Files of settings, in TOML.

Knows: where such a file is named, what may be wrong with one.
Must not know: what is in it.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

VARIABLE = "HYPERPOD_STATE_CONFIG"
"""Names the file of settings that a worker, and every command that asks Kafka, reads."""


APART = ("alerts",)
"""Tables that a command of their own reads (`apart`), and no setting of the worker is called."""


class BadFile(ValueError):
    """The file cannot be read; the message names it and says why."""


def named() -> dict[str, Any]:
    """What is in the file that the variable names; nothing where it names none.  Raises BadFile."""
    return {name: value for name, value in _whole().items() if name not in APART}


def apart(table: str) -> Any:
    """One of the tables that are read apart; None where there is none, or no file.  Raises BadFile."""
    return _whole().get(table)


def _whole() -> dict[str, Any]:
    path = os.environ.get(VARIABLE)
    return read(Path(path)) if path else {}


def read(path: Path) -> dict[str, Any]:
    """Raises BadFile."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadFile(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:  # no UTF-8, no TOML
        raise BadFile(f"{path} is not TOML: {error}") from None
