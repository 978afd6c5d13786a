"""`sql QUERY`: a SELECT over what the worker's store keeps.

Knows: how an answer is printed.
Must not know: what may be asked, where it is kept.
"""

from __future__ import annotations

import csv
import io
from enum import StrEnum
from typing import Annotated, Any

import orjson
import typer

from streams.cli import output
from streams.cli.ask import asked_in_sql, client_of
from streams.cli.errors import note, usage
from streams.cli.manner import Manner, present
from streams.cli.options import DEFAULT_SERVER, NoColor, Server
from streams.cli.output import Format
from streams.cli.query import Query
from streams.cli.table import Cell, render, text

Select = Annotated[str, typer.Argument(metavar="QUERY", help="One SELECT over the tables transitions and anomalies.")]


class SqlFormat(StrEnum):
    """What `-o` takes here."""

    table = "table"
    json = "json"
    yaml = "yaml"
    jsonl = "jsonl"
    csv = "csv"


Output = Annotated[SqlFormat, typer.Option("--output", "-o", help="How to print it.", show_default=True)]


def sql(
    select: Select,
    form: Output = SqlFormat.table,
    query: Query = None,
    no_color: NoColor = False,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Ask the worker's store of transitions and anomalies in SQL (DuckDB's), read-only.

    Tables and columns are in docs/reference/store.md.  How fresh the store is goes to standard error.
    """
    if query is not None and form is SqlFormat.csv:
        raise usage("--query gives JSON, which is no CSV", "name the columns in the SELECT, or leave out -o csv")
    body = asked_in_sql(client_of(server), select)
    names = [str(column["name"]) for column in body["columns"]]
    if form is SqlFormat.csv:
        output.write_csv(_csv(names, body["items"]))
    else:
        manner = Manner(Format(form.value), query, no_color)
        rows = ([_cell(item[name]) for name in names] for item in body["items"])
        present(manner, body, lambda: render(names, [*rows], manner.screen))
    _note(body)


def _cell(value: Any) -> Cell:
    return text(_word(value))


def _word(value: Any) -> Any:
    """What is not a single value as JSON; true and false as SQL has them."""
    return orjson.dumps(value).decode() if isinstance(value, dict | list | bool) else value


def _csv(names: list[str], items: list[dict[str, Any]]) -> str:
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_word(item[name]) for name in names] for item in items)
    return made.getvalue()


def _note(body: dict[str, Any]) -> None:
    """How far the store is, where it does not mix with the data."""
    count = len(body["items"])
    if body["cut"]:
        note(f"cut after {count} rows: add LIMIT or WHERE")
    state = f"complete up to {body['as_of']}" if body["as_of"] else "still being filled"
    note(f"the store is {state}, {body['lag']} behind; oldest record {body['oldest'] or 'none'}")
