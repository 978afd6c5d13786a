"""Lists of the whole fleet: each worker's first items, merged by their sort key and cut.

Knows: how a kind of item is found, ordered and paged.
Must not know: paths, which filters there are.

A token names the last item sent by its sort key, which means the same to every worker: so each gives its first `limit`
items after it, and the first `limit` of all of these are the page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from fastapi import Request, Response

from models.public import Anomaly, ClusterItem, GroupItem, InstanceItem, Picture, PublicModel
from streams.web import filters
from streams.web.answers import SortKey, cut, key_of, page, raw, token_of
from streams.web.lookup import View
from streams.web.routing import Router, Whole
from streams.web.share import Part

Item = TypeVar("Item", bound=PublicModel)
Item_contra = TypeVar("Item_contra", contravariant=True)


class Filter(Protocol[Item_contra]):
    """Any of the query models of lists."""

    limit: int
    continue_: str | None
    cluster: list[str]
    at: str | None
    stale: filters.Stale

    def keep(self, item: Item_contra, clusters: Collection[str] | None) -> bool:
        """Whether the item is asked for."""


@dataclass(frozen=True)
class Kind(Generic[Item]):
    """Where one kind of item is in a picture, and how it is paged: `width` is the number of parts of its sort key."""

    items: Callable[[Picture], Sequence[Item]]
    sort_key: Callable[[Item], SortKey]
    width: int
    slow: bool = False
    """Finding them takes so long that others must not wait for it."""


CLUSTERS = Kind[ClusterItem](lambda picture: picture.clusters, filters.cluster_key, 1)
GROUPS = Kind[GroupItem](lambda picture: picture.instance_groups, filters.group_key, 2)
INSTANCES = Kind[InstanceItem](lambda picture: picture.instances, filters.instance_key, 4)
ANOMALIES = Kind[Anomaly](lambda picture: picture.anomalies, filters.anomaly_key, 3)


async def listed(router: Router, request: Request, query: Filter[Item], kind: Kind[Item]) -> Response:
    """One page.  ApiError 400 before anybody is asked, where the token is not one of this list."""
    if query.continue_ is not None:
        key_of(query.continue_, kind.width)

    async def find(seen: View) -> Part:
        wanted = seen.arns(query.cluster)
        items = await asyncio.to_thread(kind.items, seen.picture) if kind.slow else kind.items(seen.picture)
        kept = [item for item in items if query.keep(item, wanted)]
        found, token = cut(kept, kind.sort_key, kind.width, query.limit, query.continue_)
        return Part([raw(item) for item in found], [kind.sort_key(item) for item in found], more=token is not None)

    async def merge(whole: Whole) -> Response:
        return _first(whole, query.limit)

    return await router.answer(request, query, find, merge)


def _first(whole: Whole, limit: int) -> Response:
    """The first items of all parts."""
    found = [pair for part in whole.parts for pair in zip(part.keys, part.items, strict=True)]
    found.sort(key=lambda pair: pair[0])
    more = len(found) > limit or any(part.more for part in whole.parts)
    chosen = found[:limit]
    return page([item for _, item in chosen], whole.fresh, token_of(chosen[-1][0]) if more else None)
