"""The runbooks as pages of the worker: one click from an anomaly, with its own names in the commands.

Knows: paths, parameters, where links of a runbook lead.
Must not know: what a runbook says, the fleet.  The names come with the address, so nothing here needs a token.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated

from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from models.public import AnomalyKind
from streams.reference.markdown import code
from streams.runbooks import pages
from streams.runbooks.guide import EXAMPLES, NAME
from streams.runbooks.places import PATH
from streams.web import prose
from streams.web.answers import ApiError
from streams.web.page import FRESH, File, file_of, sent

Name = Annotated[str | None, Field(pattern=f"^{NAME}$")]
"""Whatever else stood in a command could be run by whoever copies it from a link that somebody sent."""


class Named(BaseModel):
    """Whose anomaly it is; where nothing is told, examples stand in the commands."""

    model_config = ConfigDict(extra="forbid")
    cluster: Name = None
    cluster_id: Name = None
    group: Name = None
    instance: Name = None
    event: Name = None
    anomaly: Name = None

    def names(self) -> Mapping[str, str]:
        """As the texts of runbooks have them in braces."""
        told = self.model_dump(exclude_none=True)
        return {name.upper(): value for name, value in told.items()} or EXAMPLES


def runbook_routes(api: FastAPI) -> None:
    """Adds the list, and the page of each kind."""

    @cache
    def all_of_them() -> File:
        return file_of("runbooks.html", _page("Runbooks", "\n\n".join(pages.index()), None))

    @api.get(PATH, include_in_schema=False, response_class=HTMLResponse)
    async def listed(request: Request) -> Response:
        return sent(all_of_them(), request, FRESH)

    @api.get(f"{PATH}/{{name}}", include_in_schema=False, response_class=HTMLResponse)
    async def one(name: str, query: Annotated[Named, Query()], request: Request) -> Response:
        # As the files of docs/ are named: there where docs/ is expected (`alerts`), a worker's address will do.
        kind = name.removesuffix(".md")
        if kind not in list(AnomalyKind):
            raise ApiError(404, "not_found", f"there is no runbook of {kind!r}", f"{PATH} lists all of them")
        return sent(file_of("runbook.html", _runbook(AnomalyKind(kind), query)), request, FRESH)


def _runbook(kind: AnomalyKind, query: Named) -> bytes:
    names = query.names()
    head = f"{pages.severity(kind)} The same in a terminal: {code(f'hyperpod-state explain {kind}')}"
    return _page(str(kind), "\n\n".join([head, _whose(names), *pages.parts(kind, names)]), query.anomaly)


def _whose(names: Mapping[str, str]) -> str:
    if names is EXAMPLES:
        return "Names in the commands are examples."
    told = ", ".join(f"{name.lower().replace('_', ' ')} {code(value)}" for name, value in names.items())
    missing = ", ".join(code(name) for name in EXAMPLES if name not in names)
    return f"Commands are for {told}." + (f" Fill in yourself: {missing}." if missing else "")


def _page(title: str, text: str, anomaly: str | None) -> bytes:
    back = f"[This anomaly](/anomalies?id={anomaly}&status=all)" if anomaly else "[Anomalies](/anomalies)"
    nav = f"[Fleet](/) · {back} · [All runbooks]({PATH})"
    return prose.page(title, f"# {title}\n\n{_linked(text)}", nav, "Ways back", prose.ABOVE)


def _linked(text: str) -> str:
    """Links to other runbooks lead there; pages that a worker does not serve are no links."""
    here = re.sub(r"\]\((\w+)\.md\)", rf"]({PATH}/\1)", text)
    return re.sub(r"\[([^\]]+)\]\(\.\./[^)]+\)", r"\1", here)
