"""A stream of JSON that is not one value per line, taken apart value by value.

Knows: where a JSON value ends, and where to go on after a broken one.
Must not know: files, gzip, wire forms.

After a broken value reading resumes at the next line that starts with `{` or `[`.  In JSON written without
indentation the broken value's own inner lines start so too; there the search begins where the grammar broke.
What was skipped is handed on as one broken value, whole; so is the `[` of an array that has no proper end.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Final, Protocol

_CHUNK: Final = 1 << 16
# A byte order mark may stand before any document of a concatenation.
_WHITE: Final = re.compile("[ \t\r\n\ufeff]*")
_NEXT_START: Final = re.compile(r"\n(?=[{\[])")
_LONE_OPENING: Final = re.compile(r"[{\[][ \t\r]*\n(?=[^ \t\r\n])")
# A literal, number or escape cut off by the end of what was read so far: longer ones there are not.
_CUT_OFF: Final = 16


class Readable(Protocol):
    """A binary stream."""

    def read(self, size: int, /) -> bytes: ...


def documents(stream: Readable) -> Iterator[tuple[int, bytes]]:
    """Each value with the line that it starts in, as bytes just as they stood; arrays element by element."""
    return _Reader(stream).values()


class _Broken(Exception):
    """No value here; `at` is where the grammar broke."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


class _Array:
    """The top-level array that is being taken apart."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.begun = False
        self.expects_value = True
        self.damaged = False
        """A broken element may have hidden the array's end, so that a missing one is no news."""

    def takes(self, character: str) -> bool:
        """Whether the array goes on (or ends) with this character."""
        if character == ",":
            return not self.expects_value
        if character == "]":
            return not self.expects_value or not self.begun or self.damaged
        # After damage an opening bracket is a new array rather than an element.
        return self.expects_value and not (self.damaged and character == "[")


class _Reader:
    """A window over the stream: what of `_text` stands before `_at` is handed on."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        # Bytes that are no UTF-8 pass through as surrogates, and come out as they went in.
        self._decode = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode
        # Numbers are skipped, not read: Python refuses to read an integer of 5,000 digits.
        self._scan = json.JSONDecoder(parse_int=len, parse_float=len).raw_decode
        self._text = ""
        self._at = 0
        self._line = 1
        self._ended = False
        self._array: _Array | None = None

    def values(self) -> Iterator[tuple[int, bytes]]:
        """See `documents`."""
        while self._skip_white():
            character = self._text[self._at]
            if self._array and not self._array.takes(character):
                yield from self._abandoned()
            elif self._array and character in ",]":
                self._punctuate(self._array, character)
            elif not self._array and character == "[":
                self._array = _Array(self._line)
                self._advance(self._at + 1)
            else:
                yield self._value()
        yield from self._abandoned()

    def _abandoned(self) -> Iterator[tuple[int, bytes]]:
        """The open array proves to have no proper end: its elements were handed on, its bracket is the broken value."""
        if self._array and not self._array.damaged:
            yield self._array.line, b"["
        self._array = None

    def _punctuate(self, array: _Array, character: str) -> None:
        array.expects_value = True
        if character == "]":
            self._array = None
        self._advance(self._at + 1)

    def _value(self) -> tuple[int, bytes]:
        line = self._line
        try:
            end = self._end_of_value()
            broken = False
        except _Broken as error:
            end = self._resumption(error.at)
            broken = True
        value = self._text[self._at : end].rstrip(" \t\r\n")
        self._advance(end)
        if self._array:
            self._array.begun = True
            self._array.expects_value = broken
            self._array.damaged |= broken
        return line, value.encode("utf-8", "surrogateescape")

    def _end_of_value(self) -> int:
        while True:
            try:
                _, end = self._scan(self._text, self._at)
            except json.JSONDecodeError as error:
                cut_off = error.msg.startswith("Unterminated") or error.pos >= len(self._text) - _CUT_OFF
                if self._ended or not cut_off:
                    raise _Broken(error.pos) from None
            except RecursionError:
                raise _Broken(self._at) from None
            else:
                # A number may go on in what was not read yet.
                if end < len(self._text) or self._ended:
                    return end
            self._fill()

    def _resumption(self, broken_at: int) -> int:
        """Where to go on after the broken value at `_at`."""
        unindented = _LONE_OPENING.match(self._text, self._at)
        search_from = max(self._at, broken_at - 1) if unindented else self._at
        while not (found := _NEXT_START.search(self._text, search_from)):
            if self._ended:
                return len(self._text)
            search_from = max(len(self._text) - 1, self._at) - self._at
            self._fill()
        return found.end()

    def _skip_white(self) -> bool:
        """Goes to the next character that is not white; False at the end of the stream."""
        while True:
            white = _WHITE.match(self._text, self._at)
            self._advance(white.end() if white else self._at)
            if self._at < len(self._text) or self._ended:
                return self._at < len(self._text)
            self._fill()

    def _advance(self, end: int) -> None:
        self._line += self._text.count("\n", self._at, end)
        self._at = end

    def _fill(self) -> None:
        """Reads on: as much again as is held, so that a large value is not scanned more often than it doubles."""
        held = self._text[self._at :]
        data = self._stream.read(max(_CHUNK, len(held)))
        self._ended = not data
        self._text = held + self._decode(data, not data)
        self._at = 0
