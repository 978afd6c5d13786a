"""The route that finds clusters, groups, instances and anomalies by what somebody types.

Knows: what of each is looked at, what comes first.
Must not know: how state is kept, how it is shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from models.public import Picture, PublicModel
from streams.web.answers import Page, SortKey, page, raw
from streams.web.lookup import OneQuery, View
from streams.web.routing import Router, Whole
from streams.web.share import Part

Type = Literal["cluster", "instance_group", "instance", "anomaly"]
_ORDER = {"cluster": "0", "instance_group": "1", "instance": "2", "anomaly": "3"}
_OVER = {"Terminated", "Deleted", "resolved", "retracted"}


class Found(PublicModel):
    """One that was found, with what leads to it."""

    type: Type
    name: str = Field(description="Its name; of an anomaly its title.")
    word: str = Field(description="Its phase; of an anomaly its severity while it is open, else its status.")
    cluster_arn: str
    cluster_name: str | None
    instance_group: str | None = None
    instance_id: str | None = None
    node_logical_id: str | None = None
    anomaly_id: str | None = None


class SearchQuery(OneQuery):
    """What is looked for."""

    q: str = Field(min_length=1, max_length=200, description="Words that all must be found, in any case.")
    limit: int = Field(default=20, ge=1, le=100, description="Matches at most.")


def search_route(routes: APIRouter, router: Router) -> None:
    """Adds `/search`."""

    @routes.get("/search", responses={200: {"model": Page[Found]}})
    async def search(query: Annotated[SearchQuery, Query()], request: Request) -> Response:
        """The best matches: names before other words, what lives before what is over; always one page."""

        async def find(seen: View) -> Part:
            found = await asyncio.to_thread(_best, seen.picture, seen.arns(query.cluster), query)
            return Part([raw(each) for _, each in found], [key for key, _ in found])

        async def merge(whole: Whole) -> Response:
            pairs = [pair for part in whole.parts for pair in zip(part.keys, part.items, strict=True)]
            return page([item for _, item in sorted(pairs, key=lambda pair: pair[0])[: query.limit]], whole.fresh)

        return await router.answer(request, query, find, merge)


def _best(picture: Picture, wanted: set[str] | None, query: SearchQuery) -> list[tuple[SortKey, Found]]:
    words = query.q.casefold().split()
    whole = " ".join(words)
    found: list[tuple[SortKey, Found]] = [
        ((_rank(each, whole), _over(each), _ORDER[each.type], each.name, each.cluster_arn, each.anomaly_id or ""), each)
        for each, told in _all(picture)
        if (wanted is None or each.cluster_arn in wanted) and all(word in told for word in words)
    ]
    found.sort(key=lambda pair: pair[0])
    return found[: query.limit]


def _rank(found: Found, whole: str) -> str:
    """The whole name, its beginning, a part of it, other words."""
    names = [name.casefold() for name in (found.name, found.instance_id, found.node_logical_id) if name]
    names += [found.cluster_arn.casefold()] if found.type == "cluster" else []
    if whole in names or whole == found.anomaly_id:
        return "0"
    if any(name.startswith(whole) for name in names):
        return "1"
    return "2" if any(whole in name for name in names) else "3"


def _over(found: Found) -> str:
    return "1" if found.word in _OVER else "0"


def _all(picture: Picture) -> Iterator[tuple[Found, str]]:
    """Everything, with the text that words are looked for in."""
    names = {each.cluster_arn: each.cluster_name for each in picture.clusters}
    for cluster in picture.clusters:
        name = cluster.cluster_name or cluster.cluster_arn
        yield _told("cluster", name, cluster.phase, cluster.cluster_arn, names, cluster.cluster_arn)
    for group in picture.instance_groups:
        here = {"instance_group": group.instance_group}
        yield _told("instance_group", group.instance_group, group.phase, group.cluster_arn, names, "", **here)
    for item in picture.instances:
        name = item.instance_id or item.node_logical_id or "?"
        place = {"instance_group": item.instance_group, "node_logical_id": item.node_logical_id}
        yield _told("instance", name, item.phase, item.cluster_arn, names, "", instance_id=item.instance_id, **place)
    for each in picture.anomalies:
        word = str(each.severity if each.status == "open" else each.status)
        place = {"instance_group": each.instance_group, "node_logical_id": each.node_logical_id}
        more = f"{each.anomaly_id} {each.kind} {str(each.kind).replace('_', ' ')} {each.cause or ''}"
        leads = {"instance_id": each.instance_id, "anomaly_id": each.anomaly_id, **place}
        yield _told("anomaly", each.title, word, each.cluster_arn, names, more, **leads)


def _told(
    kind: Type,
    name: str,
    word: str,
    arn: str,
    names: dict[str, str | None],
    more: str,
    **leads: str | None,
) -> tuple[Found, str]:
    found = Found(type=kind, name=name, word=word, cluster_arn=arn, cluster_name=names.get(arn), **leads)
    parts = (name, word, names.get(arn), more, *leads.values())
    return found, " ".join(part for part in parts if part).casefold()
