"""What concerns many clusters at once, as rows of one table: feeds.

Knows: which rows there are, their keys, which of them a cluster is judged by.
Must not know: clusters' own rows, Kafka, Faust, the clock.
"""

from __future__ import annotations

from urllib.parse import quote, unquote

from models import feeds
from models.deadlines import Thresholds
from models.feeds import Beat, Feed, FeedName
from models.fold import Limits
from models.judge.feeds import limit_of
from models.observation import Observation
from models.workspace import Outcome


class Broadcasts:
    """The rows, decoded."""

    def __init__(self, limits: Limits | None = None, thresholds: Thresholds | None = None) -> None:
        self._limits = limits or Limits()
        self._least_ms = limit_of(thresholds or Thresholds())
        self._feeds: dict[FeedName, Feed] = {}
        self._changed: set[FeedName] = set()

    def load(self, key: str, data: bytes) -> None:
        """Take a stored row.  Raises what decoding it raises."""
        self._feeds[_name(key)] = feeds.decode(data)

    def hear(self, obs: Observation) -> Outcome:
        """Take one heartbeat."""
        name = feeds.feed_of_beat(obs)
        feed = self._feeds.setdefault(name, Feed())
        duplicate, late = feeds.hear(feed, Beat(obs.time, obs.event_id), self._limits, self._least_ms)
        self._changed.add(name)
        return Outcome(duplicate=duplicate, late=late)

    def feed(self, cluster_arn: str) -> Feed | None:
        """The feed that a cluster's events come by, where it has sent heartbeats."""
        name = feeds.feed_of_cluster(cluster_arn)
        return None if name is None else self._feeds.get(name)

    def take(self) -> tuple[frozenset[FeedName], dict[str, bytes | None]]:
        """The feeds that changed since the last call, and the rows to write (None: delete)."""
        changed, self._changed = frozenset(self._changed), set()
        return changed, {key_of_feed(name): feeds.encode(self._feeds[name]) for name in sorted(changed)}


def is_heartbeat(obs: Observation) -> bool:
    """Whether an event is of a feed, not of a cluster."""
    return obs.code == feeds.CODE


def partition_key(obs: Observation) -> str:
    """What an event is partitioned by: its cluster, or its feed."""
    return key_of_feed(feeds.feed_of_beat(obs)) if is_heartbeat(obs) else obs.cluster_arn


def key_of_feed(name: FeedName) -> str:
    """The key of a feed's row."""
    return "|".join(["feed", *(quote(part, safe="", errors="surrogatepass") for part in name)])


def _name(key: str) -> FeedName:
    _, account, region = key.split("|")
    return FeedName(unquote(account, errors="surrogatepass"), unquote(region, errors="surrogatepass"))
