"""Silences as JSON: one record, or a file of them.

Knows: how a record is spelled, what is said of one that is none.
Must not know: Kafka, how anomalies are found.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from models.public_silence import Silence


class NotASilence(ValueError):
    """The bytes are no silence; the message says what is wrong with which field, and quotes no value."""


def parse(data: bytes) -> Silence:
    """One record.  Raises NotASilence."""
    try:
        return Silence.model_validate_json(data)
    except ValidationError as error:
        words = [f"{'.'.join(map(str, wrong['loc'])) or 'record'}: {wrong['msg']}" for wrong in error.errors()]
        raise NotASilence("; ".join(words)) from None


def dump(silence: Silence) -> bytes:
    """One record as the topic has it."""
    return silence.model_dump_json().encode()


def read_file(path: Path) -> list[Silence]:
    """One record a line, by id; the last of an id holds.  Raises NotASilence and OSError."""
    found: dict[str, Silence] = {}
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if line.strip():
            try:
                silence = parse(line)
            except NotASilence as error:
                raise NotASilence(f"{path}:{number}: {error}") from None
            found[silence.silence_id] = silence
    return [found[name] for name in sorted(found)]
