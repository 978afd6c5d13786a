"""Exported events: files of EventBridge archives, Firehose or CloudWatch Logs, here or in S3.

Knows: folders and S3 prefixes, gzip, what CloudWatch Logs puts around lines: a time before each, or a batch of them.
Must not know: what a value means, where it goes.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

from streams.aws import Api, AwsError, refusals
from streams.documents import documents
from streams.settings import PlainError

STAMP = re.compile(rb"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z ")
GZIP = b"\x1f\x8b"
CHUNK = 1 << 16
IN_MEMORY = 8 << 20
"""Bytes of an object that are held before it goes to a file without a name."""
PERMISSIONS = ("s3:ListBucket", "s3:GetObject")


class ExportError(PlainError):
    """A file or an object that cannot be read; the message names it and the way out."""


@dataclass(frozen=True)
class Source:
    """One file or object, and its bytes as they are stored."""

    name: str
    size: int
    open: Callable[[], AbstractContextManager[IO[bytes]]]


def local(path: Path) -> list[Source]:
    """A file, or every file in a folder and below, by name.  Raises ExportError."""
    if not path.exists():
        raise ExportError(f"{path}: no such file or folder")
    found = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
    return [Source(str(each), each.stat().st_size, partial(_stored, each)) for each in found]


def _stored(path: Path) -> IO[bytes]:
    return path.open("rb")


def in_s3(api: Api, address: str) -> list[Source]:
    """Every object under `s3://bucket/prefix`, by key.  Raises ExportError, AwsError."""
    named = re.fullmatch(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?", address)
    if named is None:
        raise ExportError(f"{address!r} is no address in S3: give s3://BUCKET/PREFIX")
    bucket, prefix = named[1], named[2] or ""
    pages = api.pages("list_objects_v2", Bucket=bucket, Prefix=prefix)
    found = [each for page in pages for each in page.get("Contents", ()) if each["Size"]]
    return [_object(api, bucket, each) for each in sorted(found, key=lambda each: str(each["Key"]))]


def _object(api: Api, bucket: str, found: dict[str, Any]) -> Source:
    key = found["Key"]
    return Source(f"s3://{bucket}/{key}", found["Size"], partial(_fetched, api, bucket, key))


def _fetched(api: Api, bucket: str, key: str) -> IO[bytes]:
    """The whole object, so that a slow reader does not hold the connection."""
    body = api.call("get_object", Bucket=bucket, Key=key)["Body"]
    kept = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - whoever asked for it closes it
    with refusals("GetObject", "s3:GetObject", api.client.meta.region_name):
        for chunk in iter(lambda: body.read(CHUNK), b""):
            kept.write(chunk)
    kept.seek(0)
    return kept


def values(source: Source) -> Iterator[bytes]:
    """Each raw value of a file, in its order.  Raises ExportError, AwsError."""
    try:
        with source.open() as stored:
            for _, value in documents(_Lines(_unpacked(stored))):
                yield from _messages(value) if b'"logEvents"' in value else (value,)
    except AwsError:
        raise
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ExportError(f"{source.name}: the gzip data is cut off or damaged ({error}). Fetch it again.") from error
    except OSError as error:
        raise ExportError(f"{source.name}: cannot be read ({error.strerror or error})") from error


def _messages(value: bytes) -> Iterator[bytes]:
    """What a subscription of CloudWatch Logs has batched, or any other value itself; none of what it says of itself."""
    try:
        batch = json.loads(value)
    except (ValueError, RecursionError):
        batch = None
    kind = batch.get("messageType") if isinstance(batch, dict) else None
    if kind == "DATA_MESSAGE" and isinstance(lines := batch.get("logEvents"), list):
        yield from (_text_of(line).encode("utf-8", "surrogatepass") for line in lines)
    elif kind != "CONTROL_MESSAGE":
        yield value


def _text_of(line: Any) -> str:
    text = line.get("message") if isinstance(line, dict) else None
    return text if isinstance(text, str) else json.dumps(line)


def _unpacked(stored: IO[bytes]) -> IO[bytes]:
    """Gzip is recognised by its first bytes, whatever the file is called."""
    begins = stored.read(len(GZIP))
    stored.seek(0)
    return io.BufferedReader(gzip.GzipFile(fileobj=stored, mode="rb")) if begins == GZIP else stored


class _Lines:
    """A stream without the times that CloudWatch Logs writes before messages."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._begins = stream, True

    def read(self, size: int, /) -> bytes:
        """A line, or so many bytes of one: where nobody has written line ends, the file is one line."""
        part = self._stream.readline(size)
        text = STAMP.sub(b"", part) if self._begins else part
        self._begins = part.endswith(b"\n")
        return text if text or not part else self.read(size)
