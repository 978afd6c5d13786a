"""Files to raw values: every file form of the contract, one value after the other.

Knows: `.json`, `.jsonl`/`.ndjson`, gzip, pretty-printed and concatenated JSON, a byte order mark, standard input.
Must not know: wire forms and what a value means; broken values are handed on whole, for `models.unwrap` to refuse.

Memory: a line of a `.jsonl`, elsewhere one value, is held at a time.  A top-level array is handed on element by
element, so that its length does not matter; an object is one value, however large it is.
"""

from __future__ import annotations

import gzip
import io
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePath
from typing import IO, Final

from streams.documents import documents

STDIN: Final = "-"
_LINE_FORMS: Final = (".jsonl", ".ndjson")
_GZIP_MAGIC: Final = b"\x1f\x8b"
_BOM: Final = b"\xef\xbb\xbf"
_LONG_LINE: Final = 1_048_576
"""Bytes: a longer line is larger than any value may be, so if it is an array it is taken apart."""

Progress = Callable[[int], None]


class FilesError(Exception):
    """A file that cannot be read; the message names it and the way out."""


def values(
    paths: Iterable[str | os.PathLike[str]], *, stdin: IO[bytes], progress: Progress | None = None
) -> Iterator[tuple[str, bytes]]:
    """Each raw value with its origin, `name:line`, in the order of the paths and of their lines.

    `-` is `stdin`.  `progress` is told the number of bytes each time some were read (compressed ones, of a compressed
    file).  Blank lines give nothing.  Raises FilesError as soon as a file proves unreadable.
    """
    for path in paths:
        name = os.fspath(path)
        try:
            yield from _file_values(name, stdin, progress)
        except (OSError, EOFError, zlib.error) as error:
            raise FilesError(_explain(name, error)) from error


def _file_values(name: str, stdin: IO[bytes], progress: Progress | None) -> Iterator[tuple[str, bytes]]:
    if name == STDIN:
        yield from _stream_values("stdin", _unpacked(stdin, progress), lines=False)
        return
    with open(name, "rb", buffering=0) as file:
        yield from _stream_values(name, _unpacked(file, progress), lines=_is_by_line(name))


def _stream_values(name: str, stream: io.BufferedIOBase, *, lines: bool) -> Iterator[tuple[str, bytes]]:
    found = _by_line(stream) if lines else documents(stream)
    # A file name need not be text, but origins are written as JSON.
    name = os.fsencode(name).decode(errors="replace")
    for line, value in found:
        yield f"{name}:{line}", value


def _is_by_line(name: str) -> bool:
    plain = PurePath(name.lower().removesuffix(".gz"))
    return plain.suffix in _LINE_FORMS


def _by_line(stream: io.BufferedIOBase) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(stream, 1):
        value = (line.removeprefix(_BOM) if number == 1 else line).rstrip(b"\r\n")
        if len(value) > _LONG_LINE and value.lstrip().startswith(b"["):
            yield from ((number, element) for _, element in documents(io.BytesIO(value)))
        elif value.strip():
            yield number, value


def _unpacked(raw: IO[bytes], progress: Progress | None) -> io.BufferedIOBase:
    """The stream's own bytes: gzip is recognised by its first bytes, whatever the file is called."""
    buffered = io.BufferedReader(_Counted(raw, progress), buffer_size=1 << 18)
    if buffered.peek(2).startswith(_GZIP_MAGIC):
        return io.BufferedReader(gzip.GzipFile(fileobj=buffered))
    return buffered


class _Counted(io.RawIOBase):
    """A raw stream that says how far it is."""

    def __init__(self, raw: IO[bytes], progress: Progress | None) -> None:
        super().__init__()
        self._raw = raw
        self._progress = progress

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self._raw.read(len(buffer))
        buffer[: len(data)] = data
        if self._progress and data:
            self._progress(len(data))
        return len(data)


def _explain(name: str, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{name}: no such file. Check the path, or give - to read standard input."
    if isinstance(error, IsADirectoryError):
        return f"{name} is a folder. Name the files in it, for example {name.rstrip('/')}/*.jsonl."
    if isinstance(error, PermissionError):
        return f"{name}: no permission to read it. Change its mode, or run as a user who may."
    if isinstance(error, EOFError | zlib.error | gzip.BadGzipFile):
        return f"{name}: the gzip data is cut off or damaged ({error}). Fetch it again, or unpack what is left of it."
    return f"{name}: cannot be read ({error}). Copy it to a local disk and try again."
