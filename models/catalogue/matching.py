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
from models.catalogue.ranks import rank_of
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


_Value = tuple[str, str, int]
"""What stands in a placeholder: its key, the text, and which of the record's names that is, or one of these."""
_NO_NAME: Final = -1
_MIXED: Final = -2


class Sentence(msgspec.Struct, frozen=True):
    """What all texts say that differ in the record's own names only."""

    code: str
    rank: int
    operation: str | None = None
    operation_word: str | None = None
    status: str | None = None
    said: tuple[tuple[_Value, ...], ...] = ()
    """By `but` of `recognise`: what stands in the other placeholders."""


class _Matcher(NamedTuple):
    template: Template
    needle: str
    whole: re.Pattern[str]


def classify(description: str, names: Names) -> Reading | None:
    """The reading of an event text; None when no template matches all of it.  Never raises."""
    recognised = recognise(description, *names)
    if recognised is None:
        return None
    found, text = recognised
    return Reading(found.code, found.operation, found.operation_word, found.status, text)


BUT_INSTANCE: Final = 1
BUT_GROUP: Final = 2
BUT_CLUSTER: Final = 4


def recognise(
    description: str, cluster: str | None, group: str | None, instance: str | None, but: int = 0
) -> tuple[Sentence, dict[str, str]] | None:
    """The sentence of an event text, and what it names, those of `but` (`BUT_…`) left out.  Never raises."""
    if len(description) > LONGEST:
        return None
    if MASK in description:
        description = description.replace(MASK, visible(MASK))
    names = (cluster or "", group or "", instance or "")
    order = _order(len(names[0]), len(names[1]), len(names[2]))
    masked = description
    for which in order:
        masked = masked.replace(names[which], _MASKS[which])
    found = _match(masked)
    if found is None:
        found, order = _otherwise(description, names, order)
        if found is None:
            return None
    text = {}
    for key, value, which in found.said[but]:
        if which >= 0:
            text[key] = names[which]
        else:
            text[key] = value if which == _NO_NAME else _unmasked(value, names, order)
    return found, text


_Names = tuple[str, str, str]
_MASKS: Final = (CLUSTER_MASK, GROUP_MASK, INSTANCE_MASK)
_PLAIN: Final = (re.compile(NAME), re.compile(NAME), re.compile(INSTANCE_ID))
_INSTANCE: Final = 2


@lru_cache(maxsize=8192)
def _order(*lengths: int) -> tuple[int, ...]:
    """Which names to mask, the longest first, as one may be a part of another; those too long for one are not."""
    masked = [which for which, length in enumerate(lengths) if 0 < length <= LONGEST_NAME]
    return tuple(sorted(masked, key=lambda which: -lengths[which]))


def _otherwise(text: str, names: _Names, order: tuple[int, ...]) -> tuple[Sentence | None, tuple[int, ...]]:
    """Masking all names goes wrong where one is also a part of the sentence (cluster "in"): the mask then stands where
    no name may, nothing matches, and the bare text decides; ids stay masked as long as that does, as every instance has
    its own.  A name that is not one plain word, or an id of another kind, can only be read masked.
    """
    if _INSTANCE in order and order != (_INSTANCE,) and _PLAIN[_INSTANCE].fullmatch(names[_INSTANCE]):
        found = _match(text.replace(names[_INSTANCE], INSTANCE_MASK))
        if found is not None:
            return found, (_INSTANCE,)
    found = _match(text)
    if found is not None:
        return found, ()
    odd = tuple(which for which in order if not _PLAIN[which].fullmatch(names[which]))
    return (_match(_masked(text, names, odd)) if odd else None), odd


def _masked(text: str, names: _Names, order: tuple[int, ...]) -> str:
    for which in order:
        text = text.replace(names[which], _MASKS[which])
    return text


def _unmasked(value: str, names: _Names, order: tuple[int, ...]) -> str:
    for which in order:
        if value == _MASKS[which]:
            return names[which]
        value = value.replace(_MASKS[which], names[which])
    return visible(value)


@lru_cache(maxsize=2048)
def _match(text: str) -> Sentence | None:
    text = normalise(text)
    for template, needle, whole in _candidates(text):
        if needle in text and (found := whole.fullmatch(text)) is not None:
            return _sentence(template, found)
    return None


def _sentence(template: Template, found: re.Match[str]) -> Sentence:
    values = {name.removesuffix("_2"): value for name, value in found.groupdict().items() if value}
    word = values.pop("operation", None)
    # The status of an autoscaling operation is AWS's free text, no word of ours.
    status = None if template.code == "AutoscalingSucceeded" else values.pop("status", None)
    status = None if status is None else status.capitalize()
    operation = None if word is None else normalise_operation(word)
    rank = rank_of(template.code, status, operation)
    return Sentence(template.code, rank, operation, word, status, _said([_value(*pair) for pair in values.items()]))


def _value(key: str, value: str) -> _Value:
    if MASK not in value:
        return key, visible(value), _NO_NAME
    return key, value, _MASKS.index(value) if value in _MASKS else _MIXED


def _said(values: list[_Value]) -> tuple[tuple[_Value, ...], ...]:
    left_out = {BUT_INSTANCE: "instance_id", BUT_GROUP: "instance_group", BUT_CLUSTER: "cluster_name"}
    return tuple(
        tuple(value for value in values if not any(but & bit and value[0] == key for bit, key in left_out.items()))
        for but in range(sum(left_out) + 1)
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
