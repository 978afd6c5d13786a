"""From AWS's template to the one regular expression that matches it as a whole, field variants included.

Knows: how real texts differ from the templates, and what may stand in a placeholder.
Must not know: single templates' codes, who asks.

What keeps two templates from matching one text, whatever clusters and groups are called: a name is one word in its
place, and an operation (free text, up to six words) holds none of the words that the sentences are built from.  A
cluster called "failed" is a name because of where it stands, and "failed" is never an operation.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

MASK: Final = "\x01"
"""Begins a mask: it stands for a name that `classify` has taken out of the text."""
CLUSTER_MASK: Final = MASK + "c"
GROUP_MASK: Final = MASK + "g"
INSTANCE_MASK: Final = MASK + "i"

NAME: Final = r"[A-Za-z0-9][A-Za-z0-9_-]*"
INSTANCE_ID: Final = r"i-[0-9A-Za-z]{1,32}"
_NAME: Final = rf"(?:\x01[cg](?![\w-])|{NAME})"
_ID: Final = rf"(?:\x01i(?![\w-])|{INSTANCE_ID}(?![\w-]))"
_ITEM: Final = r"[^\s,\[\]]+"

# "Instance i-1", "EC2 Instance i-1", "EC2InstanceId i-1", "i-1", or the word alone where the id is missing.
_WORD: Final = r"(?:EC2 ?)?[Ii]nstance(?: ?I[dD])?"
_INSTANCE: Final = rf"(?:(?:{_WORD} )?(?P<instance_id>{_ID})|{_WORD})"
_GROUP_WORD: Final = r"(?:IG|InstanceGroup|Instance Group)"

_STRUCTURE: Final = (
    r"(?:in|on|and|for|to|as|of|with|is|has|at|part|failed|started|starting|completed|successfully|successful|skipped"
    r"|Cluster|Instance|EC2|IG|InstanceGroup|Group|AutoScaling)(?![^ ])"
)
# "in" builds sentences, but "scale in" is an operation.
_OPERATION_WORD: Final = rf"(?:[Ss]cal[a-z]* in(?= |$)|(?!{_STRUCTURE}|{_ID})(?:[^\W_]|\()[\w()/&+'-]*)"
_OPERATION: Final = rf"{_OPERATION_WORD}(?: {_OPERATION_WORD}){{0,5}}"

# The operation stands before or after the id; either the word or the id must be there.
_INSTANCE_OPERATION: Final = (
    rf"(?:(?:{_WORD} )?(?P<instance_id>{_ID}) (?P<operation>{_OPERATION})"
    rf"|{_WORD} (?P<operation_2>{_OPERATION})(?: (?P<instance_id_2>{_ID}))?)"
)
_INSTANCE_MAYBE_OPERATION: Final = (
    rf"(?:(?:{_WORD} )?(?P<instance_id>{_ID})(?: (?P<operation>{_OPERATION}))?"
    rf"|{_WORD}(?: (?P<operation_2>{_OPERATION}))?(?: (?P<instance_id_2>{_ID}))?)"
)

_PLACEHOLDERS: Final = {
    "cluster-name": rf"(?P<cluster_name>{_NAME})",
    "instance-group-name": rf"(?P<instance_group>{_NAME})",
    "operation": rf"(?P<operation>{_OPERATION})",
    "subnet-id": rf"(?P<subnet>{_ITEM})",
    "availability-zone": rf"(?P<availability_zone>{_ITEM})",
    "security-group-ids": rf"(?:\[(?P<security_groups>[^\[\]]*)\]|(?P<security_groups_2>{_ITEM}(?:, ?{_ITEM})*))",
    "ami-id": rf"(?P<ami>{_ITEM})",
    "reservation-id": rf"(?P<capacity_reservation>{_ITEM})",
    "status": r"(?P<status>[A-Za-z]+)",
    "strategy": r"(?P<strategy>[^\s.,]+(?: [^\s.,]+){0,3})",
    # An alarm may be called anything, brackets included, but two sentences are not one.
    "alarm-names": r"(?P<alarms>(?:(?!\] (?:for|entered) ).)*)",
    "duration": r"(?P<seconds>[0-9]{1,9})",
    "drift-details": r"(?P<drift>.+)",
    "fault": r"(?P<fault>(?:(?! on this node ).)+)",
    "action": r"(?P<repair_action>[A-Za-z][A-Za-z _-]*)",
    "lost": r"(?P<lost>[0-9]{1,9})",
    "current": r"(?P<current>[0-9]{1,9})",
    "total": r"(?P<total>[0-9]{1,9})",
    "groups": r"(?P<groups>[0-9]{1,9})",
}

# Field engineers show replacements without the place where they happen; the record's own fields have it.
_PLACE: Final = f"Cluster {_PLACEHOLDERS['cluster-name']} and {_GROUP_WORD} {_PLACEHOLDERS['instance-group-name']}"
_AS_REPLACEMENT: Final = "as part of instance replacement in Cluster <cluster-name> and IG <instance-group-name>"

# Longer phrases win; what is none of these matches itself.
_PHRASES: Final = {
    "Instance <operation> <instance-id>": _INSTANCE_OPERATION,
    "Instance <instance-id> <operation>": _INSTANCE_OPERATION,
    "Instance <operation>": _INSTANCE_OPERATION,
    "Instance <instance-id> is starting": rf"{_INSTANCE_MAYBE_OPERATION} is starting",
    "Instance <instance-id> failed to start": rf"{_INSTANCE_MAYBE_OPERATION} failed to start",
    _AS_REPLACEMENT: f"as part of instance replacement(?: in {_PLACE})?",
    "EC2 Instance <instance-id>": _INSTANCE,
    "EC2InstanceId <instance-id>": _INSTANCE,
    "Instance <instance-id>": _INSTANCE,
    "instance <instance-id>": _INSTANCE,
    "EC2 Instance": _INSTANCE,
    "for instance in": rf"for {_INSTANCE} in",
    "InstanceGroup": _GROUP_WORD,
    "Instance Group": _GROUP_WORD,
    "IG": _GROUP_WORD,
    "EKS Cluster": "EKS [Cc]luster",
    "EKS cluster": "EKS [Cc]luster",
    "has <status>": r"has (?P<status>(?i:Started|Succeeded|Failed))",
    "has Failed": r"has (?P<status>(?i:Failed))",
    "visit log group...": r"visit log group(?:[.:]{0,3}| (?P<logs>.+))",
    "detected: <drift-details>": r"detected(?:: (?P<drift>.+))?",
    "node(s)": r"nodes?(?:\(s\))?",
    "group(s)": r"groups?(?:\(s\))?",
    ". ": r"\.{0,2} ",
    **{f"<{name}>": pattern for name, pattern in _PLACEHOLDERS.items()},
}
# A phrase is whole words: the "IG" of "CONFIG" is none.
_PHRASE: Final = re.compile(
    "|".join(
        rf"(?<!\w){re.escape(phrase)}(?!\w)" if phrase[0].isalpha() else re.escape(phrase)
        for phrase in sorted(_PHRASES, key=len, reverse=True)
    )
)
_STOPS: Final = re.compile(r" ?\.{1,2}$")


def normalise(text: str) -> str:
    """The text with single spaces and without a full stop (or two) at its end."""
    text = " ".join(text.split())
    return _STOPS.sub("", text) if text.endswith(".") else text


class Pattern(NamedTuple):
    """The expression of a template, and a piece of text without which it cannot match."""

    needle: str
    whole: re.Pattern[str]


def compile_template(text: str) -> Pattern:
    """The pattern of a template.

    Its groups are named as the keys of a reading's `text`, besides "operation" and "status"; a name may end in "_2"
    where the placeholder has two possible places.
    """
    if not text.endswith("..."):
        text = text.removesuffix(".")
    expression, literals, end = "", [], 0
    for found in _PHRASE.finditer(text):
        literals.append(text[end : found.start()])
        expression += re.escape(literals[-1]) + _PHRASES[found.group()]
        end = found.end()
    literals.append(text[end:])
    return Pattern(max(literals, key=len), re.compile(expression + re.escape(literals[-1])))
