"""Asking a worker from a command: the client, and its failures as messages with the way out.

Knows: where the address and the token come from, which failure ends with which exit code.
Must not know: what is asked, how it is printed.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from streams import secret_files
from streams.cli.errors import PROBLEMS, CliError, aside, usage
from streams.client import BadServer, Client, Listing, Refused, Unavailable

NOT_FOUND, AMBIGUOUS, GONE, NO_TOKEN, INCOMPLETE = 404, 409, 410, 401, "incomplete"
SQL_SECONDS = 60.0
"""More than the worker takes for a query, as others may be before it."""
NO_WORKER = "start one with `hyperpod-state worker`, or name it with --server or HYPERPOD_STATE_SERVER"


class Incomplete(CliError):
    """A part of the fleet does not have what was asked for; the rest, which nobody answers for, might."""


def client_of(server: str, at: str | None = None, *, stale_ok: bool = False) -> Client:
    """A client of the worker at that address; with `at`, one that asks of that moment."""
    try:
        return Client(server, token=token(), at=at, stale_ok=stale_ok, tls=tls_for(server))
    except BadServer as error:
        raise usage(str(error), "give it with --server or HYPERPOD_STATE_SERVER") from None


def tls_for(server: str) -> ssl.SSLContext | None:
    """Whom to believe and what to show, by the settings that workers have for each other; None without https."""
    if not server.startswith("https:"):
        return None
    from pydantic import ValidationError

    from streams.http_access import HttpTls
    from streams.tls import Unusable, asking

    try:
        return asking(HttpTls())
    except ValidationError as error:
        raise usage(f"the settings cannot be used: {error.errors()[0]['msg']}") from None
    except Unusable as error:
        raise usage(str(error)) from None


def token() -> str | None:
    """What the worker asks for, if anybody told us."""
    try:
        return secret_files.http_token(os.environ)
    except secret_files.BadSecret as error:
        raise usage(str(error), "it is the token that the worker was started with") from None


def listing(client: Client, path: str, filters: Mapping[str, Sequence[str]]) -> Listing:
    """All of a list."""
    with _failures(), _noting(client):
        return client.list(path, filters)


def one(client: Client, path: str, clusters: Sequence[str]) -> dict[str, Any]:
    """The answer about one thing."""
    with _failures(_listed(path)), _noting(client):
        return client.get(path, {"cluster": clusters})


def known(client: Client, path: str, clusters: Sequence[str]) -> dict[str, Any] | None:
    """The same, or None where there is no such thing."""
    with _failures(), _noting(client):
        try:
            return client.get(path, {"cluster": clusters})
        except Refused as error:
            if error.status == NOT_FOUND:
                return None
            raise


def answer(client: Client, path: str, filters: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """An answer that has no pages."""
    with _failures(), _noting(client):
        return client.get(path, filters)


def asked_in_sql(client: Client, query: str) -> dict[str, Any]:
    """The store's answer."""
    with _failures("start the worker without HYPERPOD_STATE_STORE=false"):
        return client.post("sql", {"query": query}, SQL_SECONDS)


@contextmanager
def _noting(client: Client) -> Iterator[None]:
    """A line about what the answer lacks, once."""
    before = dict(client.lacks)
    yield
    if client.lacks != before:
        said = [f"{number} {'is missing' if at is None else f'as of {at}'}" for number, at in client.lacks.items()]
        aside(f"partial: partition {', '.join(said)}")


def _listed(path: str) -> str:
    """The command that lists what a path names one of."""
    kind = {"clusters": "clusters", "instance-groups": "groups"}.get(path.partition("/")[0], "instances")
    return f"list them with `hyperpod-state get {kind}`"


def _refused_token() -> tuple[str, str]:
    """What a worker says to a program is to send a header; people set a variable."""
    where = f"{secret_files.TOKEN}, or a file with it in {secret_files.TOKEN_FILE}"
    if token() is None:
        return "the worker answers only who sends its token", f"give it in {where}"
    return "the token is not the worker's", f"it is the one that the worker was started with: give that in {where}"


@contextmanager
def _failures(nothing: str = "it may be an older worker: `hyperpod-state doctor` names versions") -> Iterator[None]:
    try:
        yield
    except Unavailable as error:
        kind = Incomplete if error.code == INCOMPLETE else CliError
        raise kind(str(error), error.hint or NO_WORKER) from None
    except Refused as error:
        if error.status == NOT_FOUND:
            raise CliError(str(error), nothing, PROBLEMS) from None
        if error.status == NO_TOKEN:
            told = _refused_token() if "token" in str(error) else (str(error), error.hint)  # or a certificate is wanted
            raise usage(*told) from None
        if error.status == AMBIGUOUS:  # a worker names the parameter
            raise usage(str(error), (error.hint or "").replace("cluster=", "--cluster ").strip()) from None
        if error.status == GONE:
            raise CliError(str(error), error.hint) from None
        raise usage(str(error), error.hint) from None
