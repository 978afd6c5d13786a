"""One backfill: find events, keep them, deliver them cluster by cluster, and say what was done.

Knows: the order of things, why a kill or a failure at any point loses nothing, and what a failure leaves of the rest.
Must not know: terminals, what AWS's answers look like.

An event is in the spool before it is anywhere else, and leaves it when all clusters of the run are done.  A run that
was killed, or that failed for some of them, is begun again: it asks AWS for no event that the spool has, delivers none
of a cluster that was delivered, and delivers again what was under way, which whoever reads it knows by its EventId.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from streams.aws import Api, AwsError
from streams.backfill import control_plane, exports
from streams.backfill.control_plane import NoEvents, Window
from streams.backfill.exports import Source
from streams.backfill.items import Item, Tally, items
from streams.backfill.spool import Spool
from streams.settings import PlainError

if TYPE_CHECKING:
    from streams.backfill.delivery import Delivery


_NONE_EXPORTED = "the exports have no event of it, or none of that time"


class Told(Protocol):
    """Who is told how far it is: done, and of how many if that is known."""

    def __call__(self, done: int, total: int | None) -> None: ...


class Status(StrEnum):
    """How far a cluster is."""

    not_begun = "not_begun"
    done = "done"
    left_out = "left_out"
    """It has no events to ask for, now or later."""
    failed = "failed"


@dataclass
class Filled:
    """What was done for one cluster."""

    cluster: str
    """Its ARN, where it has any event; else as it was named."""
    status: Status = Status.not_begun
    listed: int = 0
    resumed: int = 0
    """Events that an earlier run had found."""
    delivered: int = 0
    delivered_before: int = 0
    """By an earlier run, and not again."""
    oldest: int | None = None
    newest: int | None = None
    left_out: str | None = None
    """Why nothing could be asked."""
    failed: str | None = None
    """Why it is not done."""
    older_are_gone: bool = False


Step = Callable[[Filled], None]


def fill(clusters: Iterable[Filled], find: Step, deliver: Step) -> None:
    """One after the other.  What fails is said there; what would fail for every other one as well ends it."""
    for each in clusters:
        try:
            find(each)
            if each.left_out is None:
                deliver(each)
        except PlainError as error:
            each.status, each.failed = Status.failed, str(error)
            if not (isinstance(error, AwsError) and error.is_about_the_question):
                return
        else:
            each.status = Status.done if each.left_out is None else Status.left_out


def is_done(each: Filled) -> bool:
    """Whether the same command again has nothing more to do for it."""
    return each.status in (Status.done, Status.left_out)


class Asking:
    """Brings what the control plane knows into the spool."""

    def __init__(self, api: Api, spool: Spool, window: Window, tally: Tally, told: Told) -> None:
        self._api, self._spool, self._window, self._tally, self._told = api, spool, window, tally, told
        self._asked = self._events = self._begun = self._clusters = self._of = 0

    def clusters(self, named: Sequence[str]) -> list[Filled]:
        """Those to be asked for; all of the account and region where none is named.  Raises AwsError."""
        wanted = list(dict.fromkeys(named)) or control_plane.clusters(self._api)
        self._clusters = len(wanted)
        return [Filled(name) for name in wanted]

    def find(self, filled: Filled) -> None:
        """All that AWS knows of one.  Raises AwsError, SpoolError."""
        try:
            events = control_plane.listed(self._api, filled.cluster, self._window)
        except NoEvents as error:
            filled.left_out = str(error)
            return
        self._begun, self._events = self._begun + 1, self._events + len(events)
        self._of = round(self._events / self._begun * self._clusters)  # the others are taken to have as many
        filled.listed, filled.older_are_gone = len(events), control_plane.may_lack(events)
        if events:
            filled.cluster = str(events[0]["ClusterArn"])
            filled.resumed = self._spool.kept(filled.cluster)
        for event in events:
            self._take(event)

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


def nothing_to_find(filled: Filled) -> None:
    """Of exports: what there is of a cluster is known once all of them are read."""
    del filled


def _is_wanted(item: Item, wanted: set[str]) -> bool:
    return not wanted or item.cluster_arn in wanted or item.cluster_name in wanted


def to_topic(filled: Filled, spool: Spool, delivery: Delivery, topic: str) -> None:
    """What the spool has of a cluster, but for what that very topic was given before.  Raises NoKafka, SpoolError."""
    if _has_any(filled, spool):
        filled.delivered_before = spool.delivered(filled.cluster, topic)
        filled.delivered = delivery.send(filled.cluster, spool.undelivered(filled.cluster, topic))
        spool.note_delivered(filled.cluster, topic)


def tidy_up(filled: Iterable[Filled], spool: Spool) -> None:
    """All is where it was to go: nobody goes on from here.  Raises SpoolError."""
    for cluster in dict.fromkeys(each.cluster for each in filled if each.status is Status.done):
        spool.forget(cluster)


def to_folder(filled: Filled, spool: Spool) -> None:
    """The spool itself is the folder: its file only has to be in order.  Raises SpoolError."""
    if _has_any(filled, spool):
        filled.delivered = spool.count(filled.cluster)
        spool.tidy(filled.cluster)


def _has_any(filled: Filled, spool: Spool) -> bool:
    if not spool.count(filled.cluster):
        return False
    filled.oldest, filled.newest = spool.span(filled.cluster) or (None, None)
    return True
