"""Checks of the worker by its HTTP side, and of what this program is made of.

Knows: `/readyz`, how old an answer may be, names of packages.
Must not know: Kafka, terminals.
"""

from __future__ import annotations

import platform
import ssl
import time
from collections.abc import Iterator
from datetime import datetime

from streams.client import BadServer, Client, Refused, Unavailable
from streams.doctor.check import Check, fail, ok, span, warn
from streams.doctor.clocks import worker_clock
from streams.version import FAUST, PROJECT, installed

OLD_MS = 60_000
"""The worker's clock moves every few seconds, also while no event comes."""
PACKAGES = (PROJECT, FAUST, "aiokafka", "kafka-python", "rocksdict")


def worker_checks(server: str, token: str | None, tls: ssl.SSLContext | None = None) -> Iterator[Check]:
    """Whether a worker answers, is ready, and how old its answers are."""
    try:
        client = Client(server, timeout=5.0, token=token, tls=tls)
        state = client.ready()
        yield _ready(server, state)
        yield from _about(client)
        if state.get("ready") is True:
            yield _answers(client)
    except BadServer as error:
        yield fail("http", str(error), "give it with --server or HYPERPOD_STATE_SERVER")
    except Unavailable as error:
        yield warn("http", str(error), "hyperpod-state doctor --server URL  # where it is, or hyperpod-state worker")
    except Refused as error:
        yield fail("http", str(error), error.hint)


def versions() -> Check:
    """What runs here."""
    found = [f"Python {platform.python_version()}", *(_version(name) for name in PACKAGES)]
    return ok("versions", ", ".join(found))


def _version(name: str) -> str:
    return f"{name} {installed(name) or 'not installed'}"


def _ready(server: str, state: dict[str, object]) -> Check:
    if state.get("ready") is True:
        return ok("http", f"the worker at {server} is ready")
    why = state.get("message", "no reason given")
    return fail("http", f"the worker at {server} is not ready: {why}", _look(server))


def _look(server: str) -> str:
    return f"curl -s {server}/readyz  # how far each partition is; the worker's log says what it waits for"


def _about(client: Client) -> Iterator[Check]:
    """What the worker says of itself."""
    asked = time.time()
    theirs, date = client.about()
    own, between = installed(), (asked + time.time()) / 2 * 1000
    if theirs is not None and theirs != own:
        words = f"the worker is {theirs}, this command {own or 'not installed'}"
        yield warn("worker's version", words, f"pip install --upgrade {PROJECT}  # where it is the older one")
    else:
        yield ok("worker's version", f"{theirs or 'not told'}")
    yield worker_clock(date, between)


def _answers(client: Client) -> Check:
    """Whether it can tell of the whole fleet, and how old that is."""
    try:
        return _fresh(client.get("clusters", {"limit": ["1"]}), client.server)
    except Unavailable as error:
        return fail("answers", str(error), error.hint or _look(client.server))


def _fresh(answer: dict[str, object], server: str) -> Check:
    as_of, lag = answer.get("as_of"), answer.get("lag")
    if not isinstance(as_of, str):
        return fail("answers", "the worker does not say of when its answers are", _look(server))
    age = time.time() * 1000 - datetime.fromisoformat(as_of).timestamp() * 1000
    words = f"as of {span(max(0.0, age))} ago, lag {lag}"
    if age > OLD_MS:
        return warn("answers", words, "hyperpod-state doctor  # again: with a backlog it should fall")
    return ok("answers", words)
