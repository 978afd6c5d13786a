"""The Faust app: agents, tables and services, put together in one place.

Knows: Faust's settings, and what hangs on what.
Must not know: what any part does inside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import faust

from streams import logs, tls
from streams.agents.handover import agent_of
from streams.asyncapi import asyncapi
from streams.calm import Calm
from streams.connection import faust_credentials
from streams.fleet import check_row
from streams.history import EventsHistory
from streams.http import Http, listen
from streams.lanes import Lanes
from streams.metrics.collector import Metrics
from streams.peers import FleetPeers
from streams.provider import WorkerProvider
from streams.push import Pusher, pusher
from streams.restore import CommittedTables, Restorer
from streams.settings import Settings
from streams.store.service import StoreService
from streams.tables import Tables
from streams.timers import Ticker
from streams.topics import member_id
from streams.transport import CommittedTransport
from streams.web.api import create_api
from streams.web.doors import behind

log = logs.get(__name__)
BUFFERED = {"committed": 16, "faust": 16_384}
"""Messages of a topic that wait for its agent: chunks of up to a megabyte, or records; the rest waits in Kafka."""


class ToldHereOnly(faust.Settings):
    """Faust's settings, as this module gives them.

    Faust lets variables such as BROKER_URL, APP_VALUE_SERIALIZER or APP_WEB_ENABLED win over what it is given: one that
    was meant for another program could lead to another broker, have messages unpickled, or open a port without a token.
    """

    def getenv(self, env_name: str) -> None:
        """No variable is Faust's."""


class App(faust.App):
    """A Faust app whose partitions are worked by lanes."""

    Settings = ToldHereOnly
    mundane_level = "debug"
    lanes: Lanes
    http: Http
    peers: FleetPeers
    store: StoreService | None = None
    pusher: Pusher | None = None
    calm: Calm
    committed: bool
    ending: Callable[[], None] = staticmethod(lambda: None)
    """Called when it begins to end."""
    failure: BaseException | None = None

    def _new_transport(self) -> Any:
        if self.committed:
            return CommittedTransport(self.conf.broker_consumer, self)
        return super()._new_transport()

    async def crash(self, reason: BaseException) -> None:
        """Faust's own, and the first reason is kept: the others follow from it."""
        self.failure = self.failure or reason
        await super().crash(reason)

    async def on_first_start(self) -> None:
        """HTTP first, so that it answers while the tables are being restored."""
        await self.add_runtime_dependency(self.http)
        if self.store is not None:
            await self.add_runtime_dependency(self.store)
        if self.pusher is not None:
            await self.add_runtime_dependency(self.pusher)
        await super().on_first_start()

    async def on_started(self) -> None:
        """Time begins with the lanes."""
        await super().on_started()
        await self.add_runtime_dependency(Ticker(self, self.lanes, self.calm, beacon=self.beacon))

    async def on_stop(self) -> None:
        """The last checkpoint, while Kafka can still be reached."""
        self.ending()
        await self.lanes.release()
        await super().on_stop()
        await self.lanes.close()
        await self.peers.close()


@dataclass(frozen=True)
class Built:
    """An app and what was made with it."""

    app: App
    lanes: Lanes
    tables: Tables
    provider: WorkerProvider


def create_app(settings: Settings, incarnations: Mapping[str, str]) -> Built:
    """The app for these settings; `incarnations` is what `streams.topics.prepare` returned.

    Raises streams.http.HttpError where the port is taken, streams.tls.Unusable where a certificate is not to be used.
    """
    ours, theirs = tls.answering(settings), tls.asking(settings)
    listener = listen(settings.http_host, settings.http_port)
    app = _faust_app(settings, settings.address(listener.getsockname()[1]))
    app.committed = settings.transport == "committed"
    tables = Tables(app, settings)
    restorer = Restorer(settings, tables, check_row)
    lanes = app.lanes = Lanes(settings, tables, restorer, incarnations)
    lanes.crash = app.crash
    _agents(app, settings, lanes)
    _assignments(app, lanes)
    provider = WorkerProvider(lanes, EventsHistory(settings))
    app.store = StoreService(settings) if settings.store else None
    app.peers = FleetPeers(app, settings, theirs)
    app.calm = Calm(tables.forget, provider.forget)
    metrics = Metrics(provider)
    app.pusher = pusher(metrics, settings.instance_id)
    api = create_api(provider, metrics=metrics, store=app.store, peers=app.peers, topics=partial(asyncapi, settings))
    app.http = Http(behind(settings, api), listener, ours)
    return Built(app, lanes, tables, provider)


def _faust_app(settings: Settings, address: str) -> App:
    """`address` is what Faust's assignments tell the other workers of this one."""
    return App(
        settings.app_id,
        canonical_url=address,
        broker=[f"kafka://{host}" for host in settings.bootstrap],
        broker_credentials=faust_credentials(settings),
        datadir=str(settings.data_dir),
        store="rocksdb://",
        TableManager=CommittedTables,
        processing_guarantee="at_least_once",
        consumer_group_instance_id=member_id(settings, address),
        consumer_auto_offset_reset="earliest",
        broker_session_timeout=settings.session_timeout,
        broker_heartbeat_interval=min(3.0, settings.session_timeout / 3),
        topic_allow_declare=False,
        topic_disable_leader=True,
        topic_partitions=settings.partitions,
        table_standby_replicas=0,
        stream_wait_empty=False,
        stream_buffer_maxsize=BUFFERED[settings.transport],
        web_enabled=False,
        worker_redirect_stdouts=False,
        key_serializer="raw",
        value_serializer="raw",
        autodiscover=False,
    )


def _agents(app: App, settings: Settings, lanes: Lanes) -> None:
    """Acks are off: the offsets are committed by the lanes' transactions, never by Faust."""
    raw = app.topic(
        settings.raw_topic, partitions=settings.raw_partitions, key_type=bytes, value_type=bytes, acks=False
    )
    events = app.topic(
        settings.events_topic, partitions=settings.partitions, key_type=bytes, value_type=bytes, acks=False
    )
    silences = app.topic(settings.silences_topic, partitions=1, key_type=bytes, value_type=bytes, acks=False)
    app.agent(raw, name="raw")(agent_of(lanes.take_raw))
    app.agent(events, name="events")(agent_of(lanes.take_event))
    app.agent(silences, name="silences")(agent_of(lanes.take_silence))


def _assignments(app: App, lanes: Lanes) -> None:
    async def before() -> Any:
        return await lanes.assign(app.consumer.assignment(), app.consumer_generation_id)

    async def revoked(*_: Any, **__: Any) -> None:
        await lanes.release()  # Faust's protocol is eager: whatever is revoked, all partitions are given up

    cast(CommittedTables, app.tables).before = before
    app.on_partitions_revoked.connect(revoked, weak=False)
