"""Any wire form to its leaf values: see `models.unwrap.forms` for the forms, `outcome` for what comes out."""

from models.unwrap.forms import unwrap
from models.unwrap.outcome import (
    CLUSTER_EVENT,
    DESCRIBE_CLUSTER,
    DESCRIBE_CLUSTER_EVENT,
    ENVELOPE,
    HEARTBEAT,
    HEARTBEAT_SOURCE,
    LIST_CLUSTER_NODES,
    NODE_HEALTH,
    STATE_CHANGE,
    Ignored,
    Reason,
    Unreadable,
    Value,
)
from models.unwrap.strict import MAX_BYTES, MAX_DEPTH, MAX_KEYS

__all__ = [
    "CLUSTER_EVENT",
    "DESCRIBE_CLUSTER",
    "DESCRIBE_CLUSTER_EVENT",
    "ENVELOPE",
    "HEARTBEAT",
    "HEARTBEAT_SOURCE",
    "LIST_CLUSTER_NODES",
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_KEYS",
    "NODE_HEALTH",
    "STATE_CHANGE",
    "Ignored",
    "Reason",
    "Unreadable",
    "Value",
    "unwrap",
]
