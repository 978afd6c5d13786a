"""What concerns many clusters at once, as rows of one table: feeds and silences.

Knows: which rows there are, their keys, which of them a cluster is judged by.
Must not know: clusters' own rows, Kafka, Faust, the clock.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote, unquote

from models import feeds
from models.deadlines import Thresholds
from models.feeds import Beat, Feed, FeedName, Gap
from models.fold import Limits
from models.judge.feeds import limit_of
from models.observation import Observation
from models.public_silence import Silence
from models.timestamps import iso
from models.workspace import Outcome

KEEP_MS = 30 * 86_400_000
"""How long an expired silence is remembered: as long as the anomalies that it was about."""


class News(NamedTuple):
    """What changed: feeds, whether any silence did, and the rows to write (None: delete).

    A feed has changed where clusters may look otherwise for it: most heartbeats only say that all is as it was.
    """

    feeds: frozenset[FeedName]
    silences: bool
    rows: dict[str, bytes | None]


class Broadcasts:
    """The rows, decoded."""

    def __init__(self, limits: Limits | None = None, thresholds: Thresholds | None = None) -> None:
        self._limits = limits or Limits()
        self._least_ms = limit_of(thresholds or Thresholds())
        self._feeds: dict[FeedName, Feed] = {}
        self._silences: dict[str, Silence] = {}
        self._heard: set[FeedName] = set()
        self._last: dict[FeedName, list[Gap]] = {}
        """What was too long, and what has no end yet, when it was asked last."""
        self._told: set[str] = set()

    def load(self, key: str, data: bytes) -> None:
        """Take a stored row.  Raises what decoding it raises."""
        kind, *names = (_unquoted(part) for part in key.split("|"))
        if kind == "feed":
            self._feeds[FeedName(*names)] = feeds.decode(data)
        else:
            self._silences[names[0]] = Silence.model_validate_json(data)

    def hear(self, obs: Observation) -> Outcome:
        """Take one heartbeat."""
        name = feeds.feed_of_beat(obs)
        feed = self._feeds.setdefault(name, Feed())
        duplicate, late = feeds.hear(feed, Beat(obs.time, obs.event_id), self._limits, self._least_ms)
        self._heard.add(name)
        return Outcome(duplicate=duplicate, late=late)

    def silence(self, silence_id: str, silence: Silence | None) -> None:
        """Take what holds for an id from now on; None: nothing."""
        if silence is None:
            self._silences.pop(silence_id, None)
        else:
            self._silences[silence_id] = silence
        self._told.add(silence_id)

    def forget(self, now: int) -> None:
        """Let go of silences that expired long before `now` (epoch ms)."""
        if self._silences:
            edge = iso(now - KEEP_MS)
            for name in [name for name, each in self._silences.items() if each.until < edge]:
                self.silence(name, None)

    def feed(self, cluster_arn: str) -> Feed | None:
        """The feed that a cluster's events come by, where it has sent heartbeats."""
        name = feeds.feed_of_cluster(cluster_arn)
        return None if name is None else self._feeds.get(name)

    def heartbeats(self) -> dict[FeedName, int]:
        """The newest one of every feed, epoch ms."""
        return {name: feed.retained[-1].time for name, feed in self._feeds.items() if feed.retained}

    def silences(self) -> list[Silence]:
        """All of them, by id."""
        return [self._silences[name] for name in sorted(self._silences)]

    def take(self, now: int | None = None) -> News:
        """What changed since the last call; `now` (epoch ms) is no earlier than anybody has looked at it."""
        heard, self._heard = self._heard, set()
        told, self._told = self._told, set()
        turned = frozenset(name for name in heard if self._has_turned(name, now))
        rows: dict[str, bytes | None] = {_key("feed", *name): feeds.encode(self._feeds[name]) for name in sorted(heard)}
        for name in sorted(told):
            silence = self._silences.get(name)
            rows[_key("silence", name)] = None if silence is None else silence.model_dump_json().encode()
        return News(turned, bool(told), rows)

    def _has_turned(self, name: FeedName, now: int | None) -> bool:
        """Whether the feed is other than heartbeats that come in time leave it.

        While it is not silent, one that comes next, and in time, only moves the moment at which it would be.
        """
        known, least = self._last.get(name), self._least_ms
        found = [gap for gap in feeds.gaps(self._feeds[name]) if gap.until is None or gap.until - gap.last.time > least]
        self._last[name] = found
        if known is None or now is None or known[:-1] != found[:-1]:
            return True
        before, after = known[-1].last, found[-1].last
        return before != after and (after.time <= before.time or before.time + least <= now)


def is_heartbeat(obs: Observation) -> bool:
    """Whether an event is of a feed, not of a cluster."""
    return obs.code == feeds.CODE


def partition_key(obs: Observation) -> str:
    """What an event is partitioned by: its cluster, or its feed."""
    return _key("feed", *feeds.feed_of_beat(obs)) if is_heartbeat(obs) else obs.cluster_arn


def _key(*parts: str) -> str:
    return "|".join(quote(part, safe="", errors="surrogatepass") for part in parts)


def _unquoted(part: str) -> str:
    return unquote(part, errors="surrogatepass")
