"""What an event text says: its template, and what stands in the placeholders.

Knows: every template, and the record's own names.  Must not know: events, wire forms, machines.

A text is matched as a whole.  Masking the record's own names first makes texts of one template equal, so that one
look-up in a bounded cache decides nearly all of them; the cache changes the speed and never the answer.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from models.catalogue.entries import CATALOGUE, FIELD
from models.catalogue.operations import normalise_operation
from models.catalogue.patterns import (
    CLUSTER_MASK,
    GROUP_MASK,
    INSTANCE_ID,
    INSTANCE_MASK,
    MASK,
    NAME,
    compile_template,
    normalise,
)
from models.catalogue.template import Template
from models.catalogue.visible import visible

LONGEST: Final = 4096
"""Characters of the longest text that is looked at; AWS's own are below a thousand."""


LONGEST_NAME: Final = 256
"""Characters of the longest name that is looked for; AWS's own are below a hundred."""


class Names(NamedTuple):
    """The record's own fields; None where it has none."""

    cluster_name: str | None = None
    instance_group: str | None = None
    instance_id: str | None = None

    def bounded(self) -> Names:
        """These names without those that are too long to be looked for."""
        cluster, group, instance = self
        if len(cluster or "") <= LONGEST_NAME >= len(group or "") and len(instance or "") <= LONGEST_NAME:
            return self
        return Names(*(name if len(name or "") <= LONGEST_NAME else None for name in self))


class Reading(msgspec.Struct, frozen=True):
    """What a recognised text says."""

    code: str
    operation: str | None = None
    """Normalised (`operations.OPERATIONS`); None where the template has no operation."""
    operation_word: str | None = None
    """The operation as the text has it, one or several words."""
    status: str | None = None
    """`Started`, `Succeeded` or `Failed` of a lifecycle script."""
    text: dict[str, str] = {}
    """What stands in the other placeholders: instance_id, instance_group, cluster_name, subnet, alarms, seconds, …
    Lists are without their brackets; counts and seconds are ASCII digits, nine at most."""


class _Match(NamedTuple):
    """A reading whose values may still hold masks; operation and status never do."""

    code: str
    operation: str | None
    operation_word: str | None
    status: str | None
    values: tuple[tuple[str, str], ...]


class _Matcher(NamedTuple):
    template: Template
    needle: str
    whole: re.Pattern[str]


def classify(description: str, names: Names) -> Reading | None:
    """The reading of an event text; None when no template matches all of it.  Never raises."""
    if len(description) > LONGEST:
        return None
    if MASK in description:
        description = description.replace(MASK, visible(MASK))
    for masks in _maskings(names.bounded()):
        found = _match(_masked(description, masks))
        if found is not None:
            code, operation, word, status, values = found
            text = {key: _unmasked(value, masks) if MASK in value else value for key, value in values}
            return Reading(code, operation, word, status, text)
    return None


_Masks = tuple[tuple[str, str], ...]
_PLAIN: Final = {
    CLUSTER_MASK: re.compile(NAME),
    GROUP_MASK: re.compile(NAME),
    INSTANCE_MASK: re.compile(INSTANCE_ID),
}


@lru_cache(maxsize=4096)
def _maskings(names: Names) -> tuple[_Masks, ...]:
    """Ways to mask the names, the likeliest first.

    Masking all is the fast way and goes wrong where a name is also a part of the sentence (cluster "in"): the mask
    then stands where no name may, nothing matches, and the bare text decides.  A name that is not one plain word, or an
    id of another kind, can only be read masked.
    """
    masks = tuple((mask, name) for mask, name in zip(_PLAIN, names, strict=True) if name)
    longest_first = tuple(sorted(masks, key=lambda pair: -len(pair[1])))
    odd = tuple((mask, name) for mask, name in longest_first if not _PLAIN[mask].fullmatch(name))
    return tuple(dict.fromkeys((longest_first, (), odd)))


def _masked(text: str, masks: _Masks) -> str:
    for mask, name in masks:
        text = text.replace(name, mask)
    return text


def _unmasked(value: str, masks: _Masks) -> str:
    for mask, name in masks:
        if value == mask:
            return name
        value = value.replace(mask, name)
    return visible(value)


@lru_cache(maxsize=2048)
def _match(text: str) -> _Match | None:
    text = normalise(text)
    for template, needle, whole in _candidates(text):
        if needle in text and (found := whole.fullmatch(text)) is not None:
            return _match_of(template, found)
    return None


def _match_of(template: Template, found: re.Match[str]) -> _Match:
    values = {name.removesuffix("_2"): value for name, value in found.groupdict().items() if value}
    word = values.pop("operation", None)
    # The status of an autoscaling operation is AWS's free text, no word of ours.
    status = None if template.code == "AutoscalingSucceeded" else values.pop("status", None)
    return _Match(
        template.code,
        None if word is None else normalise_operation(word),
        word,
        None if status is None else status.capitalize(),
        tuple((key, value if MASK in value else visible(value)) for key, value in values.items()),
    )


# Which templates are tried is decided by the first word: all that may begin with an instance or a group share one key.
_SUBJECT: Final = re.compile(r"(?:EC2|EC2[Ii]nstance\w*|[Ii]nstance(?:I[dD])?|IG|InstanceGroup|i-\w+|\x01i)\Z")


def _key(word: str) -> str:
    if word[:1].isdigit():
        return "0"
    return "Instance" if _SUBJECT.match(word) else word


def _first_word(text: str) -> str:
    return text.split(" ", 1)[0]


def _index() -> tuple[dict[str, tuple[_Matcher, ...]], tuple[_Matcher, ...]]:
    """Matchers by key of their first word, and those that may begin with any word."""
    by_key: defaultdict[str, list[_Matcher]] = defaultdict(list)
    anywhere = []
    for template in (*CATALOGUE, *FIELD):
        matcher, word = _Matcher(template, *compile_template(template.text)), _first_word(template.text)
        if word == "<operation>":
            anywhere.append(matcher)
        else:
            by_key["0" if word.startswith("<") else _key(word)].append(matcher)
    return {key: (*found, *anywhere) for key, found in by_key.items()}, tuple(anywhere)


_BY_KEY, _ANYWHERE = _index()


def _candidates(text: str) -> tuple[_Matcher, ...]:
    return _BY_KEY.get(_key(_first_word(text)), _ANYWHERE)
