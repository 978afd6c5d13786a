"""The tables of the store, column by column, and the statements that follow from them.

Knows: names, types, where in a record a value stands.
Must not know: Kafka, DuckDB's client.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

VERSION = 1
"""Grows when a table changes: a file of another version is laid aside, and a new one filled."""
TIMESTAMP, TEXT, WHOLE, YESNO, TEXTS = "TIMESTAMP", "VARCHAR", "BIGINT", "BOOLEAN", "VARCHAR[]"


@dataclass(frozen=True)
class Column:
    """`field` is its name in the record, where that is another."""

    name: str
    type: str
    meaning: str
    field: str = ""

    @property
    def source(self) -> str:
        """Its name in the record."""
        return self.field or self.name


@dataclass(frozen=True)
class Table:
    """`replaces`: a later revision takes the place of an earlier one of the same key."""

    name: str
    topic: str
    meaning: str
    key: tuple[str, ...]
    moment: str
    replaces: bool
    columns: tuple[Column, ...]


_ENTITY = (
    Column("cluster_arn", TEXT, "The cluster."),
    Column("cluster_name", TEXT, "Its name, where it is known."),
    Column("instance_group", TEXT, "The instance group."),
    Column("instance_id", TEXT, "The EC2 instance."),
    Column("node_logical_id", TEXT, "The slot of the instance."),
    Column("resource_type", TEXT, "`Cluster`, `InstanceGroup` or `Instance`."),
)
TRANSITIONS = Table(
    name="transitions",
    topic="transitions_topic",
    meaning="Every change of a machine: the last revision of each `transition_id`.",
    key=("transition_id",),
    moment="time",
    replaces=True,
    columns=(
        Column("transition_id", TEXT, "Hash of what changed, by which event."),
        Column("status", TEXT, "`accepted`, or `withdrawn` where a late event told another story."),
        Column("revision", WHOLE, "Grows within a partition of the topic."),
        *_ENTITY,
        Column("machine", TEXT, "The state machine."),
        Column("from_state", TEXT, "The state before; null where it was not known.", "from"),
        Column("to_state", TEXT, "The state after.", "to"),
        Column("time", TIMESTAMP, "When it changed."),
        Column("event_id", TEXT, "The event that changed it."),
        Column("code", TEXT, "What that event said."),
        Column("legal", YESNO, "Whether the machine's table knows the step."),
    ),
)
ANOMALIES = Table(
    name="anomalies",
    topic="anomalies_topic",
    meaning="Every published revision of every anomaly; the greatest of an `anomaly_id` is its present state.",
    key=("anomaly_id", "revision"),
    moment="updated_at",
    replaces=False,
    columns=(
        Column("anomaly_id", TEXT, "Hash of kind, entity, machine and episode."),
        Column("revision", WHOLE, "Grows with every published change of this record."),
        Column("kind", TEXT, "Of which kind."),
        Column("severity", TEXT, "`info`, `warning`, `error` or `critical`."),
        Column("status", TEXT, "`open`, `resolved` or `retracted`."),
        *_ENTITY,
        Column("machine", TEXT, "The state machine concerned."),
        Column("state", TEXT, "The state of that machine."),
        Column("cause", TEXT, "What it is put down to."),
        Column("title", TEXT, "One line for people."),
        Column("expected", TEXT, "What would clear it."),
        Column("evidence", TEXTS, "Ids of the events it rests on."),
        Column("count", WHOLE, "Faults it stands for."),
        Column("opened_at", TIMESTAMP, "When it began."),
        Column("updated_at", TIMESTAMP, "Time of the last event or deadline that changed the record."),
        Column("resolved_at", TIMESTAMP, "When it was over."),
        Column("planned", YESNO, "Whether the entity was inside an operation that someone began."),
        Column("parent_id", TEXT, "The incident or fault that explains it."),
        Column("superseded_by", TEXT, "Of a retracted record: the id that took its place."),
        Column("silenced_by", TEXT, "The silence that holds."),
        Column("runbook", TEXT, "Where to read on."),
    ),
)
TABLES = (TRANSITIONS, ANOMALIES)
_TAKEN = (
    "CREATE SCHEMA internal",
    "CREATE TABLE internal.about (version BIGINT)",
    f"INSERT INTO internal.about VALUES ({VERSION})",  # nosec B608  # the version is a number of ours
    "CREATE TABLE internal.positions (topic VARCHAR, part BIGINT, incarnation VARCHAR, next BIGINT,"
    " PRIMARY KEY (topic, part))",
)
PLACES = (
    Column("kafka_partition", WHOLE, "Partition of the topic."),
    Column("kafka_offset", WHOLE, "Offset of the record there."),
)


def creation() -> tuple[str, ...]:
    """The statements that make an empty store."""
    return (*_TAKEN, *map(_creation, TABLES))


def _creation(table: Table) -> str:
    columns = [f'"{column.name}" {column.type}' for column in (*table.columns, *PLACES)]
    return f"CREATE TABLE {table.name} ({', '.join(columns)}, PRIMARY KEY ({', '.join(table.key)}))"


def insertion(table: Table) -> str:
    """Takes one parameter: a JSON list of partition `p`, offset `o` and value `v`, a record's JSON as a string.

    All of it happens in DuckDB, outside of Python's lock.  What is no record of the table is left out.
    """
    shape = json.dumps({column.source: _shape(column) for column in table.columns})
    values = ", ".join(_value(column) for column in table.columns)
    needed = " AND ".join(f'r."{name}" IS NOT NULL' for name in {*table.key, "revision"})
    names = ", ".join(f'"{column.name}"' for column in (*table.columns, *PLACES))
    key = ", ".join(f'r."{name}"' for name in table.key)
    return (
        f"INSERT INTO {table.name} ({names}) SELECT {values}, e.p, e.o FROM (SELECT e, from_json("  # nosec B608  # names of ours, values are parameters
        f"CASE WHEN json_valid(e.v) THEN e.v END, '{shape}') AS r FROM (SELECT unnest(from_json(?, "
        """'[{"p": "BIGINT", "o": "BIGINT", "v": "VARCHAR"}]')) AS e))"""
        f" WHERE {needed} QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY r.revision DESC, e.o DESC) = 1"
        f" ON CONFLICT ({', '.join(table.key)}) DO {_conflict(table)}"
    )


def _conflict(table: Table) -> str:
    if not table.replaces:
        return "NOTHING"
    free = [column.name for column in (*table.columns, *PLACES) if column.name not in table.key]
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in free)
    return f"UPDATE SET {changes} WHERE excluded.revision >= {table.name}.revision"  # nosec B608  # as above


def _shape(column: Column) -> object:
    return ["VARCHAR"] if column.type == TEXTS else TEXT if column.type == TIMESTAMP else column.type


def _value(column: Column) -> str:
    place = f'r."{column.source}"'
    return f"try_cast({place} AS TIMESTAMP)" if column.type == TIMESTAMP else place


def pruning(table: Table) -> str:
    """Takes one parameter: the moment before which records go.  The present state of what is open stays."""
    gone = f'DELETE FROM {table.name} WHERE "{table.moment}" < ?'  # nosec B608  # as above
    if table.replaces:
        return gone
    last = f"SELECT anomaly_id, max(revision) FROM {table.name} GROUP BY anomaly_id"  # nosec B608  # as above
    return f"{gone} AND NOT (status = 'open' AND (anomaly_id, revision) IN ({last}))"


def forgetting(table: Table) -> str:
    """Takes one parameter: the partition whose records go."""
    return f"DELETE FROM {table.name} WHERE kafka_partition = ?"  # nosec B608  # as above
