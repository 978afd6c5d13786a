"""What a runbook says beyond the tables of `models`, and whose names its commands have.

Knows: the parts of a page, which names commands may have.
Must not know: any kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

EXAMPLES: Mapping[str, str] = {
    "CLUSTER": "ml-prod",
    "CLUSTER_ID": "ac7vzqgh29mf",
    "GROUP": "p5-train",
    "INSTANCE": "i-0123456789abcdef0",
    "EVENT": "83ea0bb5-be77-45e8-a458-0a87f778a205",
    "ANOMALY": "3b38fe1f6e0d4a52",
}
"""Every name that a text may have in braces, as it is where no anomaly is asked about."""
NAME = "[A-Za-z0-9][A-Za-z0-9_.-]{0,127}"
"""What a name may be (as a regular expression): commands are copied into a shell, and names come from events and links."""


@dataclass(frozen=True)
class Guide:
    """One page.  `look` and `act` are shell: commands with names in braces, and comments."""

    means: str
    shows: str
    look: str
    act: str
    page_aws: str
    over: str = ""
    """What is to be said of the end beyond what clears it."""


def filled(text: str, names: Mapping[str, str] = EXAMPLES) -> str:
    """The text with these names; one that is not told stays a word in capitals, which is nobody's name."""
    for name in EXAMPLES:
        text = text.replace("{" + name + "}", names.get(name, name))
    return text.strip("\n")
