"""The page of the store: its tables and columns, what may be asked.

Knows: the tables' own table, limits.
Must not know: how the store is filled or asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from streams.reference.markdown import block, code, page, table
from streams.store.query import FORBIDDEN, SOURCES
from streams.store.tables import PLACES, TABLES
from streams.web.sql import LARGEST, LONGEST, ROWS, SECONDS

INTRO = (
    "A worker keeps what the topics of transitions and anomalies said, of all their partitions, in one DuckDB file in"
    " its data folder, by a process of its own that has no part in the state. `hyperpod-state sql` and"
    " `POST /api/v1/sql` ask it; `HYPERPOD_STATE_STORE=false` turns it off. `HYPERPOD_STATE_STORE_DAYS` says for how"
    " long it keeps (the present state of what is open stays longer)."
)
RULES = (
    "One SELECT in the [SQL of DuckDB](https://duckdb.org/docs/stable/sql/introduction), of at most"
    f" {LONGEST:,} characters, for at most {SECONDS:g} s. An answer has at most {ROWS:,} rows and about {LARGEST:,}"
    " characters; `cut` is true where there is more. Nothing can be written, and no file read. Functions that may"
    " stand in place of a table: "
)
BARRED = "Functions that cannot be called: "
TIMES = "Times are UTC: in SQL as TIMESTAMP without a zone, in answers as everywhere with `Z`."
FRESH = (
    "Every answer says how far the store is: all that was on the topics at `as_of` is in it (null while it is being"
    " filled), `lag` offsets wait, and `oldest` is the time of its oldest record. A file that cannot be read is laid"
    " aside as `store.duckdb.unreadable` and a new one filled from Kafka: transitions as far back as their topic keeps"
    " them, anomalies as their compacted topic has them, which may be the last revision alone."
)
EXAMPLE = """hyperpod-state sql "SELECT kind, count(DISTINCT anomaly_id) AS found FROM anomalies GROUP BY kind"
hyperpod-state sql -o csv "SELECT * FROM transitions WHERE time > now() - INTERVAL 7 DAY AND status = 'accepted'"
hyperpod-state sql "SELECT max_by(status, revision) AS status, title FROM anomalies GROUP BY anomaly_id, title"
"""


def store() -> str:
    """Every table, every column."""
    rules = f"{RULES}{_listed(SOURCES)}. {BARRED}{_listed(FORBIDDEN)}."
    return page("The store, and SQL over it", INTRO, block("bash", EXAMPLE), rules, TIMES, FRESH, *_tables())


def _listed(names: Collection[str]) -> str:
    return ", ".join(code(name) for name in sorted(names))


def _tables() -> Iterator[str]:
    for each in TABLES:
        yield f"## {each.name}"
        yield each.meaning
        rows = [(code(column.name), column.type, column.meaning) for column in (*each.columns, *PLACES)]
        yield table(("column", "type", "meaning"), rows)
