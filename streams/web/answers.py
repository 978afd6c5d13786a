"""The envelopes of HTTP answers: pages with a continue token, and errors that say the way out.

Knows: JSON shapes, tokens, status codes.
Must not know: who keeps the state, which routes exist.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import gzip
import json
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import msgspec
import orjson
from fastapi import Request, Response
from pydantic import Field, SerializeAsAny

from models.public import PublicModel, Time

RETRY_AFTER = 5
"""Seconds after which a client that got 503 may ask again."""

PACKED = 16_384
"""Bytes from which on an answer is worth compressing."""
SortKey = tuple[str, ...]
Item = TypeVar("Item", bound=PublicModel)


class Problem(PublicModel):
    """What went wrong, and what to do."""

    code: str
    message: str
    hint: str


class GoneProblem(Problem):
    """A moment that nothing is kept of any more."""

    oldest_at: Time | None = Field(description="The first moment that can be told of all that was asked for.")


class ErrorAnswer(PublicModel):
    """The body of every answer that is not 200."""

    error: SerializeAsAny[GoneProblem | Problem]


class ApiError(Exception):
    """Raised by routes, turned into an `ErrorAnswer`."""

    def __init__(self, status: int, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.status = status
        self.problem = Problem(code=code, message=message, hint=hint)


class GoneError(ApiError):
    """410: the moment that is asked for is too old."""

    def __init__(self, message: str, hint: str, oldest_at: Time | None) -> None:
        super().__init__(410, "gone", message, hint)
        self.problem = GoneProblem(code="gone", message=message, hint=hint, oldest_at=oldest_at)


class StalePartition(PublicModel):
    """A partition that nobody answers for at the moment, and of when its part of the answer is."""

    partition: int
    as_of: Time | None


class Fresh(PublicModel):
    """How fresh and how whole an answer is."""

    as_of: Time | None = Field(description="The moment that it is of; of its parts the least.")
    lag: int = Field(description="Records that wait to be read.")
    partial: bool = Field(default=False, description="Only with `stale=ok`: some of it is old, or missing.")
    missing: tuple[int, ...] = Field(default=(), description="Partitions of which it has nothing.")
    stale: tuple[StalePartition, ...] = Field(default=(), description="Partitions of which it has what was last known.")


class Page(Fresh, Generic[Item]):
    """One page of a list: `continue` is the token of the next page, null on the last."""

    items: tuple[Item, ...]
    continue_: str | None = Field(default=None, validation_alias="continue", serialization_alias="continue")


class One(Fresh, Generic[Item]):
    """One item, with how fresh it is."""

    item: Item


def page(items: Sequence[msgspec.Raw], fresh: Fresh, token: str | None = None) -> Response:
    """A `Page` of items that are JSON already."""
    return _respond({"items": items, **fresh.model_dump(mode="json"), "continue": token})


def one(item: msgspec.Raw, fresh: Fresh) -> Response:
    """A `One` of an item that is JSON already."""
    return _respond({"item": item, **fresh.model_dump(mode="json")})


async def packed(answer: Response, request: Request) -> Response:
    """The same, compressed where it is large and its client can read that: thousands of tiles say much the same."""
    body = bytes(answer.body)
    if answer.status_code != 200 or len(body) < PACKED or "gzip" not in request.headers.get("accept-encoding", ""):
        return answer
    content = await asyncio.to_thread(gzip.compress, body, 1, mtime=0)
    headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return Response(content, headers=headers, media_type=answer.media_type)


def raw(item: PublicModel) -> msgspec.Raw:
    """An item as JSON."""
    return msgspec.Raw(item.model_dump_json().encode())


def array(items: list[msgspec.Raw]) -> msgspec.Raw:
    """Items that are JSON already as one."""
    return msgspec.Raw(msgspec.json.encode(items))


def _respond(body: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(body), media_type="application/json")


def token_of(key: SortKey) -> str:
    """An opaque token for "after the item with this sort key"."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def key_of(token: str, width: int) -> SortKey:
    """The sort key in a token.  ApiError 400 where it is not one of `width` parts."""
    try:
        # orjson, because a token may be anything, and Python's own reader breaks on one that nests too deep
        key = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, binascii.Error):
        key = None
    if not (isinstance(key, list) and len(key) == width and all(isinstance(part, str) for part in key)):
        raise ApiError(400, "bad_continue", "the continue token is not one of this list", "start again without it")
    return tuple(key)


def cut(
    items: Sequence[Item], sort_key: Callable[[Item], SortKey], width: int, limit: int, after: str | None
) -> tuple[tuple[Item, ...], str | None]:
    """One page of a sorted list, and the token of the next.

    The token names the last item sent, so items that come or go between two pages shift nothing.
    """
    if after is not None:
        last = key_of(after, width)
        items = [item for item in items if sort_key(item) > last]
    page = tuple(items[:limit])
    return page, token_of(sort_key(page[-1])) if page and len(items) > limit else None
