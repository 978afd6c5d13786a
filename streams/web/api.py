"""The HTTP routes of contract section 5.

Knows: paths, filters, which answer belongs to which path.
Must not know: Faust, Kafka, how state is kept, how several workers answer together.  Payloads are never logged here.

Every route is a coroutine: so the provider is asked on the event loop's own thread, and a picture and its freshness,
asked for without an await between them, belong to the same cut.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse

from models.public import Anomaly, ClusterItem, GroupItem, InstanceItem
from streams.web import filters
from streams.web.answers import ErrorAnswer, Page
from streams.web.errors import handle_errors
from streams.web.fleet import fleet_routes
from streams.web.history import history_routes
from streams.web.instance import instance_routes
from streams.web.lists import ANOMALIES, CLUSTERS, GROUPS, INSTANCES, listed
from streams.web.lookup import PREFIX, respond
from streams.web.metrics import CONTENT_TYPE, Metrics
from streams.web.page import page, page_routes, wants_html
from streams.web.peers import Alone, Peers
from streams.web.pipeline import pipeline_route
from streams.web.provider import Provider, Readiness
from streams.web.report import report_route
from streams.web.rollouts import rollouts_route
from streams.web.routing import Router
from streams.web.search import search_route
from streams.web.share import HOLDINGS
from streams.web.sql import Asked, sql_route
from streams.web.states import states_routes
from streams.web.stream import stream_route
from streams.web.timeline import timeline_routes
from streams.web.vocabulary import vocabulary_routes

PROBLEMS: dict[int | str, dict[str, Any]] = {"4XX": {"model": ErrorAnswer}, "503": {"model": ErrorAnswer}}
SERVICE_ROUTES = ("/healthz", "/readyz", "/metrics", "/openapi.json")


def create_api(
    provider: Provider,
    *,
    clock: Callable[[], float] = time.time,
    store: Asked | None = None,
    peers: Peers | None = None,
) -> FastAPI:
    """The ASGI application in front of `provider`; `clock` gives epoch seconds (for ages in `/metrics`).

    `store` answers SQL; None where it is off.  `peers` are the other workers; None where there are none.
    """
    router = Router(provider, peers or Alone())
    api = FastAPI(title="hyperpod-state", version="v1", docs_url=None, redoc_url=None)
    handle_errors(api)
    _service_routes(api, provider, Metrics(provider, clock))

    @api.get(HOLDINGS, include_in_schema=False)
    async def holdings() -> Response:
        """What this worker can tell of: asked by the others."""
        return respond(router.holdings())

    routes = APIRouter(prefix=PREFIX, responses=PROBLEMS)
    _lists(routes, router)
    instance_routes(routes, router)
    history_routes(routes, router)
    rollouts_route(routes, router)
    report_route(routes, router)
    states_routes(routes, router)
    timeline_routes(routes, router)
    search_route(routes, router)
    stream_route(routes, fleet_routes(routes, router))
    pipeline_route(routes, router, provider)
    vocabulary_routes(routes)
    sql_route(routes, store)
    api.include_router(routes)
    page_routes(api)
    return api


def _service_routes(api: FastAPI, provider: Provider, metrics: Metrics) -> None:
    @api.get("/", include_in_schema=False)
    async def index(request: Request) -> Response:
        """The dashboard for whoever reads HTML, the routes for everybody else."""
        if wants_html(request.scope):
            return page(request)
        lists = [f"{PREFIX}/{name}" for name in ("clusters", "instance-groups", "instances", "anomalies", "rollouts")]
        one = [
            f"{PREFIX}/instances/{{id}}",
            f"{PREFIX}/instances/{{id}}/history",
            f"{PREFIX}/clusters/{{name}}/history",
            f"{PREFIX}/instance-groups/{{name}}/history",
            f"{PREFIX}/clusters/{{name}}/timeline",
            f"{PREFIX}/instance-groups/{{name}}/timeline",
            f"{PREFIX}/lineage/{{id}}",
            f"{PREFIX}/fleet",
            f"{PREFIX}/summary",
            f"{PREFIX}/stream",
            f"{PREFIX}/pipeline",
            f"{PREFIX}/machines",
            f"{PREFIX}/states",
            f"{PREFIX}/states/{{level}}/{{machine}}/{{state}}",
            f"{PREFIX}/report",
            f"{PREFIX}/search",
            f"{PREFIX}/sql",
        ]
        listed = {"name": "hyperpod-state", "routes": [*lists, *one, *SERVICE_ROUTES]}
        return JSONResponse(listed, headers={"Vary": "Accept"})

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


def _lists(routes: APIRouter, router: Router) -> None:
    @routes.get("/clusters", responses={200: {"model": Page[ClusterItem]}})
    async def clusters(query: Annotated[filters.ClusterQuery, Query()], request: Request) -> Response:
        return await listed(router, request, query, CLUSTERS)

    @routes.get("/instance-groups", responses={200: {"model": Page[GroupItem]}})
    async def groups(query: Annotated[filters.GroupQuery, Query()], request: Request) -> Response:
        return await listed(router, request, query, GROUPS)

    @routes.get("/instances", responses={200: {"model": Page[InstanceItem]}})
    async def instances(query: Annotated[filters.InstanceQuery, Query()], request: Request) -> Response:
        return await listed(router, request, query, INSTANCES)

    @routes.get("/anomalies", responses={200: {"model": Page[Anomaly]}})
    async def anomalies(query: Annotated[filters.AnomalyQuery, Query()], request: Request) -> Response:
        return await listed(router, request, query, ANOMALIES)
