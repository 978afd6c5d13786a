"""The routes that tell how many are in each state of each machine, and who.

Knows: paths, which state is asked for, the order of its pages.
Must not know: how it is counted, how a machine is drawn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from functools import partial
from typing import Annotated
from weakref import ref

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import TypeAdapter

from models.census import Census, Level, Member, added, census, members
from models.machines.graph import MACHINES, graph
from models.public import Picture, PublicModel
from streams.web.answers import ApiError, One, Page, SortKey, one, raw
from streams.web.filters import ListQuery
from streams.web.lists import Kind, listed
from streams.web.lookup import OneQuery, View
from streams.web.routing import Router, Whole
from streams.web.share import Part

PARTS = TypeAdapter(tuple[Census, ...])


class States(PublicModel):
    """Every machine."""

    machines: tuple[Census, ...]


class MemberQuery(ListQuery):
    """Which page, of which clusters."""

    def keep(self, item: Member, clusters: Collection[str] | None) -> bool:
        """Whether this one is asked for."""
        return clusters is None or item.cluster_arn in clusters


def member_key(item: Member) -> SortKey:
    """The order of members; null is before any name, as the empty string is."""
    return (item.cluster_arn, item.instance_group or "", item.instance_id or "", item.node_logical_id or "")


Place = Annotated[Level, Path(description="Whose machine it is.", examples=["instance"])]
Machine = Annotated[str, Path(description="A machine's name.", examples=["replace"])]
State = Annotated[str, Path(description="One of its states.", examples=["Replacing"])]


def states_routes(routes: APIRouter, router: Router) -> None:
    """Adds `/states` and `/states/{level}/{machine}/{state}`."""

    kept = Kept()

    @routes.get("/states", responses={200: {"model": One[States]}})
    async def states(query: Annotated[OneQuery, Query()], request: Request) -> Response:
        """How many are in each state of each machine, and the steps that the kept histories tell of."""

        async def find(seen: View) -> Part:
            return Part([await kept.of(seen, query.cluster)])

        async def merge(whole: Whole) -> Response:
            parts = [PARTS.validate_json(bytes(item)) for part in whole.parts for item in part.items]
            return one(raw(States(machines=added(parts))), whole.fresh)

        return await router.answer(request, query, find, merge)

    @routes.get("/states/{level}/{machine}/{state}", name="members", responses={200: {"model": Page[Member]}})
    async def who(
        level: Place, machine: Machine, state: State, query: Annotated[MemberQuery, Query()], request: Request
    ) -> Response:
        """Who is in one state of one machine, and since when."""
        found = partial(members, machine=_known(f"{level}/{machine}", state), state=state)
        kind = Kind[Member](found, member_key, 4, slow=True)
        return await listed(router, request, query, kind)


class Kept:
    """The count of this worker's whole picture is made once, however many ask, also while it is being made."""

    def __init__(self) -> None:
        self._made: tuple[ref[Picture], msgspec.Raw] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def of(self, seen: View, clusters: list[str]) -> msgspec.Raw:
        """Of these clusters, all where none is named; an earlier moment pushes out nothing."""
        if clusters or seen.picture is not seen.named:
            return await asyncio.to_thread(_told, seen.picture, seen.arns(clusters))
        async with self._one_at_a_time:
            if self._made is None or self._made[0]() is not seen.picture:
                self._made = ref(seen.picture), await asyncio.to_thread(_told, seen.picture, None)
            return self._made[1]


def _told(picture: Picture, clusters: Collection[str] | None) -> msgspec.Raw:
    return msgspec.Raw(PARTS.dump_json(census(picture, clusters)))


def _known(machine: str, state: str) -> str:
    """ApiError 404 where there is no such machine or state."""
    if machine not in MACHINES:
        raise ApiError(404, "not_found", f"no machine {machine!r} is known", f"there are {', '.join(MACHINES)}")
    names = [str(each) for each in graph(machine)]
    if state not in names:
        raise ApiError(404, "not_found", f"{machine} has no state {state!r}", f"it has {', '.join(names)}")
    return machine
