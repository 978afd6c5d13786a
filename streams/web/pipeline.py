"""The route that tells whether the rest can be believed: what was read, what became of it, how far each partition is.

Knows: counts and progress of workers, how those of several add up.
Must not know: what the counts are of, how they are kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from models.public import PublicModel, Summary
from streams.metrics.workings import Workings
from streams.web import filters
from streams.web.answers import One, one, raw
from streams.web.lookup import View
from streams.web.provider import Partition, Provider
from streams.web.routing import Router, Whole
from streams.web.share import Part


class PipelineQuery(BaseModel):
    """It is of the present and of everything: neither an earlier moment nor one cluster has counts."""

    model_config = ConfigDict(extra="forbid")
    stale: filters.Stale = filters.STALE

    @property
    def at(self) -> str | None:
        """Never an earlier moment."""
        return None

    @property
    def cluster(self) -> list[str]:
        """Never one cluster."""
        return []


class FlowTopic(PublicModel):
    """One topic on the data's way."""

    role: str = Field(description="raw, events, transitions, anomalies or deadletter.")
    topic: str = Field(description="What it is called here.")
    partitions: int | None = Field(description="How many it has; null where the workers only write.")
    written: int = Field(description="Records that these workers have written to it since they began.")


class PipelineItem(PublicModel):
    """What was read by the workers that answered."""

    workers: int
    summary: Summary
    dead_letters: dict[str, int] = Field(description="By reason: those of the reading alone, see `failed`.")
    failed: int = Field(description="Dead letters of values that could be read but not applied.")
    partitions: tuple[Partition, ...]
    topics: tuple[FlowTopic, ...] = Field(default=(), description="In the order of the data's way.")


def pipeline_route(routes: APIRouter, router: Router, provider: Provider) -> None:
    """Adds `/pipeline`."""

    @routes.get("/pipeline", responses={200: {"model": One[PipelineItem]}})
    async def pipeline(query: Annotated[PipelineQuery, Query()], request: Request) -> Response:
        """Counts that add up, dead letters by reason, and the progress of every partition."""

        async def find(_: View) -> Part:
            return Part([raw(_own(provider))])

        async def merge(whole: Whole) -> Response:
            parts = [PipelineItem.model_validate_json(bytes(item)) for part in whole.parts for item in part.items]
            return one(raw(_added(parts)), whole.fresh)

        return await router.answer(request, query, find, merge, every=True)


def _own(provider: Provider) -> PipelineItem:
    summary, letters = provider.summary(), dict(provider.dead_letters())
    return PipelineItem(
        workers=1,
        summary=summary,
        dead_letters=letters,
        failed=max(0, summary.dead_lettered - sum(letters.values())),
        partitions=provider.freshness().partitions,
        topics=tuple(_topics(provider.workings())),
    )


def _topics(workings: Workings) -> Iterator[FlowTopic]:
    wrote = sum((each.wrote for each in workings.checkpoints.values()), Counter[str]())
    for role, topic in workings.topics.items():
        yield FlowTopic(role=role, topic=topic, partitions=workings.partitions.get(topic), written=wrote[topic])


def _added(parts: list[PipelineItem]) -> PipelineItem:
    ignored: Counter[str] = Counter()
    letters: Counter[str] = Counter()
    for each in parts:
        ignored.update(each.summary.ignored)
        letters.update(each.dead_letters)
    marks = [each.summary.watermark for each in parts if each.summary.watermark is not None]
    summary = Summary(
        read=sum(each.summary.read for each in parts),
        applied=sum(each.summary.applied for each in parts),
        duplicate=sum(each.summary.duplicate for each in parts),
        ignored=dict(ignored),
        dead_lettered=sum(each.summary.dead_lettered for each in parts),
        late=sum(each.summary.late for each in parts),
        unrecognized=sum(each.summary.unrecognized for each in parts),
        watermark=max(marks, default=None),
    )
    partitions = sorted((part for each in parts for part in each.partitions), key=lambda part: part.partition)
    return PipelineItem(
        workers=len(parts),
        summary=summary,
        dead_letters=dict(sorted(letters.items())),
        failed=sum(each.failed for each in parts),
        partitions=tuple(partitions),
        topics=tuple(_added_topics(parts)),
    )


def _added_topics(parts: list[PipelineItem]) -> Iterator[FlowTopic]:
    """All workers of a fleet have the same topics."""
    written: Counter[str] = Counter()
    known: dict[str, FlowTopic] = {}
    for each in (topic for part in parts for topic in part.topics):
        written[each.role] += each.written
        known.setdefault(each.role, each)
    return (each.model_copy(update={"written": written[role]}) for role, each in known.items())
