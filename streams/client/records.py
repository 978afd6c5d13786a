"""Records as a program reads them, also those that a newer release has written.

Knows: which versions can be read, what is tolerated.
Must not know: Kafka, HTTP.
"""

from __future__ import annotations

from typing import Any, TypeVar

import orjson
from pydantic import Field, ValidationError

from models import public_anomaly
from models.public_anomaly import SCHEMA_VERSION, AnomalyKind, Cause, PublicModel

Model = TypeVar("Model", bound=PublicModel)


class NotARecord(ValueError):
    """Not what the topic or the API is said to hold; the message says what is wrong, and quotes nothing."""


class NewerVersion(NotARecord):
    """A record of a version that this release cannot read."""


class Anomaly(public_anomaly.Anomaly):
    """An anomaly; its kind and cause may be words that this release does not know, and then they are plain text."""

    # Wider than what this release writes, on purpose: a newer one may write other words (docs/programs.md).
    kind: AnomalyKind | str = Field(union_mode="left_to_right")  # type: ignore[assignment]
    cause: Cause | str | None = Field(default=None, union_mode="left_to_right")  # type: ignore[assignment]


def read_anomaly(data: bytes | str) -> Anomaly:
    """A record of the anomalies topic.  Raises NotARecord or NewerVersion."""
    try:
        told = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise NotARecord("not JSON") from None
    version = told.get("schema_version", SCHEMA_VERSION) if isinstance(told, dict) else None
    if isinstance(version, str) and version != SCHEMA_VERSION:
        raise NewerVersion(
            f"a record of schema_version {version}, and this release of hyperpod-state reads {SCHEMA_VERSION}: "
            "update it here"
        )
    return validated(Anomaly, told)


def validated(model: type[Model], told: Any) -> Model:
    """JSON as a record of this kind.  Raises NotARecord."""
    try:
        return model.model_validate(told)
    except ValidationError as error:
        names = {".".join(map(str, each["loc"])) or "record": each["msg"] for each in error.errors()}
        raise NotARecord("; ".join(f"{name}: {why}" for name, why in names.items())) from None
