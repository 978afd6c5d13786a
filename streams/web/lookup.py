"""What the routes of one instance and of lists share: a picture to answer from, the instance meant, the answer.

Knows: readiness, names, status codes.
Must not know: routes, other workers, Faust, Kafka.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol

from fastapi import Path, Response
from pydantic import BaseModel, Field

from models.public import InstanceItem, Picture, PublicModel, Time, iso
from models.timestamps import parse_ms
from streams.times import parse
from streams.web import filters
from streams.web.answers import RETRY_AFTER, ApiError, Fresh, GoneError
from streams.web.provider import Behind, Gone, Provider

PREFIX = "/api/v1"
INCOMPLETE = "incomplete"
"""The code of an answer that a whole fleet might give."""
Name = Annotated[str, Path(description="An EC2 id or a logical id.", examples=["i-0123456789abcdef0"])]


class OneQuery(BaseModel):
    """`cluster` says which is meant, where a logical id is found in several."""

    model_config = filters.ListQuery.model_config
    cluster: list[str] = Field(default=[], description="Cluster names or ARNs.")
    at: str | None = filters.AT
    stale: filters.Stale = filters.STALE


class Asked(Protocol):
    """What every query says."""

    @property
    def cluster(self) -> list[str]: ...
    @property
    def at(self) -> str | None: ...
    @property
    def stale(self) -> filters.Stale: ...


@dataclass(frozen=True)
class View:
    """What a part of an answer is made of: all of one cut."""

    picture: Picture
    as_of: Time | None
    named: Picture
    """Where names of clusters are looked up: a name that is known by now is meant also where it was not then."""

    def arns(self, names: list[str]) -> set[str] | None:
        """The clusters that are meant; None for all."""
        return filters.arns(names, self.named)

    def called(self, name: str, clusters: list[str]) -> list[InstanceItem]:
        """The instances that have this EC2 id or logical id."""
        wanted = self.arns(clusters)
        found = [item for item in self.picture.instances if name in (item.instance_id, item.node_logical_id)]
        return [item for item in found if wanted is None or item.cluster_arn in wanted]


async def look_back(
    provider: Provider, at: int, clusters: Collection[str] | None, name: str | None, now: Picture
) -> Picture:
    """The picture of an earlier moment.  Of `name`, an instance, only the clusters that know it are needed.

    ApiError 410 or 503.
    """
    if clusters is None and name is not None:
        clusters = {each.cluster_arn for each in now.instances if name in (each.instance_id, each.node_logical_id)}
    try:
        return await provider.past(at, clusters)
    except Gone as gone:
        raise gone_error(at, gone.oldest_at) from None
    except Behind as behind:
        raise ApiError(503, "history_behind", str(behind), "ask again in a few seconds") from None


def gone_error(at: int, oldest_at: Time | None) -> GoneError:
    """Nothing exact is kept of that moment."""
    hint = f"the oldest moment of it is {oldest_at}" if oldest_at else "ask for a later moment"
    return GoneError(f"nothing exact is kept of {iso(at)}", hint, oldest_at)


def moment(text: str, as_of: Time | None) -> int:
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


def unknown(what: str, hint: str, fresh: Fresh) -> ApiError:
    """404; of a part of the fleet 503, as the rest may well know it."""
    if not fresh.partial:
        return ApiError(404, "not_found", f"no {what} is known", hint)
    stale = [each.partition for each in fresh.stale]
    lacking = ((fresh.missing, "missing"), (stale, "not current"))
    told = "; ".join(f"partition {', '.join(map(str, found))} {word}" for found, word in lacking if found)
    message = f"no {what} is in the part of the fleet that can be told of: {told}"
    return ApiError(503, INCOMPLETE, message, "ask again later")


def pick(keys: Sequence[tuple[str, ...]], name: str, fresh: Fresh) -> int:
    """Which of the candidates is meant, each an EC2 id and a phase.

    By EC2 id; by logical id the instance that is in the slot, which its dead predecessors were too.
    """
    found = list(range(len(keys)))
    if len(found) > 1:
        found = [index for index in found if keys[index][1] != "Terminated" or keys[index][0] == name] or found
    if not found:
        raise unknown(f"instance {name!r}", f"list them with {PREFIX}/instances", fresh)
    if len(found) > 1:
        raise ApiError(409, "ambiguous", f"{len(found)} instances are called {name!r}", "give its EC2 id, or cluster=")
    return found[0]


def respond(body: PublicModel, status: int = 200) -> Response:
    """A body as an answer."""
    headers = {"Retry-After": str(RETRY_AFTER)} if status == 503 else None
    return Response(body.model_dump_json(), status, headers, "application/json")
