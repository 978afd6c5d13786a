"""The API's description, made complete: who may ask, what each refusal means, when to come back, examples.

Knows: which refusals each operation may meet, by its place and its parameters.
Must not know: how an answer is found.

FastAPI describes parameters and answers from the routes.  Refusals come from the layers around them
(`streams.web.doors`) and from what routes share, so they are told here, once, and every operation points at them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import orjson
from fastapi import FastAPI

from streams.web.answers import RETRY_AFTER
from streams.web.auth import OPEN

INTRO = """What a hyperpod-state worker knows of SageMaker HyperPod clusters, reconstructed from their events.

Any worker answers for the whole fleet. Every answer says of which moment it is (`as_of`) and how many records wait
behind it (`lag`). Lists come in pages: ask again with `continue` until it is null. `at=` asks of an earlier moment, and
is answered exactly or not at all (410). Unknown parameters are refused, and unknown fields of answers are to be
ignored: new ones come without a new version of this API.

Whatever is not 200 has a body with `error`: a `code` for programs, a `message`, and a `hint` that says what to do.
Where `Retry-After` is sent, the same question is worth asking again after so many seconds. What is asked often should
be asked with `stale=ok`, or read from Kafka (`/asyncapi.json`).
"""
SCHEMES = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "The worker's `HYPERPOD_STATE_HTTP_TOKEN`, where it has one. A worker that listens beyond "
        "loopback has a token, or asks for certificates, or both.",
    },
    "certificate": {
        "type": "mutualTLS",
        "description": "A certificate of an authority in the worker's `HYPERPOD_STATE_HTTP_TLS_CLIENT_CA_FILE`.",
    },
}
SECURITY: list[dict[str, list[str]]] = [{}, {"token": []}, {"certificate": []}, {"token": [], "certificate": []}]
TAGS = {
    "lists": "Everything there is, in pages.",
    "one": "One cluster, instance group or instance: what it is, what happened to it, what it is doing.",
    "overview": "The fleet in one answer.",
    "words": "What words mean and what may follow what; the same for every fleet.",
    "service": "The worker itself.",
}
OVERVIEW = ("fleet", "summary", "stream", "pipeline", "report", "sql")
WORDS = ("machines", "explain")
RETRY = {
    "Retry-After": {
        "description": "Seconds after which to ask again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1, "examples": [RETRY_AFTER]},
    }
}
WHO = {
    "WWW-Authenticate": {
        "description": "Only where a token is wanted.",
        "schema": {"type": "string", "const": "Bearer"},
    }
}
Refused = tuple[str, str, Mapping[str, tuple[str, str]], dict[str, Any]]
REFUSALS: Mapping[str, Refused] = {
    "400": (
        "BadRequest",
        "The question cannot be understood; nothing was asked of the fleet.",
        {
            "bad_parameter": ("limit: Input should be greater than or equal to 1", "see /openapi.json"),
            "unknown_parameter": ("no parameter 'custer' here", "see /openapi.json"),
            "future": ("at: 2026-10-05T12:00:00.000Z is not known yet, the present answer is of …", "leave at away"),
            "bad_continue": ("the continue token is not one of this list", "start again without it"),
            "bad_query": (
                "only one SELECT can be asked",
                "one SELECT over the tables transitions and anomalies; `DESCRIBE anomalies` names the columns",
            ),
            "bad_share": ("the header Hyperpod-State-Share cannot be read", "leave it away"),
        },
        {},
    ),
    "401": (
        "Unauthorized",
        "A token, or a certificate, is needed here.",
        {
            "unauthorized": (
                "a token is needed here",
                "send the header Authorization: Bearer with the worker's HYPERPOD_STATE_HTTP_TOKEN",
            )
        },
        WHO,
    ),
    "403": (
        "CrossSite",
        "A browser asks for a page of elsewhere.",
        {
            "cross_site": (
                "pages of elsewhere may not ask here",
                "ask from the command line, or from a server of your own",
            )
        },
        {},
    ),
    "404": (
        "NotFound",
        "There is no such thing, as far as the whole fleet knows.",
        {
            "not_found": ("no instance 'i-0' is known", "list them with /api/v1/instances"),
            "store_off": ("this worker keeps no store", "start it without HYPERPOD_STATE_STORE=false"),
        },
        {},
    ),
    "409": (
        "Ambiguous",
        "Several are called so.",
        {"ambiguous": ("2 instances are called 'worker-1'", "give its EC2 id, or cluster=")},
        {},
    ),
    "410": (
        "Gone",
        "Nothing exact is kept of that moment; `oldest_at` is the first that can be told of all that was asked for.",
        {"gone": ("nothing exact is kept of 2026-01-01T00:00:00.000Z", "the oldest moment of it is …")},
        {},
    ),
    "413": (
        "TooLarge",
        "The body is too large.",
        {"too_large": ("the body is larger than 262144 bytes", "send a shorter query")},
        {},
    ),
    "414": (
        "TooLong",
        "The address is too long.",
        {"too_long": ("path and query are longer than 16384 bytes", "ask several times, with fewer names each")},
        {},
    ),
    "421": (
        "UnknownHost",
        "The worker is asked by a name that is not its own.",
        {
            "unknown_host": (
                "this worker has no such name",
                "ask by address or as localhost, or add the name to HYPERPOD_STATE_HTTP_ALLOWED_HOSTS",
            )
        },
        {},
    ),
    "429": (
        "TooOften",
        "This client asks too often, or sent too many wrong tokens.",
        {"too_often": ("this client asks too often", "ask again in 3 s")},
        RETRY,
    ),
    "500": (
        "Internal",
        "A fault of this program.",
        {"internal": ("Internal Server Error: KeyError", "the worker's log has the details")},
        {},
    ),
    "503": (
        "NotNow",
        "It cannot be answered now, or not for the whole fleet.",
        {
            "incomplete": (
                "partition 3 has no owner that is known here",
                "ask again later; with stale=ok (--stale-ok) you get what was last known",
            ),
            "not_ready": ("reading tables back from Kafka: 43% so far", "ask again later; /readyz says how far it is"),
            "history_behind": ("the events up to then are still being read", "ask again in a few seconds"),
            "busy": ("100 requests are being answered", "ask again in a few seconds"),
            "store_not_ready": ("the store is being filled", "ask again in a few seconds"),
            "other_version": ("this worker speaks version 1 of Hyperpod-State-Share", "update all workers"),
        },
        RETRY,
    ),
}
"""By status: a name, what it means, every code with an example of its message and hint, headers."""


def complete(api: FastAPI) -> None:
    """Lets `api.openapi()`, and with it `/openapi.json`, be the whole description."""
    plain = api.openapi

    @cache
    def openapi() -> dict[str, Any]:
        return _completed(plain())

    api.openapi = openapi  # type: ignore[method-assign]  # the way FastAPI names for this


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    parts = document["components"]
    for name in ("HTTPValidationError", "ValidationError"):  # FastAPI's own form of a refusal, which nobody gets
        parts["schemas"].pop(name, None)
    parts["responses"] = {name: _response(status) for status, (name, *_) in REFUSALS.items()}
    parts["securitySchemes"] = SCHEMES
    examples = _examples()
    for path, method, operation in operations(document):
        _complete_one(path, method, operation)
        _show(operation, examples)
    tags = [{"name": name, "description": text} for name, text in TAGS.items()]
    servers = [{"url": "/", "description": "The worker that serves this document."}]
    return {**document, "servers": servers, "security": SECURITY, "tags": tags}


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and description of each."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def _complete_one(path: str, method: str, operation: dict[str, Any]) -> None:
    own = operation["responses"]
    for unsaid in ("422", "4XX"):  # what FastAPI would add, and what the routes stand in for it with
        own.pop(unsaid, None)
    asked = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"}
    met = _met(path, method, asked) - own.keys()
    refusals = {status: {"$ref": f"#/components/responses/{REFUSALS[status][0]}"} for status in met}
    operation["responses"] = dict(sorted({**own, **refusals}.items()))
    operation["tags"] = [_tag(path)]
    if path in OPEN:
        operation["security"] = []
    for response in own.values():
        response["description"] = MEANT.get(response["description"], response["description"])


MEANT = {"Successful Response": "The answer.", "Service Unavailable": "Not yet: how far it is."}
"""FastAPI's words for what nobody described."""


def _met(path: str, method: str, parameters: set[str]) -> set[str]:
    """The statuses that an operation may be refused with."""
    met = {"403", "414", "421", "500"}
    if path not in OPEN:
        met |= {"401", "429", "503"}
    if parameters or method == "post":
        met.add("400")
    if method == "post":
        met |= {"404", "413"}
    if "at" in parameters:
        met.add("410")
    if "{" in path:
        met.add("404")
    return met | ({"409"} if "{name}" in path and "cluster" in parameters else set())


def _tag(path: str) -> str:
    word = path.removeprefix("/api/v1/").partition("/")[0]
    if not path.startswith("/api/"):
        return "service"
    if "{name}" in path:
        return "one"
    return "overview" if word in OVERVIEW else "words" if word in WORDS else "lists"


def _response(status: str) -> dict[str, Any]:
    _, meaning, codes, headers = REFUSALS[status]
    examples = {code: {"value": {"error": _problem(status, code, *told)}} for code, told in codes.items()}
    schema = {"$ref": "#/components/schemas/ErrorAnswer"}
    body = {"content": {"application/json": {"schema": schema, "examples": examples}}}
    return {"description": meaning, **({"headers": headers} if headers else {}), **body}


def _problem(status: str, code: str, message: str, hint: str) -> dict[str, Any]:
    problem: dict[str, Any] = {"code": code, "message": message, "hint": hint}
    return {**problem, "oldest_at": "2026-09-01T00:00:00.000Z"} if status == "410" else problem


def _examples() -> dict[str, Any]:
    """Answers by operation, of the incident that the package ships (`streams.reference.examples`)."""
    found: dict[str, Any] = orjson.loads(files("streams.web").joinpath("examples.json").read_bytes())
    return found


def _show(operation: dict[str, Any], examples: Mapping[str, Any]) -> None:
    for kind, content in operation["responses"].get("200", {}).get("content", {}).items():
        if kind == "application/json" and operation["operationId"] in examples:
            content["example"] = examples[operation["operationId"]]
