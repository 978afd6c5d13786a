"""The public records of a timeline.

Knows: names and types of the fields.  Must not know: how a column is found.
"""

from __future__ import annotations

from pydantic import Field

from models.public_anomaly import PublicModel, Time


class Piece(PublicModel):
    """A stretch of time and the columns that it takes; within one, time is even."""

    from_: Time = Field(validation_alias="from", serialization_alias="from")
    to: Time
    column: float
    width: float
    folded: bool = Field(description="Nothing changed in it, in any lane: it takes few columns, however long it is.")


class Lane(PublicModel):
    """One instance, or a slot without one."""

    instance_group: str | None
    instance_id: str | None
    node_logical_id: str | None
    phase: str = Field(description="Its phase at the moment of the answer.")
    spans: tuple[tuple[int, int, int], ...] = Field(
        description="First column, number of columns, place in `words`; where nothing is kept there is no span."
    )


class Timeline(PublicModel):
    """A part of the lanes over the whole window."""

    from_: Time = Field(validation_alias="from", serialization_alias="from")
    to: Time
    width: int = Field(description="Columns.")
    pieces: tuple[Piece, ...] = Field(description="Where each time is: of all lanes, not of this part alone.")
    words: tuple[str, ...] = Field(description="The phases, the worst first: of several in one column it is shown.")
    total: int = Field(description="Lanes in all.")
    first: int = Field(description="Which of them the first here is, counted from 0.")
    lanes: tuple[Lane, ...]
