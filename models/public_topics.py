"""The records of topics that are neither anomalies, transitions nor silences: dead letters, and how far the worker is.

Knows: field names, their order.
Must not know: who writes them, when.
"""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from models.public_anomaly import PublicModel, Time


class LetterOrigin(PublicModel):
    """Where a value stood that could not be read, or not be applied; `replay_of` is left out where it says nothing."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    topic: str
    incarnation: str = Field(description="The id that Kafka gave the topic when it was created.")
    partition: int
    offset: int
    index: int = Field(description="Of the value, where one record held several.")
    replay_of: str | None = Field(default=None, description="The dead letter that was fed again and is still broken.")


class DeadLetter(PublicModel):
    """A value that could not be read, or not be applied: all of it, and why."""

    schema_version: Literal["1"] = "1"
    reason: str = Field(description="`hyperpod-state deadletter list` explains each; more may come.")
    origin: LetterOrigin
    data: str = Field(description="The value in base64.")
    time: Time | None = Field(description="Kafka's time of the record that held it.")


class Status(PublicModel):
    """How far one partition is, told every minute of the stream's time, so that quiet can be told from dead."""

    schema_version: Literal["1"] = "1"
    partition: int
    as_of: Time = Field(description="The moment up to which everything is told.")
    lag: int = Field(ge=0, description="Records that wait to be read.")
    open: dict[str, int] = Field(description="Open anomalies by severity.")
    offset: int = Field(description="The newest record of the events topic that is told of.")
    watermark: Time | None = Field(description="The greatest event time.")
