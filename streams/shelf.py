"""Pictures of clusters that rest, packed: a few hundred bytes for each instance, against some thousands.

Knows: what of a picture is a lane's to show, how to pack it and open it again.
Must not know: when a cluster rests, routes.

Anomalies are not part of it: the ledger has them, as they were published.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any

import msgspec

from models.public import History, InstanceItem, Observed, Picture
from models.public_history import Changes

_FIELDS = tuple(InstanceItem.model_fields)
_LEVEL = 1
_ENCODE = msgspec.msgpack.Encoder().encode
_Plain = list[Any]


class _Parts(msgspec.Struct, array_like=True):
    rest: bytes
    """What there is little of, as JSON."""
    instances: list[_Plain]
    histories: list[_Plain]


_DECODE = msgspec.msgpack.Decoder(_Parts).decode


class Shelved:
    """One packed picture."""

    __slots__ = ("_data",)

    def __init__(self, picture: Picture) -> None:
        rest = picture.model_copy(update={"instances": (), "histories": (), "anomalies": ()})
        parts = _Parts(
            rest.model_dump_json().encode(),
            [_of_instance(item) for item in picture.instances],
            [[each.cluster_arn, each.instance_group, *_of_history(each.items)] for each in picture.histories],
        )
        self._data = zlib.compress(_ENCODE(parts), _LEVEL)

    def picture(self) -> Picture:
        """As it was."""
        parts = _DECODE(zlib.decompress(self._data))
        rest = Picture.model_validate_json(parts.rest)
        instances = tuple(map(_instance, parts.instances))
        histories = tuple(
            History.trusted(cluster_arn=arn, instance_group=group, items=Changes(packed, count))
            for arn, group, packed, count in parts.histories
        )
        return rest.model_copy(update={"instances": instances, "histories": histories})


class Shelf:
    """Opens them, each once for as long as it is asked for."""

    def __init__(self) -> None:
        self._open: dict[Shelved, Picture] = {}

    def opened(self, pictures: Iterable[Picture | Shelved]) -> list[Picture]:
        """All as pictures."""
        known, self._open = self._open, {}
        return [each if isinstance(each, Picture) else self._opened(each, known) for each in pictures]

    def _opened(self, shelved: Shelved, known: dict[Shelved, Picture]) -> Picture:
        found = self._open[shelved] = known.get(shelved) or shelved.picture()
        return found


def _of_instance(item: InstanceItem) -> _Plain:
    fields = {name: getattr(item, name) for name in _FIELDS}
    if item.observed is not None:
        fields["observed"] = item.observed.model_dump()
    fields["history"] = _of_history(item.history)
    return [*fields.values()]


def _of_history(items: Any) -> _Plain:
    assert isinstance(items, Changes)  # as they are judged
    return [items.packed, len(items)]


def _instance(values: _Plain) -> InstanceItem:
    fields = dict(zip(_FIELDS, values, strict=True))
    if fields["observed"] is not None:
        fields["observed"] = Observed(**fields["observed"])
    fields["history"] = Changes(*fields["history"])
    return InstanceItem.trusted(**fields)
