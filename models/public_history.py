"""What happened to an entity, as users read it, and as it is kept: packed, and unpacked when somebody looks.

Knows: the public shape of one change, its packed form.
Must not know: rows, what a change means.

Of all that is known of a fleet, histories are by far the most, and of thousands of them one is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, overload

import msgspec
from pydantic import Field, GetCoreSchemaHandler, PlainSerializer
from pydantic_core import CoreSchema

from models.public_anomaly import PublicModel, Time
from models.timestamps import iso

Packed = tuple[int, str, str, str | None, str | None, str | None]
"""Time (epoch ms), event, code, machine, the states before and after."""


class HistoryItem(PublicModel):
    """One machine that one event changed, or the event alone where `machine` is null."""

    time: Time
    event_id: str
    code: str
    machine: str | None = None
    from_: str | None = Field(default=None, validation_alias="from", serialization_alias="from")
    to: str | None = None


_PACK = msgspec.msgpack.Encoder().encode
_UNPACK = msgspec.msgpack.Decoder(list[Packed]).decode


class Changes(Sequence[HistoryItem]):
    """Stands for a tuple of items."""

    __slots__ = ("_count", "packed")

    def __init__(self, packed: bytes, count: int) -> None:
        self.packed, self._count = packed, count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[HistoryItem]:
        return map(_item, _UNPACK(self.packed))

    def __reversed__(self) -> Iterator[HistoryItem]:
        return map(_item, reversed(_UNPACK(self.packed)))

    @overload
    def __getitem__(self, place: int) -> HistoryItem: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[HistoryItem]: ...
    def __getitem__(self, place: int | slice) -> HistoryItem | Sequence[HistoryItem]:
        found = _UNPACK(self.packed)[place]
        return tuple(map(_item, found)) if isinstance(found, list) else _item(found)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Changes):
            return self.packed == other.packed
        return tuple(self) == other if isinstance(other, tuple) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # as little as the models that have it


def pack(changes: Iterable[Packed]) -> Changes:
    """The history that these make."""
    packed = [*changes]
    return Changes(_PACK(packed), len(packed))


def _item(packed: Packed) -> HistoryItem:
    time, event_id, code, machine, before, after = packed
    return HistoryItem.trusted(time=iso(time), event_id=event_id, code=code, machine=machine, from_=before, to=after)


class _AsTuple:
    """To pydantic, and to whoever reads its schema, it is a tuple of items."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler.generate_schema(_SHOWN)


_SHOWN = Annotated[tuple[HistoryItem, ...], PlainSerializer(tuple, return_type=tuple[HistoryItem, ...])]
Told = Annotated[Sequence[HistoryItem], _AsTuple()]
"""A history in a public model."""
