"""What snapshots said, as rows keep it: only where it changed.

Knows: statuses in the order in which they were said.  Must not know: phases, machines, which status is right.

Every function here takes what was said before and what is said next, in judged order, and gives what is known then.
"""

from __future__ import annotations

import msgspec

PAGES_MS = 30_000
"""Within this the pages of one answer come."""
WORDS = 20
"""How many words of an instance are kept."""


class Told(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One snapshot."""

    time: int
    event_id: str


class Word(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What consecutive node lists said of an instance."""

    status: str | None
    """AWS's word, "" where the list had none; None: the instance was no longer listed."""
    first: Told
    again: Told | None = None
    """The next list that said the same."""
    last: int = 0
    """When it was listed last, as far as lists said so, by what changed: in the list before that; of one that is not
    listed, the first time."""


Words = tuple[Word, ...]


class Contradiction(msgspec.Struct, omit_defaults=True, gc=False):
    """A snapshot of a group or cluster that a machine contradicts, until one of them gives way."""

    machine: str
    said: str
    ours: str
    first: Told
    changed: int
    """When `said` and `ours` became what they are."""
    again: Told | None = None
    """The next snapshot that was contradicted too."""
    ended: int | None = None


def listed(words: Words, status: str, at: Told, since: int | None = None) -> Words:
    """A node list has the instance; `since`: of all that the list of that time had it only has what changed."""
    if words and _is_other_page(words[-1], at):
        words = words[:-1]
    last = words[-1] if words else None
    # What changed is no page: a whole list that comes soon after and does not have the instance has it no more.
    until = at.time if since is None else min(since, at.time)
    if last is None or last.status != status:
        return (*_until(words, since), Word(status, at, None, until))[-WORDS:]
    again = last.again or (at if at.time - last.first.time > PAGES_MS else None)
    return (*words[:-1], Word(status, last.first, again, max(until, last.last)))


def unlisted(words: Words, at: Told) -> Words:
    """The last page of a node list does not have the instance, and no page before it had."""
    last = words[-1] if words else None
    if last is None or (last.status is None and last.again is not None) or at.time - last.last <= PAGES_MS:
        return words
    if last.status is None:
        return (*words[:-1], Word(None, last.first, at, last.last))
    return (*words, Word(None, at, None, at.time))[-WORDS:]


def gone(words: Words, at: Told, since: int | None) -> Words:
    """A node list says that it has the instance no more."""
    if not words or words[-1].status is None:
        return words
    return (*_until(words, since), Word(None, at, None, at.time))[-WORDS:]


def _until(words: Words, since: int | None) -> Words:
    """The last word was still said by the list of that time, which did not repeat it."""
    last = words[-1] if words else None
    if last is None or last.status is None or since is None or since <= last.last:
        return words
    return (*words[:-1], Word(last.status, last.first, last.again, since))


def _is_other_page(word: Word, at: Told) -> bool:
    """Whether what looked like an absence is answered by another page of the same list."""
    return word.status is None and word.again is None and at.time - word.first.time <= PAGES_MS
