"""What a runbook says beyond the tables of `models`.

Knows: the parts of a page.
Must not know: any kind.
"""

from __future__ import annotations

from dataclasses import dataclass

CLUSTER, GROUP, INSTANCE = "ml-prod", "p5-train", "i-0123456789abcdef0"
EVENT = "83ea0bb5-be77-45e8-a458-0a87f778a205"
ANOMALY = "3b38fe1f6e0d4a52"


@dataclass(frozen=True)
class Guide:
    """One page.  `look` and `act` are shell: commands with examples of names, and comments."""

    means: str
    shows: str
    look: str
    act: str
    page_aws: str
    over: str = ""
    """What is to be said of the end beyond what clears it."""


def filled(text: str) -> str:
    """The text with the names that all pages use."""
    names = {"CLUSTER": CLUSTER, "GROUP": GROUP, "INSTANCE": INSTANCE, "EVENT": EVENT, "ANOMALY": ANOMALY}
    for name, value in names.items():
        text = text.replace("{" + name + "}", value)
    return text.strip("\n")
