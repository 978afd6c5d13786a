"""The API's description for people: as Markdown for the documentation, as one page that a worker serves.

Knows: the parts of an OpenAPI document, Markdown.
Must not know: routes, who asks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from streams.reference.markdown import block, code, table
from streams.web import prose
from streams.web.openapi import REFUSALS, operations
from streams.web.prose import anchor

Document = Mapping[str, Any]
LINKS = (
    "For programs: [openapi.json](/openapi.json) (this), [asyncapi.json](/asyncapi.json) (the topics). For people: the"
    " [dashboard](/)."
)


def markdown(document: Document) -> Iterator[str]:
    """Every operation by tag, then refusals, then the fields of all answers; parts without a title."""
    yield document["info"]["description"]
    for tag in document["tags"]:
        yield f"## {tag['name'].capitalize()}"
        yield tag["description"]
        for path, method, operation in operations(document):
            if operation["tags"] == [tag["name"]]:
                yield from _operation(path, method, operation)
    yield from _refusals(document)
    yield from _fields(document)


def page(document: Document) -> bytes:
    """The same as HTML."""
    text = "\n\n".join(["# HTTP API", LINKS, *markdown(document)])
    return prose.page("HTTP API", text, "\n".join(_nav(document)), "Operations", prose.BESIDE)


def _nav(document: Document) -> Iterator[str]:
    for tag in document["tags"]:
        yield f"\n**{tag['name'].capitalize()}**\n"
        for path, method, operation in operations(document):
            if operation["tags"] == [tag["name"]]:
                yield f"- [{path}](#{anchor(_title(path, method))})"
    yield "\n[Refusals](#refusals)\n\n[Fields](#fields)"


def _title(path: str, method: str) -> str:
    return f"{method.upper()} {path}"


def _operation(path: str, method: str, operation: Document) -> Iterator[str]:
    yield f"### {_title(path, method)}"
    yield operation["description"]
    if asked := operation.get("parameters"):
        rows = [(code(each["name"]), _kind(each["schema"]).removesuffix(" or null"), _meaning(each)) for each in asked]
        yield table(("parameter", "type", "meaning"), rows)
    if body := operation.get("requestBody"):
        yield f"Body: {_kind(body['content']['application/json']['schema'])}."
    answers = operation["responses"]["200"]["content"]
    schemas = (_kind(each["schema"]) for each in answers.values() if each.get("schema"))
    yield f"Answers {' or '.join(dict.fromkeys(schemas))}, or [refuses](#refusals) with {_statuses(operation)}."
    example = answers.get("application/json", {}).get("example")
    if example is not None:
        yield "<details><summary>Example (lists are cut to two items)</summary>"
        yield block("json", json.dumps(example, indent=1, ensure_ascii=False))
        yield "</details>"


def _statuses(operation: Document) -> str:
    return ", ".join(status for status in operation["responses"] if status != "200")


def _meaning(parameter: Document) -> str:
    schema = parameter["schema"]
    default = f" Default: {code(str(schema['default']))}." if schema.get("default") not in (None, [], "") else ""
    return f"{parameter.get('description', '')}{default}"


def _refusals(document: Document) -> Iterator[str]:
    yield "## Refusals"
    yield (
        "The body of each is an [ErrorAnswer](#erroranswer). `Retry-After` comes with 429 and 503; which codes a status"
        " may have:"
    )
    rows = [(status, ", ".join(code(each) for each in codes), text) for status, (_, text, codes, _) in REFUSALS.items()]
    yield table(("status", "codes", "meaning"), rows)


def _fields(document: Document) -> Iterator[str]:
    yield "## Fields"
    yield "Every field is always there, null where nothing is known."
    for name, schema in sorted(document["components"]["schemas"].items()):
        yield f"### {name}"
        if text := schema.get("description"):
            yield text.strip()
        if words := schema.get("enum"):
            yield ", ".join(code(word) for word in words) + "."
        if fields := schema.get("properties"):
            rows = [(code(field), _kind(each), each.get("description", "")) for field, each in fields.items()]
            yield table(("field", "type", "meaning"), rows)


def _kind(schema: Document) -> str:
    """A type in words, with a link where it has fields of its own."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{anchor(name)})"
    if "anyOf" in schema:
        return _either(_kind(each) for each in schema["anyOf"])
    if "const" in schema or "enum" in schema:
        return _either(code(str(word)) for word in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"map to {_kind(schema['additionalProperties'])}"
    if "pattern" in schema:
        return "time"
    return str(schema.get("type", "any"))


def _either(words: Iterable[str]) -> str:
    return " or ".join(dict.fromkeys(words))
