"""Any SELECT of any function and type is answered in strict JSON, or refused by the one error that is caught.

Knows: DuckDB's own lists of functions and types, the store's questions.  Must not know: what is right to answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import cache
from typing import Any

import duckdb
import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streams.store.file import NAME, opened
from streams.web.sql import Refused
from tests.test_streams.test_store import Kept, put, told, transition

LITERALS = ("NULL", "0", "-1", "9223372036854775807", "1e308", "'nan'::DOUBLE", "''", "'a'", "'[1]'", "'{\"a\": null}'")
LITERALS += ("TIMESTAMP '290000-01-01'", "'infinity'::DATE", "INTERVAL 2000000000 MONTH", "TIME '24:00:00'", "now()")
LITERALS += ("[1, NULL]", "{'a': [1]}", "MAP {'a': 1}", "'a'::BLOB", "(SELECT any_value(title) FROM anomalies)", "'%s'")
TYPES = ("VARCHAR", "TIMESTAMP", "TIMESTAMPTZ", "DATE", "TIME", "TIMETZ", "INTERVAL", "UUID", "JSON", "HUGEINT", "BIT")
TYPES += (
    "VARIANT",
    "DECIMAL(38,9)",
    "TIMESTAMP_NS",
    "TIMESTAMP_S",
    "BLOB",
    "DOUBLE[]",
    "STRUCT(a INT)",
    "MAP(INT, INT)",
)


@cache
def functions() -> tuple[str, ...]:
    """Everything that may be called by name."""
    found = duckdb.connect().execute("SELECT DISTINCT function_name FROM duckdb_functions() ORDER BY ALL").fetchall()
    return tuple(name for (name,) in found if name.replace("_", "").isalnum())


@st.composite
def selects(draw: st.DrawFn) -> str:
    value = st.sampled_from(LITERALS)
    call = st.builds("{}({})".format, st.sampled_from(functions()), st.lists(value, max_size=3).map(", ".join))
    cast = st.builds("TRY_CAST({} AS {})".format, value | call, st.sampled_from(TYPES))
    made = draw(st.lists(call | cast | value, min_size=1, max_size=2))
    source = draw(st.sampled_from(("", " FROM anomalies", " FROM transitions GROUP BY ALL", " WHERE false")))
    return f"SELECT {', '.join(made)}{source}"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    with opened(tmp_path_factory.mktemp("store") / NAME, {"transitions": "t", "anomalies": "a"}) as store:
        put(store, "transitions", transition("x"), transition("y"))
        put(store, "anomalies", told("z", 1))
        yield Kept(store)


@given(query=selects() | st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
@example(query="SELECT INTERVAL 2000000000 MONTH")
def test_any_select_is_answered_in_json_or_refused(kept: Kept, query: str) -> None:
    try:
        answer: Any = asyncio.run(kept.sql(query))
    except Refused:
        return
    assert orjson.loads(answer.model_dump_json())["columns"]
