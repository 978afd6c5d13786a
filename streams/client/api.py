"""The HTTP API with types: records instead of JSON, and patience with a fleet that is sharing out its work.

Knows: lists, names, what is worth asking again.
Must not know: sockets, commands.
"""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from models.explain import ChainItem, Story
from models.public import ClusterItem, GroupItem, HistoryItem, InstanceItem, PublicModel, RolloutItem
from models.report import Report
from streams.client.asking import Client, Unavailable
from streams.client.records import Anomaly, validated
from streams.secret_files import http_token

SERVER, VARIABLE = "http://127.0.0.1:8780", "HYPERPOD_STATE_SERVER"
PATIENCE = 60.0
SQL_SECONDS = 60.0
Words = str | Iterable[str]
"""One word, or several of which any may fit."""
Item = TypeVar("Item", bound=PublicModel)
T = TypeVar("T")


@dataclass(frozen=True)
class Found(Generic[Item]):
    """All items of a list, and how fresh and how whole it is."""

    items: list[Item]
    as_of: str | None
    """The moment that it is of."""
    lag: int
    missing: tuple[int, ...] = ()
    """Partitions that nothing is known of; only with `stale_ok`."""
    stale: tuple[int, ...] = ()
    """Partitions of which it has what was last known; only with `stale_ok`."""

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


class Api:
    """Asks one worker, which answers for the whole fleet.

    Of the address, the token and TLS the environment decides, as it does for commands (`HYPERPOD_STATE_SERVER`,
    `HYPERPOD_STATE_HTTP_TOKEN` or `_TOKEN_FILE`, `HYPERPOD_STATE_HTTP_TLS_…`), where they are not given.  With `at` all
    questions are of that moment; with `stale_ok` the last that was known will do where a partition has no owner.

    What may be answered in a moment (503, 429) is asked again when the worker says so, for `patience` seconds; then
    Unavailable or Refused is raised.  NotFound and Gone (whose `oldest_at` says what can be asked) are raised at once,
    and NotARecord where a worker of another release answers what this one cannot read.
    """

    def __init__(
        self,
        server: str | None = None,
        *,
        token: str | None = None,
        at: str | None = None,
        stale_ok: bool = False,
        patience: float = PATIENCE,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        address = server or os.environ.get(VARIABLE) or SERVER
        token = http_token(os.environ) if token is None else token
        tls = _tls() if tls is None and address.startswith("https:") else tls
        self._client = Client(address, token=token, at=at, stale_ok=stale_ok, tls=tls)
        self._patience = patience

    def clusters(self, *, cluster: Words = (), phase: Words = ()) -> Found[ClusterItem]:
        """Clusters by ARN; `cluster` is a name or an ARN."""
        return self._list("clusters", ClusterItem, cluster=cluster, phase=phase)

    def groups(self, *, cluster: Words = (), group: Words = (), phase: Words = ()) -> Found[GroupItem]:
        """Instance groups by cluster and name."""
        return self._list("instance-groups", GroupItem, cluster=cluster, group=group, phase=phase)

    def instances(
        self, *, cluster: Words = (), group: Words = (), instance: Words = (), phase: Words = ()
    ) -> Found[InstanceItem]:
        """Instances, and slots that have none; `instance` is an EC2 id or a logical id."""
        return self._list("instances", InstanceItem, cluster=cluster, group=group, instance=instance, phase=phase)

    def anomalies(
        self,
        *,
        cluster: Words = (),
        group: Words = (),
        instance: Words = (),
        id: Words = (),
        kind: Words = (),
        severity: Words = (),
        status: Words = (),
        planned: bool | None = None,
        silenced: bool | None = None,
    ) -> Found[Anomaly]:
        """Anomalies by the time that they opened, retracted ones last; each severity is only itself."""
        named = {"cluster": cluster, "group": group, "instance": instance, "id": id}
        flags = {"planned": _flag(planned), "silenced": _flag(silenced)}
        return self._list("anomalies", Anomaly, **named, kind=kind, severity=severity, status=status, **flags)

    def rollouts(self, *, cluster: Words = (), group: Words = (), outcome: Words = ()) -> Found[RolloutItem]:
        """The newest 20 software updates of each group."""
        return self._list("rollouts", RolloutItem, cluster=cluster, group=group, outcome=outcome)

    def instance(self, name: str, *, cluster: Words = ()) -> InstanceItem:
        """One instance by its EC2 id or logical id."""
        answer = self._one(f"instances/{quote(name, safe='')}", cluster=cluster)
        return validated(InstanceItem, answer["item"])

    def history(self, name: str, *, cluster: Words = ()) -> list[HistoryItem]:
        """What happened to one instance, oldest first."""
        answer = self._one(f"instances/{quote(name, safe='')}/history", cluster=cluster)
        return [validated(HistoryItem, each) for each in answer["items"]]

    def lineage(self, name: str, *, cluster: Words = ()) -> list[ChainItem]:
        """The instances that replaced each other up to this one and beyond, oldest first, with what each cost."""
        answer = self._one(f"lineage/{quote(name, safe='')}", cluster=cluster)
        return [validated(ChainItem, each) for each in answer["items"]]

    def story(self, name: str, *, cluster: Words = ()) -> Story:
        """What one instance is doing, since when, why and what comes next."""
        answer = self._one(f"instances/{quote(name, safe='')}/story", cluster=cluster)
        return validated(Story, answer["item"])

    def report(self, *, since: str | None = None, cluster: Words = (), group: Words = ()) -> Report:
        """The figures of reliability; `since` such as `7d`."""
        answer = self._one("report", since=since or (), cluster=cluster, group=group)
        return validated(Report, answer["item"])

    def sql(self, query: str) -> list[dict[str, Any]]:
        """The rows of one SELECT over `transitions` and `anomalies`."""
        answer = self._patiently(lambda: self._client.post("sql", {"query": query}, SQL_SECONDS))
        rows: list[dict[str, Any]] = answer["items"]
        return rows

    def _list(self, path: str, model: type[Item], **filters: Words) -> Found[Item]:
        told = self._patiently(lambda: self._client.list(path, _query(filters)))
        items = [validated(model, each) for each in told.items]
        return Found(items, told.as_of, told.lag, told.missing, tuple(each["partition"] for each in told.stale))

    def _one(self, path: str, **filters: Words) -> dict[str, Any]:
        return self._patiently(lambda: self._client.get(path, _query(filters)))

    def _patiently(self, ask: Callable[[], T]) -> T:
        until = time.monotonic() + self._patience
        while True:
            try:
                return ask()
            except Unavailable as error:
                if error.retry_after is None or time.monotonic() + error.retry_after > until:
                    raise
                time.sleep(error.retry_after)


def _query(filters: dict[str, Words]) -> dict[str, Sequence[str]]:
    words = {name: [each] if isinstance(each, str) else [str(one) for one in each] for name, each in filters.items()}
    return {name: each for name, each in words.items() if each}


def _flag(value: bool | None) -> Words:
    return () if value is None else str(value).lower()


def _tls() -> ssl.SSLContext:
    from streams.http_access import HttpTls
    from streams.tls import asking

    return asking(HttpTls())
