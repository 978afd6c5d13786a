"""One backfill: find events, keep them, deliver them cluster by cluster, and say what was done.

Knows: the order of things, and why a kill at any point loses nothing.
Must not know: terminals, what AWS's answers look like.

An event is in the spool before it is anywhere else, and leaves it when all of its cluster is delivered.  A run that was
killed is begun again: it asks AWS for nothing that the spool has, and delivers again what was under way, which whoever
reads it knows by its EventId.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from streams.aws import Api
from streams.backfill import control_plane, exports
from streams.backfill.control_plane import NoEvents, Window
from streams.backfill.exports import Source
from streams.backfill.items import Item, Tally, items
from streams.backfill.spool import Spool

if TYPE_CHECKING:
    from streams.backfill.delivery import Delivery


_NONE_EXPORTED = "the exports have no event of it, or none of that time"


class Told(Protocol):
    """Who is told how far it is: done, and of how many if that is known."""

    def __call__(self, done: int, total: int | None) -> None: ...


@dataclass
class Filled:
    """What was done for one cluster."""

    cluster: str
    """Its ARN, where it has any event; else as it was named."""
    listed: int = 0
    resumed: int = 0
    """Events that an earlier run had found."""
    delivered: int = 0
    oldest: int | None = None
    newest: int | None = None
    left_out: str | None = None
    """Why nothing could be asked."""
    older_are_gone: bool = False


class Asking:
    """Brings what the control plane knows into the spool."""

    def __init__(self, api: Api, spool: Spool, window: Window, tally: Tally, told: Told) -> None:
        self._api, self._spool, self._window, self._tally, self._told = api, spool, window, tally, told
        self._asked, self._events, self._of = 0, 0, 0

    def clusters(self, named: Sequence[str]) -> Iterator[Filled]:
        """One after the other; all of the account and region where none is named."""
        wanted = list(dict.fromkeys(named)) or control_plane.clusters(self._api)
        for number, cluster in enumerate(wanted):
            yield self._cluster(cluster, number, len(wanted))

    def _cluster(self, name: str, number: int, of: int) -> Filled:
        try:
            events = control_plane.listed(self._api, name, self._window)
        except NoEvents as error:
            return Filled(name, left_out=str(error))
        self._events += len(events)
        self._of = round(self._events / (number + 1) * of)  # the others are taken to have as many
        filled = Filled(name, listed=len(events), older_are_gone=control_plane.may_lack(events))
        for event in events:
            self._take(event)
        if events:
            filled.cluster = str(events[0]["ClusterArn"])
            filled.resumed = self._spool.kept(filled.cluster)
        return filled

    def _take(self, event: dict[str, object]) -> None:
        if not self._spool.has_described(str(event["ClusterArn"]), str(event["EventId"])):
            answer = control_plane.described(self._api, event)
            for item in items(json.dumps(answer).encode(), self._tally):
                if self._window.has(item.order[0]):
                    self._spool.add(item)
                else:
                    self._tally.outside += 1
        self._asked += 1
        self._told(self._asked, self._of)


def unpack(
    sources: Iterable[Source], spool: Spool, names: Sequence[str], window: Window, tally: Tally, told: Told
) -> list[Filled]:
    """Bring exported events into the spool; of the clusters named, by name or ARN, or of all."""
    found, wanted = list(sources), set(names)
    done, total, arns = 0, sum(source.size for source in found), set[str]()
    seen = set[str | None]()
    for source in found:
        for value in exports.values(source):
            for item in items(value, tally):
                if _is_wanted(item, wanted) and window.has(item.order[0]):
                    seen |= {item.cluster_arn, item.cluster_name}
                    spool.add(item)
                    arns.add(item.cluster_arn)
                else:
                    tally.outside += 1
        told(done := done + source.size, total)
    filled = [Filled(arn, listed=spool.count(arn), resumed=spool.kept(arn)) for arn in sorted(arns)]
    return filled + [Filled(name, left_out=_NONE_EXPORTED) for name in dict.fromkeys(names) if name not in seen]


def _is_wanted(item: Item, wanted: set[str]) -> bool:
    return not wanted or item.cluster_arn in wanted or item.cluster_name in wanted


def to_topic(filled: Filled, spool: Spool, delivery: Delivery) -> None:
    """What the spool has of a cluster, and then it has it no longer.  Raises NoKafka."""
    if _has_any(filled, spool):
        filled.delivered = delivery.send(filled.cluster, spool.in_order(filled.cluster))
        spool.forget(filled.cluster)


def to_folder(filled: Filled, spool: Spool) -> None:
    """The spool itself is the folder: its file only has to be in order."""
    if _has_any(filled, spool):
        filled.delivered = spool.count(filled.cluster)
        spool.tidy(filled.cluster)


def _has_any(filled: Filled, spool: Spool) -> bool:
    if filled.left_out is not None or not spool.count(filled.cluster):
        return False
    filled.oldest, filled.newest = spool.span(filled.cluster) or (None, None)
    return True
