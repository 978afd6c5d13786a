"""The HTTP routes of contract section 5.

Knows: paths, filters, status codes, which question of the provider answers which path.
Must not know: Faust, Kafka, how state is kept.  Payloads are never logged here.

Every route is a coroutine: so the provider is asked on the event loop's own thread, and a picture and its freshness,
asked for without an await between them, belong to the same cut.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Protocol, TypeVar

from fastapi import APIRouter, FastAPI, Query, Response

from models.public import Anomaly, ClusterItem, GroupItem, HistoryItem, InstanceItem, PublicModel
from streams.web import filters
from streams.web.answers import ErrorAnswer, One, Page, SortKey, cut
from streams.web.errors import handle_errors
from streams.web.lineage import lineage_route
from streams.web.lookup import PREFIX, Name, OneQuery, View, find, respond, view
from streams.web.metrics import CONTENT_TYPE, Metrics
from streams.web.provider import Provider, Readiness
from streams.web.report import report_route
from streams.web.rollouts import rollouts_route
from streams.web.sql import Asked, sql_route

Item = TypeVar("Item", bound=PublicModel)
Item_contra = TypeVar("Item_contra", contravariant=True)
PROBLEMS: dict[int | str, dict[str, Any]] = {"4XX": {"model": ErrorAnswer}, "503": {"model": ErrorAnswer}}
SERVICE_ROUTES = ("/healthz", "/readyz", "/metrics", "/openapi.json")


class Filter(Protocol[Item_contra]):
    """Any of the query models of `streams.web.filters`."""

    limit: int
    continue_: str | None
    cluster: list[str]
    at: str | None

    def keep(self, item: Item_contra, clusters: Collection[str] | None) -> bool:
        """Whether the item is asked for."""


@dataclass(frozen=True)
class Kind(Generic[Item]):
    """How one kind of item is paged: `width` is the number of parts of its sort key."""

    page: type[Page[Item]]
    sort_key: Callable[[Item], SortKey]
    width: int


CLUSTERS = Kind(Page[ClusterItem], filters.cluster_key, 1)
GROUPS = Kind(Page[GroupItem], filters.group_key, 2)
INSTANCES = Kind(Page[InstanceItem], filters.instance_key, 4)
ANOMALIES = Kind(Page[Anomaly], filters.anomaly_key, 3)


def create_api(provider: Provider, *, clock: Callable[[], float] = time.time, store: Asked | None = None) -> FastAPI:
    """The ASGI application in front of `provider`; `clock` gives epoch seconds (for ages in `/metrics`).

    `store` answers SQL; None where it is off.
    """
    api = FastAPI(title="hyperpod-state", version="v1", docs_url=None, redoc_url=None)
    handle_errors(api)
    _service_routes(api, provider, Metrics(provider, clock))
    routes = APIRouter(prefix=PREFIX, responses=PROBLEMS)
    _lists(routes, provider)
    _instance(routes, provider)
    lineage_route(routes, provider)
    rollouts_route(routes, provider)
    report_route(routes, provider)
    sql_route(routes, store)
    api.include_router(routes)
    return api


def _service_routes(api: FastAPI, provider: Provider, metrics: Metrics) -> None:
    @api.get("/", include_in_schema=False)
    async def index() -> dict[str, object]:
        lists = [f"{PREFIX}/{name}" for name in ("clusters", "instance-groups", "instances", "anomalies", "rollouts")]
        one = [
            f"{PREFIX}/instances/{{id}}",
            f"{PREFIX}/instances/{{id}}/history",
            f"{PREFIX}/lineage/{{id}}",
            f"{PREFIX}/report",
            f"{PREFIX}/sql",
        ]
        return {"name": "hyperpod-state", "routes": [*lists, *one, *SERVICE_ROUTES]}

    @api.get("/healthz")
    async def healthz() -> dict[str, str]:
        """The process answers; says nothing about the data."""
        return {"status": "ok"}

    @api.get("/readyz", responses={200: {"model": Readiness}, 503: {"model": Readiness}})
    async def readyz() -> Response:
        """200 once data may be asked for; until then 503 and how far each partition is."""
        state = provider.ready()
        return respond(state) if state.ready else respond(state, 503)

    @api.get("/metrics", include_in_schema=False)
    async def scrape() -> Response:
        return Response(await metrics.scrape(), media_type=CONTENT_TYPE)


def _lists(routes: APIRouter, provider: Provider) -> None:
    @routes.get("/clusters", responses={200: {"model": Page[ClusterItem]}})
    async def clusters(query: Annotated[filters.ClusterQuery, Query()]) -> Response:
        seen = await view(provider, query)
        return _page(query, seen, seen.picture.clusters, CLUSTERS)

    @routes.get("/instance-groups", responses={200: {"model": Page[GroupItem]}})
    async def groups(query: Annotated[filters.GroupQuery, Query()]) -> Response:
        seen = await view(provider, query)
        return _page(query, seen, seen.picture.instance_groups, GROUPS)

    @routes.get("/instances", responses={200: {"model": Page[InstanceItem]}})
    async def instances(query: Annotated[filters.InstanceQuery, Query()]) -> Response:
        seen = await view(provider, query)
        return _page(query, seen, seen.picture.instances, INSTANCES)

    @routes.get("/anomalies", responses={200: {"model": Page[Anomaly]}})
    async def anomalies(query: Annotated[filters.AnomalyQuery, Query()]) -> Response:
        seen = await view(provider, query)
        return _page(query, seen, seen.picture.anomalies, ANOMALIES)


def _instance(routes: APIRouter, provider: Provider) -> None:
    @routes.get("/instances/{name}", responses={200: {"model": One[InstanceItem]}})
    async def instance(name: Name, query: Annotated[OneQuery, Query()]) -> Response:
        """One instance by its EC2 id or logical id."""
        seen = await view(provider, query, name)
        item = find(seen, name, query.cluster)
        return respond(One[InstanceItem](item=item, as_of=seen.as_of, lag=seen.lag))

    @routes.get("/instances/{name}/history", responses={200: {"model": Page[HistoryItem]}})
    async def history(name: Name, query: Annotated[OneQuery, Query()]) -> Response:
        """What happened to one instance, oldest first: all that is kept, so always one page."""
        seen = await view(provider, query, name)
        item = find(seen, name, query.cluster)
        return respond(Page[HistoryItem](items=item.history, as_of=seen.as_of, lag=seen.lag))


def _page(query: Filter[Item], seen: View, items: Sequence[Item], kind: Kind[Item]) -> Response:
    wanted = seen.arns(query.cluster)
    kept = [item for item in items if query.keep(item, wanted)]
    page, token = cut(kept, kind.sort_key, kind.width, query.limit, query.continue_)
    return respond(kind.page(items=page, as_of=seen.as_of, lag=seen.lag, continue_=token))
