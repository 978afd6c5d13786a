"""The page about the HTTP API: its routes and what may be asked of them.

Knows: the application's own description (OpenAPI).
Must not know: how a question is answered.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from streams.reference.markdown import code, page, table

Described = dict[str, Any]


def api() -> str:
    """Every route, then every parameter."""
    from streams.web.api import create_api

    nobody: Any = None  # the routes are described, none is asked
    paths: Described = create_api(nobody).openapi()["paths"]
    asked = [(path, method, route) for path, methods in paths.items() for method, route in methods.items()]
    intro = (
        "Any worker answers for the whole fleet. Every answer says how fresh it is (`as_of`, `lag`); while a partition"
        " has no owner it is refused with 503 and `Retry-After`, or with `stale=ok` given as last known and marked"
        " `partial`. Items have the fields that `replay -o json` prints. Errors are JSON, with a code and a hint."
        " All of it, with the shapes of the answers, is in `/openapi.json` of a worker; `/metrics` is for Prometheus,"
        " `/` is the [dashboard](../dashboard.md)."
        " Who may ask: [several workers](../workers.md), [security](../security.md)."
    )
    rows = [(code(f"{method.upper()} {path}"), _means(route), _asks(route)) for path, method, route in asked]
    parameters = table(("parameter", "meaning"), _parameters(asked))
    return page("HTTP API", intro, table(("route", "answer", "parameters"), rows), "## Parameters", parameters)


def _means(route: Described) -> str:
    """What its function says of it; a list says so by its name alone."""
    return str(route.get("description") or f"The {route['summary'].lower()}, page by page.").split("\n\n")[0]


def _asks(route: Described) -> str:
    return ", ".join(code(each["name"]) for each in route.get("parameters", ()) if each["in"] == "query")


def _parameters(asked: list[tuple[str, str, Described]]) -> Iterator[tuple[str, str]]:
    """Each once, in the order in which they come up."""
    told: dict[str, str] = {}
    for _, _, route in asked:
        for each in route.get("parameters", ()):
            text = each.get("description") or each.get("schema", {}).get("description") or ""
            told[each["name"]] = told.get(each["name"]) or text
    yield from ((code(name), text) for name, text in told.items() if text)
