"""What a replay tells: the counts, and lists that are read item by item, so that none of them is ever in memory whole.

Knows: the order of the document's lists, where each cluster's items are.
Must not know: how clusters are found, files of events, how a document is shown.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec

from models.public import Picture, Summary, join
from streams.replay.spool import Spool
from streams.replay.tally import exhume

CLUSTER_LISTS: Final = ("clusters", "instance_groups", "instances", "anomalies")
LISTS: Final = (*CLUSTER_LISTS, "dead_letters")
INDENT: Final = 2


class Part(msgspec.Struct, array_like=True):
    """Where the items of one cluster are in a spool: the edges of its lists, one after the other."""

    arn: str
    edges: list[int]


class _Judged(msgspec.Struct):
    """What the order of anomalies goes by."""

    status: str
    opened_at: str
    anomaly_id: str


_JUDGED = msgspec.json.Decoder(_Judged).decode


def write(pictures: Iterable[tuple[str, Picture]], spool: Spool, wrote: Callable[[], None]) -> list[Part]:
    """Put the items of each cluster into the spool; `wrote` is called after each."""
    parts = []
    for arn, picture in pictures:
        shown, edges = join([picture]), [spool.end]
        for name in CLUSTER_LISTS:
            for item in getattr(shown, name):
                spool.append(_json(item))
            edges.append(spool.end)
        parts.append(Part(arn, edges))
        wrote()
    return parts


class Told:
    """The whole answer; `written` are spools and what was written into each."""

    def __init__(self, summary: Summary, written: Iterable[tuple[Spool, list[Part]]], letters: Sequence[Spool]) -> None:
        self.summary = summary
        self._written = sorted(((part.arn, part, spool) for spool, parts in written for part in parts), key=_by_arn)
        self._letters = letters

    def items(self, name: str) -> Iterator[bytes]:
        """One of `LISTS`: each item as JSON, indented, in the contract's order."""
        if name == "dead_letters":
            return map(_json, exhume(self._letters))
        lists = self._of_clusters(CLUSTER_LISTS.index(name))
        if name == "anomalies":  # the one list that is not by cluster
            return heapq.merge(*lists, key=_place)
        return (item for each in lists for item in each)

    def _of_clusters(self, number: int) -> Iterator[Iterator[bytes]]:
        for _, part, spool in self._written:
            yield spool.read(part.edges[number], part.edges[number + 1])


def _by_arn(written: tuple[str, Part, Spool]) -> str:
    return written[0]


def _json(item: Any) -> bytes:
    found: bytes = item.__pydantic_serializer__.to_json(item, indent=INDENT)
    return found


def _place(anomaly: bytes) -> tuple[bool, str, str]:
    judged = _JUDGED(anomaly)
    return judged.status == "retracted", judged.opened_at, judged.anomaly_id
