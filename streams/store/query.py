"""Questions in SQL, answered so that they can read the store and do nothing else.

Knows: which statements and functions are let through, limits of time and rows, how values look in JSON.
Must not know: HTTP, how the store is filled.

DuckDB's own locks are not enough: some functions that a SELECT may call write files, read memory by address or end
the process.  So a query is parsed first, and its functions are looked up in lists.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import orjson

from streams.store.file import Store
from streams.web.sql import LARGEST, ROWS, SECONDS

STEP = 100
SOURCES = frozenset({"range", "generate_series", "unnest", "json_each", "json_tree"})
"""Functions that may stand where a table does."""
_ACTS = {"getenv", "nextval", "currval", "setseed", "sleep_ms", "write_log"}
_GROWS = {"repeat", "lpad", "rpad", "printf", "format", "bar"}
_LISTS = {"range", "generate_series", "list_resize", "array_resize"}
FORBIDDEN = frozenset(_ACTS | _GROWS | _LISTS)
"""Functions of values that do something or wait, or make much of little: DuckDB does not count that memory."""
INT64 = range(-(2**63), 2**64)
_OLDEST = "SELECT least((SELECT min(time) FROM transitions), (SELECT min(updated_at) FROM anomalies))"


class BadQuery(ValueError):
    """The query cannot be answered; the message says why, in DuckDB's words where it is DuckDB that refuses."""


@dataclass(frozen=True)
class Found:
    """`cut`: there is more than these rows.  `oldest` is the store's oldest record."""

    columns: tuple[tuple[str, str], ...]
    items: list[dict[str, Any]]
    cut: bool
    oldest: str | None


def ask(store: Store, query: str, seconds: float = SECONDS, rows: int = ROWS) -> Found:
    """Raises BadQuery."""
    cursor = store.cursor()
    done, late = threading.Event(), threading.Event()

    def watch() -> None:
        if not done.wait(seconds):
            late.set()
            while not done.wait(0.1):  # what interrupts nothing, between two statements, is lost
                cursor.interrupt()

    watcher = threading.Thread(target=watch, name="sql-limit", daemon=True)
    watcher.start()
    try:
        return _answer(cursor, query, rows)
    except duckdb.Error as error:
        if late.is_set():
            raise BadQuery(f"the query took more than {seconds:g} s and was given up") from None
        raise BadQuery(str(error)) from None
    finally:
        done.set()
        watcher.join()
        cursor.close()


def _answer(cursor: duckdb.DuckDBPyConnection, query: str, rows: int) -> Found:
    cursor.execute("BEGIN TRANSACTION READ ONLY")
    _check(cursor, query)
    oldest = cursor.execute(_OLDEST).fetchone()
    cursor.execute(query)
    described = cursor.description or []
    found, cut = _fetched(cursor, rows)
    columns = tuple(zip(_names([each[0] for each in described]), [str(each[1]) for each in described], strict=True))
    names = [name for name, _ in columns]
    items = [dict(zip(names, map(_plain, row), strict=True)) for row in found]
    # DuckDB gives what is outside the years of Python as text; no record of ours is.
    return Found(columns, items, cut, _plain(oldest[0]) if oldest and isinstance(oldest[0], datetime) else None)


def _fetched(cursor: duckdb.DuckDBPyConnection, rows: int) -> tuple[list[tuple[Any, ...]], bool]:
    """As many rows as an answer may have, and whether there are more."""
    found: list[tuple[Any, ...]] = []
    size = 0
    while len(found) <= rows and size <= LARGEST and (step := _step(cursor)):
        found += step
        size += sum(map(_size, step))
    return found[:rows], len(found) > rows or size > LARGEST


def _size(value: Any) -> int:
    """About how long a value is in JSON, and at least what it takes to have one."""
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, dict):
        return sum(map(_size, (*value.keys(), *value.values())))
    if isinstance(value, list | tuple):
        return sum(map(_size, value))
    return 8


def _step(cursor: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    try:
        return cursor.fetchmany(STEP)
    except (OverflowError, ValueError) as error:  # DuckDB's intervals are longer than Python's
        raise BadQuery(f"a value is out of range ({error}): cast it to VARCHAR") from None


def _check(cursor: duckdb.DuckDBPyConnection, query: str) -> None:
    """One SELECT of known functions, or BadQuery."""
    row = cursor.execute("SELECT json_serialize_sql(?::VARCHAR)", [query]).fetchone()
    try:
        tree = orjson.loads(row[0]) if row else {}
    except orjson.JSONDecodeError:
        raise BadQuery("the query is nested too deeply") from None
    if tree.get("error") or "statements" not in tree:
        refused = str(tree.get("error_message") or "the query cannot be parsed")
        raise BadQuery("only a SELECT is answered here" if tree.get("error_type") == "not implemented" else refused)
    if len(tree["statements"]) != 1:
        raise BadQuery("one SELECT at a time")
    for node in _nodes(tree):
        if node.get("type") == "TABLE_FUNCTION":
            name = _function(node.get("function") or {})
            if name not in SOURCES:
                raise BadQuery(f"{name} cannot be read from here; functions that can: {', '.join(sorted(SOURCES))}")
        elif _function(node) in FORBIDDEN:
            raise BadQuery(f"{_function(node)} cannot be called here")


def _function(node: Mapping[str, Any]) -> str:
    return str(node.get("function_name", "")).lower()


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    waiting = [tree]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            yield each
            waiting += each.values() if each.get("type") != "TABLE_FUNCTION" else _arguments(each)
        elif isinstance(each, list):
            waiting += each


def _arguments(source: Mapping[str, Any]) -> list[Any]:
    """All of it but the name of its function, which was looked at already."""
    function = {**(source.get("function") or {}), "function_name": ""}
    return [*(value for name, value in source.items() if name != "function"), function]


def _names(given: Sequence[str]) -> list[str]:
    """Each once: the second `x` is `x_2`."""
    names: list[str] = []
    for name in given:
        number, unique = 1, name
        while unique in names:
            number += 1
            unique = f"{name}_{number}"
        names.append(unique)
    return names


def _plain(value: Any) -> Any:
    """As JSON has it; times as everywhere else in the project."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return value if value in INT64 else str(value)
    if isinstance(value, float | Decimal):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, datetime):
        return f"{value.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, dict):
        return {str(_plain(key)): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value.hex() if isinstance(value, bytes) else str(value)
