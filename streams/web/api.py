"""The HTTP routes of contract section 5.

Knows: paths, filters, which answer belongs to which path.
Must not know: Faust, Kafka, how state is kept, how several workers answer together.  Payloads are never logged here.

Every route is a coroutine: so the provider is asked on the event loop's own thread, and a picture and its freshness,
asked for without an await between them, belong to the same cut.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from models.public import Anomaly, ClusterItem, GroupItem, InstanceItem, PublicModel
from streams.metrics.collector import CONTENT_TYPE, Metrics
from streams.version import PROJECT, installed
from streams.web import described, filters
from streams.web.answers import ErrorAnswer, Page
from streams.web.errors import handle_errors
from streams.web.fleet import fleet_routes
from streams.web.history import history_routes
from streams.web.instance import instance_routes
from streams.web.lists import ANOMALIES, CLUSTERS, GROUPS, INSTANCES, listed
from streams.web.lookup import PREFIX, respond
from streams.web.openapi import INTRO, complete
from streams.web.page import page, page_routes, wants_html
from streams.web.peers import Alone, Peers
from streams.web.pipeline import pipeline_route
from streams.web.provider import Provider, Readiness
from streams.web.report import report_route
from streams.web.rollouts import rollouts_route
from streams.web.routing import Router
from streams.web.runbooks import runbook_routes
from streams.web.search import search_route
from streams.web.share import HOLDINGS
from streams.web.sql import Asked, sql_route
from streams.web.states import states_routes
from streams.web.stream import stream_route
from streams.web.timeline import timeline_routes
from streams.web.vocabulary import vocabulary_routes

PROBLEMS: dict[int | str, dict[str, Any]] = {"4XX": {"model": ErrorAnswer}}
"""Of every route; `streams.web.openapi` says which of them."""
SERVICE_ROUTES = ("/healthz", "/readyz", "/metrics", *described.ROUTES)


class Index(PublicModel):
    """What there is to ask for."""

    name: str
    version: str | None
    routes: tuple[str, ...]


class Health(PublicModel):
    """The process answers."""

    status: str


def create_api(
    provider: Provider,
    *,
    metrics: Metrics | None = None,
    store: Asked | None = None,
    peers: Peers | None = None,
    topics: described.Described | None = None,
) -> FastAPI:
    """The ASGI application in front of `provider`; `metrics` are of the same one, where somebody else tells them too.

    `store` answers SQL; None where it is off.  `peers` are the other workers; None where there are none.
    `topics` describes the topics.
    """
    router = Router(provider, peers or Alone())
    api = FastAPI(
        title="hyperpod-state",
        version="v1",
        description=INTRO,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    complete(api)
    handle_errors(api)
    _service_routes(api, provider, metrics or Metrics(provider))

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
    runbook_routes(api)
    described.described_routes(api, topics)
    return api


def _service_routes(api: FastAPI, provider: Provider, metrics: Metrics) -> None:
    html = {"content": {"text/html": {"schema": {"type": "string"}}}}

    @api.get("/", responses={200: {"model": Index, **html}})
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
        listed = Index(name=PROJECT, version=installed(), routes=(*lists, *one, *SERVICE_ROUTES))
        return JSONResponse(listed.model_dump(mode="json"), headers={"Vary": "Accept"})

    @api.get("/healthz", responses={200: {"model": Health}})
    async def healthz() -> dict[str, str]:
        """The process answers; says nothing about the data."""
        return {"status": "ok"}

    @api.get("/readyz", responses={200: {"model": Readiness}, 503: {"model": Readiness}})
    async def readyz() -> Response:
        """200 once data may be asked for; until then 503 and how far each partition is."""
        state = provider.ready()
        return respond(state) if state.ready else respond(state, 503)

    @api.get("/metrics", name="metrics", response_class=PlainTextResponse)
    async def scrape() -> Response:
        """Prometheus metrics, in its text format; each worker tells its own."""
        return Response(await metrics.scrape(), media_type=CONTENT_TYPE)


def _lists(routes: APIRouter, router: Router) -> None:
    @routes.get("/clusters", responses={200: {"model": Page[ClusterItem]}})
    async def clusters(query: Annotated[filters.ClusterQuery, Query()], request: Request) -> Response:
        """Every cluster, by ARN."""
        return await listed(router, request, query, CLUSTERS)

    @routes.get("/instance-groups", responses={200: {"model": Page[GroupItem]}})
    async def instance_groups(query: Annotated[filters.GroupQuery, Query()], request: Request) -> Response:
        """Every instance group, by cluster and name."""
        return await listed(router, request, query, GROUPS)

    @routes.get("/instances", responses={200: {"model": Page[InstanceItem]}})
    async def instances(query: Annotated[filters.InstanceQuery, Query()], request: Request) -> Response:
        """Every instance, and every slot that has none yet, with its history."""
        return await listed(router, request, query, INSTANCES)

    @routes.get("/anomalies", responses={200: {"model": Page[Anomaly]}})
    async def anomalies(query: Annotated[filters.AnomalyQuery, Query()], request: Request) -> Response:
        """Open, resolved and retracted anomalies, retracted ones last, by the time that they opened."""
        return await listed(router, request, query, ANOMALIES)
