"""`--query`: the part of a document that somebody wants, as a JMESPath expression.

Knows: JMESPath, and how to say where an expression is wrong.
Must not know: what is asked for.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer

from streams.cli.errors import usage

MANUAL = "the language is JMESPath (https://jmespath.org/specification.html), the document what -o json prints"


class Expression:
    """One that can be read."""

    def __init__(self, text: str) -> None:
        """ValueError, with the place, where it cannot."""
        import jmespath
        from jmespath.exceptions import JMESPathError, ParseError

        try:
            self._parsed = jmespath.compile(text)
        except ParseError as error:
            raise ValueError(_at(text, error.lex_position, _reason(error))) from None
        except JMESPathError as error:
            raise ValueError(str(error)) from None
        if unknown := _unknown_function(self._parsed.parsed):
            found = re.search(rf"\b{re.escape(unknown)}\s*\(", text)
            raise ValueError(_at(text, found.start() if found else 0, f"there is no function {unknown}()"))
        self.text = text

    def of(self, document: Any) -> Any:
        """What it picks; null where there is no such thing, as JMESPath has it.  Ends the command where it cannot."""
        from jmespath.exceptions import JMESPathError

        try:
            return self._parsed.search(document)
        except JMESPathError as error:
            raise usage(f"--query {self.text!r} does not fit the document: {error}", MANUAL) from None


def _read(text: str) -> Expression:
    try:
        return Expression(text)
    except ValueError as error:
        raise typer.BadParameter(f"{error}\n{MANUAL}") from None


Query = Annotated[
    Expression | None,
    typer.Option(
        "--query",
        parser=_read,
        metavar="JMESPATH",
        help="Only this part of the JSON, such as 'items[].title'; prints JSON unless -o says yaml or jsonl.",
    ),
]


def _at(text: str, place: int, reason: str) -> str:
    """The reason, and below the expression a mark where it is."""
    before, line = text[:place].count("\n"), text.rfind("\n", 0, place) + 1
    shown = text.split("\n")
    shown.insert(before + 1, " " * (place - line) + "^")
    return "\n".join([f"{reason} at column {place - line + 1}:", *(f"  {each}" for each in shown)])


def _reason(error: Any) -> str:
    """In a few words; the library's own message repeats the expression."""
    told = getattr(error, "message", None) or error.msg
    if error.token_value is None:
        return "the expression ends too early"
    return str(told).rstrip(".")


def _unknown_function(node: Any) -> str | None:
    """The first name that is called and that JMESPath does not have; it would say so of data only."""
    from jmespath.functions import Functions

    if node["type"] == "function_expression" and node["value"] not in Functions.FUNCTION_TABLE:
        return str(node["value"])
    below = (_unknown_function(each) for each in node.get("children", ()) if isinstance(each, dict))
    return next((name for name in below if name), None)
