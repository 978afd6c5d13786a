"""Records in the order written: in memory while they are small together, else in a file that has no name.

Knows: temporary files.
Must not know: what the records are.

A file without a name is gone with the last process that holds it, however that ends.  `TMPDIR` says where it is.
"""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final

IN_MEMORY: Final = 16 << 20
_LENGTH: Final = 8


class Spool:
    """Grows at the end; any stretch of it can be read, also between two records that are added."""

    def __init__(self, file: IO[bytes] | None = None) -> None:
        """`file`: one that another process fills or reads too; it may already be filled."""
        made = file or tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed with the spool
        self._file: IO[bytes] = made
        self._writing = False
        self.end = 0
        weakref.finalize(self, made.close)

    def append(self, record: bytes) -> None:
        """One more record."""
        with _named():
            if not self._writing:
                self._file.seek(self.end)
                self._writing = True
            self._file.write(len(record).to_bytes(_LENGTH, "big"))
            self._file.write(record)
        self.end += _LENGTH + len(record)

    def flush(self) -> None:
        """Let other processes see all of it."""
        with _named():
            self._file.flush()

    def read(self, begin: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The records from one `end` up to another one."""
        stop = self.end if end is None else end
        while begin < stop:
            with _named():
                self._writing = False
                self._file.seek(begin)
            size = int.from_bytes(self._file.read(_LENGTH), "big")
            record = self._file.read(size)
            begin += _LENGTH + size
            yield record


@contextmanager
def _named() -> Iterator[None]:
    """A file without a name fails by the name of its folder."""
    try:
        yield
    except OSError as error:
        folder = f"{tempfile.gettempdir()} (TMPDIR names another place)"
        raise OSError(error.errno, error.strerror, folder) from error
