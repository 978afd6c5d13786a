"""What the routes of one instance and of lists share: a picture to answer from, the instance meant, the answer.

Knows: readiness, names, status codes.
Must not know: routes, Faust, Kafka.
"""

from __future__ import annotations

from fastapi import Response
from pydantic import BaseModel

from models.public import InstanceItem, Picture, PublicModel
from streams.web import filters
from streams.web.answers import RETRY_AFTER, ApiError
from streams.web.provider import Provider

PREFIX = "/api/v1"


class OneQuery(BaseModel):
    """`cluster` says which is meant, where a logical id is found in several."""

    model_config = filters.ListQuery.model_config
    cluster: list[str] = []


def ready_picture(provider: Provider) -> Picture:
    """The present picture.  ApiError 503 until there is one."""
    state = provider.ready()
    if not state.ready:
        raise ApiError(503, "not_ready", state.message, "ask again later; /readyz says how far it is")
    return provider.picture()


def find(picture: Picture, name: str, clusters: list[str]) -> InstanceItem:
    """By EC2 id; by logical id the instance that is in the slot, which its dead predecessors were too."""
    wanted = filters.arns(clusters, picture)
    found = [item for item in picture.instances if name in (item.instance_id, item.node_logical_id)]
    found = [item for item in found if wanted is None or item.cluster_arn in wanted]
    if len(found) > 1:
        found = [item for item in found if item.phase != "Terminated" or item.instance_id == name] or found
    if not found:
        raise ApiError(404, "not_found", f"no instance {name!r} is known", f"list them with {PREFIX}/instances")
    if len(found) > 1:
        raise ApiError(409, "ambiguous", f"{len(found)} instances are called {name!r}", "give its EC2 id, or cluster=")
    return found[0]


def respond(body: PublicModel, status: int = 200) -> Response:
    """A body as an answer."""
    headers = {"Retry-After": str(RETRY_AFTER)} if status == 503 else None
    return Response(body.model_dump_json(), status, headers, "application/json")
