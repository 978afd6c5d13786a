"""An example for each setting: a value that somebody might give it, other than the default.

Knows: what a setting that is a text may look like; of the others an example follows from the type and the bounds.
Must not know: what a setting does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic.fields import FieldInfo

TEXTS: Mapping[str, str] = {
    "brokers": "kafka-1.example.com:9092,kafka-2.example.com:9092",
    "kafka_ca_file": "/etc/kafka/ca.pem",
    "kafka_certificate_file": "/etc/kafka/worker.pem",
    "kafka_key_file": "/etc/kafka/worker.key",
    "kafka_key_password_file": "/run/secrets/kafka-key",  # nosec B105  # an example for the page
    "kafka_username": "hyperpod-state",
    "kafka_password": "correct-horse-battery",  # nosec B105  # an example for the page
    "kafka_password_file": "/run/secrets/kafka",  # nosec B105  # an example for the page
    "kafka_region": "us-west-2",
    "http_tls_certificate_file": "/etc/hyperpod-state/http.pem",
    "http_tls_key_file": "/etc/hyperpod-state/http.key",
    "http_tls_key_password_file": "/run/secrets/http-key",  # nosec B105  # an example for the page
    "http_tls_ca_file": "/etc/hyperpod-state/ca.pem",
    "http_tls_client_ca_file": "/etc/hyperpod-state/clients.pem",
    "http_host": "10.0.4.17",
    "http_advertise": "https://worker-1.example.com:8780",
    "http_token": "a-long-random-text",  # nosec B105  # an example for the page
    "http_token_file": "/run/secrets/http-token",  # nosec B105  # an example for the page
    "http_allowed_hosts": "state.example.com",
    "app_id": "hyperpod-state-eu",
    "tables": "v2",
    "data_dir": "/var/lib/hyperpod-state",
    "instance_id": "worker-1",
    "thresholds": '{"repair_minutes": 15}',
}


def example(name: str, field: FieldInfo) -> str:
    """As an environment variable has it; empty where nothing is known to fit."""
    if name in TEXTS:
        return TEXTS[name]
    choices = getattr(field.annotation, "__args__", ())
    if choices and all(isinstance(choice, str) for choice in choices):
        return str(next(choice for choice in choices if choice and choice != field.default))
    if isinstance(field.default, bool):
        return str(not field.default).lower()
    if isinstance(field.default, int | float):
        return _number(field)
    return f"team-a.{field.default}" if name.endswith("_topic") else ""


def _number(field: FieldInfo) -> str:
    """Twice the default, or half of it, whichever the bounds allow."""
    for value in (field.default * 2, field.default / 2, 1):
        whole = int(value) if isinstance(field.default, int) else value
        if whole != field.default and _fits(whole, field):
            return f"{whole:g}" if isinstance(whole, float) else str(whole)
    return ""


def _fits(value: float, field: FieldInfo) -> bool:
    limits: list[Any] = list(field.metadata)
    least = max((each.ge for each in limits if hasattr(each, "ge")), default=value)
    more = [each.gt for each in limits if hasattr(each, "gt")]
    most = min((each.le for each in limits if hasattr(each, "le")), default=value)
    less = [each.lt for each in limits if hasattr(each, "lt")]
    return bool(least <= value <= most and all(value > each for each in more) and all(value < each for each in less))
