"""The shape of an unknown event text: the sentence without what differs from one entity to the next.

Knows: what ids, numbers and lists look like.  Must not know: templates' codes, events.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from models.catalogue.entries import CATALOGUE
from models.catalogue.matching import LONGEST, Names
from models.catalogue.patterns import CLUSTER_MASK, GROUP_MASK, INSTANCE_MASK, MASK
from models.catalogue.visible import visible

LONGEST_SHAPE: Final = 512
"""Characters of the longest shape."""

# The first that fits wins; each is one left-to-right pass without nested repeats.
_KINDS: Final = {
    "list": r"\[[^\[\]]*(?:\]|$)",
    "arn": r"\barn:aws[\w-]*:[^\s,;\])}\"']*[^\s,;\])}\"'.]",
    "uuid": r"\b[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\b",
    "instance-id": r"(?<![\w-])i-(?:[0-9a-f]+|[0-9a-z]{8,32})(?![\w-])",
    "subnet-id": r"\bsubnet-[0-9a-z]+\b",
    "security-group-id": r"\bsg-[0-9a-z]+\b",
    "eni-id": r"\beni-[0-9a-z]+\b",
    "ami-id": r"\bami-[0-9a-z]+\b",
    "id": r"\b[a-z]{1,10}-[0-9a-f]{8,17}\b",
    "time": r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+(?:Z|[+-][0-9:]+)?",
    "zone": r"\b(?:[a-z]{2,4}(?:-[a-z]{2,12}){1,3}-[0-9][a-z]?|[a-z]{3,4}[0-9]-az[0-9]+)\b",
    "hex": r"\b(?:0x[0-9A-Fa-f]+|(?=[a-f]*[0-9])[0-9a-f]{8,})\b",
    "number": r"(?<![A-Za-z0-9_.])[0-9]+(?:[.,:][0-9]+)*",
    "cluster-name": CLUSTER_MASK,
    "instance-group-name": GROUP_MASK,
    "own-instance": INSTANCE_MASK,
}
_KIND: Final = re.compile("|".join(f"(?P<k{i}>{pattern})" for i, pattern in enumerate(_KINDS.values())))
_PLACEHOLDERS: Final = tuple(f"<{kind}>" for kind in _KINDS)
_OWN_INSTANCE: Final = "<instance-id>"

# Words that sentences are made of: as a name, such a word counts only behind its label.
_VOCABULARY: Final = frozenset(
    word.casefold() for template in CATALOGUE for word in re.findall(r"[A-Za-z]+", template.text)
)
_LABELS: Final = {
    CLUSTER_MASK: r"(?:Cluster|cluster)",
    GROUP_MASK: r"(?:IG|InstanceGroup|Instance Group|instance group|group)",
    INSTANCE_MASK: r"(?:Instance|instance|InstanceId)",
}


def shape(description: str, names: Names) -> str:
    """The text with ids, numbers, bracketed lists and the record's own names as placeholders.

    At most `LONGEST_SHAPE` characters, all printable; the same sentence about another entity has the same shape.
    Never raises.
    """
    text = visible(" ".join(description[:LONGEST].split()))
    for pattern, mask in _own_names(names.bounded()):
        text = pattern.sub(mask, text)
    return _KIND.sub(_placeholder, text)[:LONGEST_SHAPE]


def _placeholder(found: re.Match[str]) -> str:
    placeholder = _PLACEHOLDERS[(found.lastindex or 1) - 1]
    return _OWN_INSTANCE if placeholder == "<own-instance>" else placeholder


@lru_cache(maxsize=1024)
def _own_names(names: Names) -> tuple[tuple[re.Pattern[str], str], ...]:
    """What to replace by which mask: labelled names first, then longer before shorter ones."""
    pairs = [(mask, name) for mask, name in zip(_LABELS, names, strict=True) if name]
    pairs.sort(key=lambda pair: -len(pair[1]))
    labelled = [(re.compile(rf"(?<=\b)({_LABELS[mask]} ){_whole(name)}"), rf"\1{mask}") for mask, name in pairs]
    anywhere = [(re.compile(_whole(name)), mask) for mask, name in pairs if name.casefold() not in _VOCABULARY]
    return (*labelled, *anywhere)


def _whole(name: str) -> str:
    return rf"(?<![\w{MASK}-]){re.escape(name)}(?![\w-])"
