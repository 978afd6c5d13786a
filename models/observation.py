"""What one event says, in our words.

Knows: the fields that a reading fills, and how two copies of one event become one.
Must not know: wire forms, machines, rows, Kafka.

An `Observation` has two sorts of fields.  *Leaves* are what the record itself carried (ids, texts, times,
metadata); copies of one event are merged leaf by leaf.  *Derived* fields (`code`, `rank`, `time`, …) follow from the
leaves alone, so whoever merges leaves derives them again (`models.reading.derive`).
"""

from __future__ import annotations

from typing import Any

import msgspec


class Observation(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One normalised event.

    Times are epoch milliseconds (UTC).  Ids are the record's own where it has them, else those its Description names.
    """

    event_id: str
    """`EventId`, or a hash of detail type, envelope time and canonical detail (contract section 1)."""
    detail_type: str
    """The EventBridge detail type, or the API form it stands for (see `models.reading`)."""
    cluster_arn: str

    # Leaves: merged copy by copy, null when the record did not say.
    cluster_name: str | None = None
    instance_group: str | None = None
    instance_id: str | None = None
    node_logical_id: str | None = None
    resource_type: str | None = None
    """`Cluster`, `InstanceGroup` or `Instance`, as the record has it."""
    level: str | None = None
    description: str | None = None
    event_time: int | None = None
    """`EventTime` in ms, where it could be read."""
    envelope_time: int | None = None
    """The envelope's `time` in ms."""
    observed_time: int | None = None
    """For forms without either: the time that the answer or the transport gives."""
    time_unreadable: bool | None = None
    """True where `EventTime` was there and could not be read."""
    details: dict[str, Any] = {}
    """Other leaves that somebody reads, flat: see `models.reading` for the keys."""

    # Derived from the leaves.
    time: int = 0
    """When it happened: the time that events are judged by."""
    clock_suspect: bool = False
    code: str = ""
    """The catalogue code, or one of `models.catalogue`'s codes for events that have no Description."""
    rank: int = 0
    """Orders events of one millisecond: causes before effects."""
    operation: str | None = None
    """Normalised operation: create, update, delete, scale, replace, reboot, update_software, other."""
    operation_word: str | None = None
    """The operation as the text has it."""
    status: str | None = None
    """The status word that the event carries: script status, health status, cluster status."""
    shape: str | None = None
    """For an unrecognised event: its Description with ids, names, numbers and lists as placeholders."""
    text: dict[str, str] = {}
    """What the Description alone names, by placeholder (instance_id, group, subnet, alarms, seconds, …)."""

    @property
    def key(self) -> tuple[int, int, str]:
        """The order in which events are judged, whatever order they arrived in."""
        return (self.time, self.rank, self.event_id)
