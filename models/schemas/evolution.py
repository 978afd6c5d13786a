"""What may change in a published schema without a new version, and what may not.

Knows: JSON Schema, as far as pydantic writes it.
Must not know: which records there are.

A program that was written against a version goes on reading records of it, whichever release wrote them; and whoever
reads with the newest schema can read what older releases wrote.  So fields may be added, if nobody requires them, and
values may be added to words that say so (`x-extensible`).  Everything else wants a new version: a field that is gone,
renamed or of another type, that may be missing or null now, or that is required now; a value that is gone, or added to
a closed list; another bound or pattern.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
EXTENSIBLE = "x-extensible"
WORDS = frozenset({"title", "description", "examples", "default", EXTENSIBLE, "$schema", "$id", "$defs"})
"""Keywords that no record is judged by."""
LOOKED_AT = frozenset({"$ref", "anyOf", "type", "enum", "const", "properties", "required", "items"})
"""Keywords that have a rule of their own; any other may not change at all."""


def breaks(before: Schema, after: Schema) -> list[str]:
    """What of the change wants a new version, in words; nothing where all of it is harmless."""
    return list(_Pair(before, after).differences("", before, after))


class _Pair:
    """Two documents, whose references lead into each."""

    def __init__(self, before: Schema, after: Schema) -> None:
        self._before, self._after = before, after

    def differences(self, place: str, before: Schema, after: Schema) -> Iterator[str]:
        """Of one place in both."""
        old, new = _alternatives(before, self._before), _alternatives(after, self._after)
        gained = sorted(new.keys() - old.keys())
        if gained:
            yield f"{_at(place)} may be {', '.join(gained)} now"
        if lost := sorted(old.keys() - new.keys()):
            yield f"{_at(place)} is never {', '.join(lost)} any more"
        for kind in sorted(old.keys() & new.keys()):
            yield from self._same_kind(place, old[kind], new[kind])

    def _same_kind(self, place: str, old: Schema, new: Schema) -> Iterator[str]:
        yield from _words(place, old, new)
        for keyword in sorted((old.keys() | new.keys()) - WORDS - LOOKED_AT):
            if keyword == "additionalProperties" and isinstance(old.get(keyword), dict) and keyword in new:
                yield from self.differences(f"{place}.*", old[keyword], new[keyword])
            elif old.get(keyword) != new.get(keyword):
                yield f"{_at(place)} has another {keyword}: {new.get(keyword)!r}, it was {old.get(keyword)!r}"
        if "items" in old and "items" in new:
            yield from self.differences(f"{place}[]", old["items"], new["items"])
        yield from self._fields(place, old, new)

    def _fields(self, place: str, old: Schema, new: Schema) -> Iterator[str]:
        known, present = old.get("properties", {}), new.get("properties", {})
        was, required = set(old.get("required", ())), set(new.get("required", ()))
        for name in known:
            where = f"{place}.{name}".lstrip(".")
            if name not in present:
                yield f"{where} is gone"
                continue
            if name in was and name not in required:
                yield f"{where} may be missing now"
            yield from self.differences(where, known[name], present[name])
        for name in sorted(required - was):
            yield f"{f'{place}.{name}'.lstrip('.')} is required now; records that were written before may lack it"


def _alternatives(schema: Schema, document: Schema) -> dict[str, Schema]:
    """By type, what a value of it has to be."""
    if "$ref" in schema:
        target: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        return _alternatives({**target, **beside}, document)
    if "anyOf" in schema:
        beside = {key: value for key, value in schema.items() if key == EXTENSIBLE}
        found = [_alternatives({**each, **beside}, document) for each in schema["anyOf"]]
        return {kind: each for one in found for kind, each in one.items()}
    kinds = schema.get("type", "anything")
    return dict.fromkeys([kinds] if isinstance(kinds, str) else kinds, schema)


def _words(place: str, old: Schema, new: Schema) -> Iterator[str]:
    before, after = _listed(old), _listed(new)
    if before is None or after is None:
        if before != after:
            yield f"{_at(place)} is {'one of a list' if before is None else 'any text'} now"
        return
    for word in before:
        if word not in after:
            yield f"{_at(place)} is never {word!r} any more"
    for word in after:
        if word not in before and not old.get(EXTENSIBLE):
            yield f"{_at(place)} may be {word!r} now, and its list was closed"


def _listed(schema: Schema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _at(place: str) -> str:
    return place or "the record"
