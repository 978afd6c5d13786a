"""Feeds: whether an account and region still sends anything, told by its heartbeats.

Knows: heartbeats, their order, the bound, which feed a cluster belongs to.
Must not know: clusters' rows, now, what follows from a gap, Kafka.

A feed keeps the heartbeats that a late one may still join, and of what lies behind them only the gaps.  So it is a
function of the *set* of its heartbeats, whatever order they came in, and it does not grow with them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import msgspec

from models.fold import Limits
from models.observation import Observation

FEED_VERSION = 1
"""Grows with every change that makes old rows mean something else."""

KEEP_MS = 30 * 86_400_000
"""How long a gap is remembered: as long as an ended anomaly stays."""
SPARE_MS = 10 * 86_400_000
"""How much longer it is kept, so that the past can be told as it was."""
GAPS = 1000
LATE = 50
CODE = "Heartbeat"


class FeedName(NamedTuple):
    """Whose heartbeats they are."""

    account: str
    region: str


class Beat(msgspec.Struct, frozen=True, array_like=True, order=True):
    """One heartbeat."""

    time: int
    event_id: str


class Gap(msgspec.Struct, frozen=True, array_like=True, order=True):
    """A stretch without heartbeats: the last one before it, and when the next one came."""

    last: Beat
    until: int | None


class Feed(msgspec.Struct, omit_defaults=True):
    """One account's and region's heartbeats."""

    retained: list[Beat] = []
    horizon: Beat | None = None
    """The newest heartbeat that is no longer retained."""
    gaps: list[Gap] = []
    """What was between those that are no longer retained."""
    late: list[Beat] = []
    """The newest of those that came after the bound, so that their copies are known."""
    version: int = FEED_VERSION


def feed_of_beat(obs: Observation) -> FeedName:
    """The feed that a heartbeat is of."""
    return FeedName(obs.details["account"], obs.details["region"])


def feed_of_cluster(arn: str) -> FeedName | None:
    """The feed that a cluster's events come by; None where its ARN is none."""
    parts = arn.split(":", 5)
    return FeedName(parts[4], parts[3]) if len(parts) == 6 and parts[3] and parts[4] else None


def hear(feed: Feed, beat: Beat, limits: Limits, least_ms: int) -> tuple[bool, bool]:
    """Take one heartbeat; says whether it is a copy, and whether it came after the bound.

    Gaps of up to `least_ms` are forgotten once nothing can change them any more.
    """
    place = bisect_left(feed.retained, beat)
    if feed.retained[place : place + 1] == [beat]:
        return True, False
    if _is_late(feed, beat, place, limits):
        copy = beat in feed.late
        feed.late = sorted({*feed.late, beat})[-LATE:]
        return copy, not copy
    feed.retained.insert(place, beat)
    while len(feed.retained) > 1 and _is_over(feed, limits):
        _let_go(feed, feed.retained.pop(0), least_ms)
    edge = feed.retained[-1].time - KEEP_MS - SPARE_MS
    feed.gaps = [gap for gap in feed.gaps if gap.until is not None and gap.until >= edge][-GAPS:]
    return False, False


def gaps(feed: Feed) -> Iterator[Gap]:
    """Every gap that is known, the present one (which has no end) last."""
    known = ([feed.horizon] if feed.horizon else []) + feed.retained
    edge = known[-1].time - KEEP_MS if known else 0
    yield from (gap for gap in feed.gaps if gap.until is not None and gap.until >= edge)
    for last, following in pairwise(known):
        yield Gap(last, following.time)
    if known:
        yield Gap(known[-1], None)


def look_back(feed: Feed, at: int) -> Feed | None:
    """The feed as the heartbeats up to `at` had made it; None where it does not keep enough."""
    newest = feed.retained[-1].time if feed.retained else at
    if newest <= at:
        return msgspec.structs.replace(feed, retained=[*feed.retained])
    late = len(feed.late) == LATE or any(beat.time <= at for beat in feed.late)
    absorbed = feed.horizon is not None and feed.horizon.time > at
    if late or absorbed or (feed.gaps and (newest - at > SPARE_MS or len(feed.gaps) == GAPS)):
        return None
    return msgspec.structs.replace(feed, retained=[beat for beat in feed.retained if beat.time <= at])


def told_from(feed: Feed) -> int | None:
    """The time from which on `look_back` always has an answer; None where it has from the beginning."""
    if not feed.retained or not (feed.horizon or feed.late):
        return None
    newest = feed.retained[-1].time
    if feed.late or len(feed.gaps) == GAPS or feed.horizon is None:
        return newest
    return max(feed.horizon.time, newest - SPARE_MS)


def _is_late(feed: Feed, beat: Beat, place: int, limits: Limits) -> bool:
    if feed.horizon is not None and beat <= feed.horizon:
        return True
    if not feed.retained or beat.time >= feed.retained[-1].time - limits.lateness_ms:
        return False
    return len(feed.retained) - place >= limits.keep


def _is_over(feed: Feed, limits: Limits) -> bool:
    behind = feed.retained[0].time < feed.retained[-1].time - limits.lateness_ms
    return len(feed.retained) > limits.ceiling_events or (behind and len(feed.retained) > limits.keep)


def _let_go(feed: Feed, oldest: Beat, least_ms: int) -> None:
    if feed.horizon is not None and oldest.time - feed.horizon.time > least_ms:
        feed.gaps = [*feed.gaps, Gap(feed.horizon, oldest.time)]
    feed.horizon = oldest


class FeedVersionError(ValueError):
    """The row was written by a newer version than this program has."""


_ENCODER = msgspec.json.Encoder()
_FEED = msgspec.json.Decoder(Feed)


def encode(feed: Feed) -> bytes:
    """The feed as JSON."""
    return _ENCODER.encode(feed)


def decode(data: bytes) -> Feed:
    """The feed from its JSON.  FeedVersionError, or msgspec.DecodeError where it is none."""
    feed = _FEED.decode(data)
    if feed.version > FEED_VERSION:
        raise FeedVersionError(f"feed of version {feed.version}, this program knows {FEED_VERSION}")
    return feed
