"""What the routes of one instance and of lists share: a picture to answer from, the instance meant, the answer.

Knows: readiness, names, status codes.
Must not know: routes, Faust, Kafka.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Protocol

from fastapi import Path, Response
from pydantic import BaseModel

from models.public import InstanceItem, Picture, PublicModel, Time, iso
from models.timestamps import parse_ms
from streams.times import parse
from streams.web import filters
from streams.web.answers import RETRY_AFTER, ApiError, GoneError
from streams.web.provider import Behind, Gone, Provider

PREFIX = "/api/v1"
Name = Annotated[str, Path(description="An EC2 id or a logical id.", examples=["i-0123456789abcdef0"])]


class OneQuery(BaseModel):
    """`cluster` says which is meant, where a logical id is found in several."""

    model_config = filters.ListQuery.model_config
    cluster: list[str] = []
    at: str | None = filters.AT


class Asked(Protocol):
    """What every query says."""

    cluster: list[str]
    at: str | None


@dataclass(frozen=True)
class View:
    """What an answer is made of: all of one cut."""

    picture: Picture
    as_of: Time | None
    lag: int
    named: Picture
    """Where names of clusters are looked up: a name that is known by now is meant also where it was not then."""

    def arns(self, names: list[str]) -> set[str] | None:
        """The clusters that are meant; None for all."""
        return filters.arns(names, self.named)


async def view(provider: Provider, query: Asked, name: str | None = None) -> View:
    """The picture to answer from: the present one, or that of the moment asked for.

    Of `name`, an instance, only the clusters that know it are needed.  ApiError 400, 410 or 503.
    """
    picture, fresh = ready_picture(provider), provider.freshness()
    if query.at is None:
        return View(picture, fresh.as_of, fresh.lag, picture)
    at = _moment(query.at, fresh.as_of)
    wanted = filters.arns(query.cluster, picture)
    if wanted is None and name is not None:
        wanted = {each.cluster_arn for each in picture.instances if name in (each.instance_id, each.node_logical_id)}
    try:
        past = await provider.past(at, wanted)
    except Gone as gone:
        message = f"nothing exact is kept of {iso(at)}"
        hint = f"the oldest moment of it is {gone.oldest_at}" if gone.oldest_at else "ask for a later moment"
        raise GoneError(message, hint, gone.oldest_at) from None
    except Behind as behind:
        raise ApiError(503, "history_behind", str(behind), "ask again in a few seconds") from None
    return View(past, iso(at), fresh.lag, picture)


def _moment(text: str, as_of: Time | None) -> int:
    """The moment that is meant, in epoch ms.  ApiError 400 where it is none, or not yet known."""
    if as_of is None:
        raise ApiError(503, "not_ready", "no moment is known yet", "ask again later; /readyz says how far it is")
    now = parse_ms(as_of) or 0
    try:
        at = parse(text, now / 1000)
        iso(at)
    except (ValueError, OverflowError) as error:
        raise ApiError(400, "bad_parameter", f"at: {error}", "see /openapi.json") from None
    if at > now:
        raise ApiError(
            400, "future", f"at: {iso(at)} is not known yet, the present answer is of {as_of}", "leave at away"
        )
    return at


def ready_picture(provider: Provider) -> Picture:
    """The present picture.  ApiError 503 until there is one."""
    state = provider.ready()
    if not state.ready:
        raise ApiError(503, "not_ready", state.message, "ask again later; /readyz says how far it is")
    return provider.picture()


def find(seen: View, name: str, clusters: list[str]) -> InstanceItem:
    """By EC2 id; by logical id the instance that is in the slot, which its dead predecessors were too."""
    wanted = seen.arns(clusters)
    found = [item for item in seen.picture.instances if name in (item.instance_id, item.node_logical_id)]
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
