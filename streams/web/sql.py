"""The route of questions in SQL.

Knows: the path, the shape of question and answer.
Must not know: DuckDB, what may be asked.
"""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from models.public import PublicModel, Time
from streams.web.answers import ApiError
from streams.web.lookup import respond

LONGEST = 20_000
"""Characters of a query."""
SECONDS = 10.0
ROWS = 10_000
LARGEST = 32_000_000
"""Characters of an answer."""


class SqlQuery(BaseModel):
    """One SELECT."""

    model_config = ConfigDict(extra="forbid")
    query: str = Field(
        min_length=1, max_length=LONGEST, examples=["SELECT kind, count(*) AS n FROM anomalies GROUP BY kind"]
    )


class SqlColumn(PublicModel):
    """A column of the answer, with DuckDB's name of its type."""

    name: str
    type: str


class SqlAnswer(PublicModel):
    """Rows as objects; a second column of one name is called `name_2`."""

    columns: tuple[SqlColumn, ...]
    items: list[dict[str, Any]]
    cut: bool = Field(description="There are more rows than an answer may have.")
    oldest: Time | None = Field(description="Time of the oldest record in the store.")
    as_of: Time | None = Field(description="All that was on the topics then is in the store; null while it is filled.")
    lag: int = Field(description="Offsets that wait on the topics, when last looked at.")


class Refused(Exception):
    """The query is not answered; the message says why."""


class NotYet(Exception):
    """No query can be answered at this moment."""


class Asked(Protocol):
    """Whoever keeps the store."""

    async def sql(self, query: str) -> SqlAnswer:
        """Raises Refused or NotYet."""


def sql_route(routes: APIRouter, store: Asked | None) -> None:
    """Adds `/sql`.  Questions wait for each other here: the store answers one at a time."""
    turn = asyncio.Lock()

    @routes.post("/sql", responses={200: {"model": SqlAnswer}})
    async def sql(asked: SqlQuery) -> Response:
        """The answer of the store to one SELECT."""
        if store is None:
            raise ApiError(
                404, "store_off", "this worker keeps no store", "start it without HYPERPOD_STATE_STORE=false"
            )
        try:
            async with turn:
                return respond(await store.sql(asked.query))
        except Refused as error:
            hint = "one SELECT over the tables transitions and anomalies; `DESCRIBE anomalies` names the columns"
            raise ApiError(400, "bad_query", str(error), hint) from None
        except NotYet as error:
            raise ApiError(503, "store_not_ready", str(error), "ask again in a few seconds") from None
