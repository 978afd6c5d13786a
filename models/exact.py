"""The wire models once more, for values that are exactly of AWS's types: nearly all are, at a tenth of the cost.

Knows: how a field of `models.events` is annotated.  Must not know: which records there are.

A value that an exact model takes has the same attributes as `models.events` gives it.  What it does not take is no
error yet: the model of `models.events` decides, which also knows what may be written in other ways.
"""

from __future__ import annotations

import types
from functools import cache, reduce
from operator import or_
from typing import Annotated, Any, Final, TypeVar, Union, cast, get_args, get_origin

import msgspec

from models.events import KEPT_UNREAD, ClusterEvent, Wire

W = TypeVar("W", bound=Wire)
# Larger numbers are read in different ways by different readers.
_WHOLE: Final = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]
# Nothing in which other values could hide.
_SCALAR: Final = _WHOLE | float | str | None
_AWS_NAMES: Final[dict[type[Wire], str]] = {ClusterEvent: "ClusterEventDetail"}


def read_as(model: type[W], value: dict[str, Any]) -> W:
    """The model of a record that is parsed already.  Raises pydantic's ValidationError."""
    try:
        return cast(W, msgspec.convert(value, exact(model)))
    except msgspec.ValidationError:
        return model.model_validate(value)


@cache
def exact(model: type[Wire], *, closed: bool = False) -> type[msgspec.Struct]:
    """The exact model; a closed one takes no members that `models.events` does not name, so that all is looked at."""
    fields = [
        (name, _exact(field.annotation, closed), msgspec.field(default=None, name=field.alias))
        for name, field in model.model_fields.items()
    ]
    if closed:
        unread = sorted(KEPT_UNREAD.get(_AWS_NAMES.get(model, model.__name__), ()))
        fields += [(f"unread_{name}", _SCALAR, msgspec.field(default=None, name=name)) for name in unread]
    # What comes out of JSON has no cycles, so the collector need not look for any.
    return msgspec.defstruct(model.__name__, fields, forbid_unknown_fields=closed, gc=False)


def _exact(annotation: Any, closed: bool) -> Any:
    """The same type without what is lenient about it."""
    if annotation is Any:
        return _SCALAR
    if annotation is int:
        return _WHOLE
    if isinstance(annotation, type) and issubclass(annotation, Wire):
        return exact(annotation, closed=closed)
    inner = get_args(annotation)
    if get_origin(annotation) is Annotated:
        return _exact(inner[0], closed)
    if get_origin(annotation) in (Union, types.UnionType):
        return reduce(or_, (_exact(each, closed) for each in inner))
    return get_origin(annotation)[tuple(_exact(each, closed) for each in inner)] if inner else annotation
