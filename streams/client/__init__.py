"""For programs: what a worker knows, over HTTP, and what it publishes, from Kafka; typed, and synchronous.

    from streams.client import AnomalyConsumer, Api

Knows: the names that programs may use; whatever is not here may change.
Must not know: how anything is asked.  Kafka's client and the records' types are loaded when they are first named, so
commands that need neither are quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from streams.client.asking import BadServer, Client, Gone, Listing, NotFound, Refused, Unavailable

if TYPE_CHECKING:
    from streams.client.api import Api, Found
    from streams.client.consumer import AnomalyConsumer
    from streams.client.records import Anomaly, NewerVersion, NotARecord
    from streams.connection import NoKafka

__all__ = [
    "Anomaly",
    "AnomalyConsumer",
    "Api",
    "BadServer",
    "Client",
    "Found",
    "Gone",
    "Listing",
    "NewerVersion",
    "NoKafka",
    "NotARecord",
    "NotFound",
    "Refused",
    "Unavailable",
]
_WHERE = {
    "Api": "streams.client.api",
    "Found": "streams.client.api",
    "AnomalyConsumer": "streams.client.consumer",
    "Anomaly": "streams.client.records",
    "NewerVersion": "streams.client.records",
    "NotARecord": "streams.client.records",
    "NoKafka": "streams.connection",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)
