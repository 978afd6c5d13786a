"""The route that tells who replaced whom.

Knows: the path, which instance a name means.
Must not know: how a link is found, how the chain is told.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from models.explain import ChainItem, lineage_chain
from streams.web.answers import Page
from streams.web.lookup import Name, OneQuery, find, respond, view
from streams.web.provider import Provider


def lineage_route(routes: APIRouter, provider: Provider) -> None:
    """Adds `/lineage/{id}`."""

    @routes.get("/lineage/{name}", responses={200: {"model": Page[ChainItem]}})
    async def lineage(name: Name, query: Annotated[OneQuery, Query()]) -> Response:
        """The chain of an instance or slot, oldest first, with what each replacement cost: always one page."""
        seen = await view(provider, query, name)
        item = find(seen, name, query.cluster)
        chain = lineage_chain(seen.picture, item, seen.as_of)
        return respond(Page[ChainItem](items=chain, as_of=seen.as_of, lag=seen.lag))
