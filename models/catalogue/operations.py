"""Operation words: free text in AWS's sentences, a handful of verbs for everybody else.

Knows: the words that are understood.  Must not know: templates, machines.
"""

from __future__ import annotations

import re
from typing import Final

OTHER: Final = "other"

_STEMS: Final = (
    ("creat", "create"),
    ("updat", "update"),
    ("delet", "delete"),
    ("terminat", "delete"),
    ("scal", "scale"),
    ("replac", "replace"),
    ("reboot", "reboot"),
)

OPERATIONS: Final = ("create", "update", "delete", "scale", "replace", "reboot", "update_software", OTHER)

# "UpdateClusterSoftware" is three words, "EC2" and "AMI" are one each.
_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def normalise_operation(words: str) -> str:
    """One of `OPERATIONS` for an operation as a text has it; what is not understood is "other".

    Updating the software is a verb of its own: it begins a rollout, while any other update changes a definition.
    """
    parts = [part.casefold() for part in _WORD.findall(words)]
    verbs = [verb for part in parts for stem, verb in _STEMS if part.startswith(stem)]
    if "software" in parts and "update" in verbs:
        return "update_software"
    return verbs[0] if verbs else OTHER
