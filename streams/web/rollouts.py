"""The route that tells what software updates did.

Knows: the path, its filters, the order of its pages.
Must not know: how a rollout is found.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, get_args

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, field_validator

from models.explain.times import milliseconds
from models.public import RolloutItem
from models.public_rollout import RolloutOutcome
from streams.web.answers import Page, SortKey
from streams.web.filters import GROUP, ListQuery, Words
from streams.web.lists import Kind, listed
from streams.web.routing import Router

OUTCOMES = {word.casefold(): word for word in get_args(RolloutOutcome)}
_LAST = 10**15
"""A number that no time in milliseconds reaches."""


class RolloutQuery(ListQuery):
    """Filters of rollouts."""

    group: Words = GROUP
    outcome: Words = Field(default=[], description="Outcomes, in any case.")

    @field_validator("outcome")
    @classmethod
    def _known(cls, words: list[str]) -> list[str]:
        for word in words:
            if word.casefold() not in OUTCOMES:
                raise ValueError(f"{word!r} is none of {', '.join(OUTCOMES.values())}")
        return [OUTCOMES[word.casefold()] for word in words]

    def keep(self, item: RolloutItem, clusters: Collection[str] | None) -> bool:
        """Whether this rollout is asked for."""
        wanted = clusters is None or item.cluster_arn in clusters
        named = not self.group or item.instance_group in self.group
        return wanted and named and (not self.outcome or item.outcome in self.outcome)


def rollout_key(item: RolloutItem) -> SortKey:
    """The order of rollouts: the newest of a group first."""
    time = item.scheduled or item.begun
    place = _LAST * 9 if time is None else _LAST - milliseconds(time)
    return (item.cluster_arn, item.instance_group, f"{place:017d}")


ROLLOUTS = Kind[RolloutItem](lambda picture: picture.rollouts, rollout_key, 3)


def rollouts_route(routes: APIRouter, router: Router) -> None:
    """Adds `/rollouts`."""

    @routes.get("/rollouts", responses={200: {"model": Page[RolloutItem]}})
    async def rollouts(query: Annotated[RolloutQuery, Query()], request: Request) -> Response:
        """The newest 20 software updates of each group, the newest of a group first."""
        return await listed(router, request, query, ROLLOUTS)
