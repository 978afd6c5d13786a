"""What `replay` prints: the document, list by list, so that no list of it need be in memory to be printed.

Knows: the document's forms.
Must not know: where it comes from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import orjson

from models.public import Summary
from streams.cli import output, views
from streams.cli.lists import kind_table
from streams.cli.manner import Manner, present
from streams.cli.output import Format

LISTS = {
    "clusters": "cluster",
    "instance_groups": "instance_group",
    "instances": "instance",
    "anomalies": "anomaly",
    "dead_letters": "dead_letter",
}
"""In the order of the document: what one item is called."""


class Document(Protocol):
    """The counts, and the items of each list as indented JSON."""

    summary: Summary

    def items(self, name: str) -> Iterator[bytes]:
        """One of `LISTS`."""
        ...


def show(document: Document, manner: Manner, now: str | None) -> None:
    """Prints the document; ages in tables are distances from `now`."""
    if manner.query is not None:  # it may ask for anything
        present(manner, _whole(document), str)
    elif manner.form is Format.json:
        output.write_parts(_json(document))
    elif manner.form is Format.yaml:
        output.write_each(_yaml(document))
    elif manner.form is Format.jsonl:
        output.write_parts(_lines(document))
    else:
        output.write_each(_tables(document, manner.screen, manner.wide, now))


def dicts(items: Iterable[bytes]) -> Iterator[views.Item]:
    """The items without their history, which may be most of them."""
    for each in items:
        item: views.Item = orjson.loads(each)
        item.pop("history", None)
        yield item


def _whole(document: Document) -> dict[str, Any]:
    lists = {name: [orjson.loads(item) for item in document.items(name)] for name in LISTS}
    return {"summary": document.summary.model_dump(mode="json"), **lists}


def _json(document: Document) -> Iterator[bytes]:
    """As `models.public.dumps` writes it, to the byte."""
    yield b'{\n  "summary": ' + _indented(document.summary.model_dump_json(indent=2).encode(), b"  ")
    for name in LISTS:
        yield f',\n  "{name}": ['.encode()
        end = b"]"
        for item in document.items(name):
            yield (b"\n    " if end == b"]" else b",\n    ") + _indented(item, b"    ")
            end = b"\n  ]"
        yield end
    yield b"\n}\n"


def _indented(text: bytes, by: bytes) -> bytes:
    return text.replace(b"\n", b"\n" + by)


def _yaml(document: Document) -> Iterator[bytes]:
    yield output.yaml_text({"summary": document.summary.model_dump(mode="json")}).encode()
    for name in LISTS:
        head = f"{name}:\n"
        for item in document.items(name):
            yield (head + output.yaml_text([orjson.loads(item)])).encode()
            head = ""
        if head:
            yield f"{name}: []\n".encode()


def _lines(document: Document) -> Iterator[bytes]:
    """Every item on its own line, its list's name in the singular as `type`."""
    yield _line({"type": "summary", **document.summary.model_dump(mode="json")})
    for name, word in LISTS.items():
        for item in document.items(name):
            yield _line({"type": word, **orjson.loads(item)})


def _line(item: dict[str, Any]) -> bytes:
    return orjson.dumps(item, option=orjson.OPT_APPEND_NEWLINE)


def _tables(document: Document, screen: output.Screen, wide: bool, now: str | None) -> Iterator[str]:
    """Section by section, an empty line between them."""
    clusters, anomalies = [*dicts(document.items("clusters"))], [*dicts(document.items("anomalies"))]
    opened = [item for item in anomalies if item["status"] == "open"]
    ctx = views.context(now, clusters, anomalies)

    def section(title: str, kind: str, items: list[views.Item]) -> Iterator[str]:
        if items:
            yield f"\n{title} ({len(items)})\n{kind_table(kind, items, ctx, screen, wide)}"

    yield summary_lines(document.summary)
    yield from section("CLUSTERS", "clusters", clusters)
    yield from section("INSTANCE GROUPS", "groups", [*dicts(document.items("instance_groups"))])
    yield from section("INSTANCES", "instances", [*dicts(document.items("instances"))])
    yield from section("OPEN ANOMALIES", "anomalies", _worst_first(opened))
    if not opened:
        yield f"\nNO OPEN ANOMALIES ({len(anomalies)} resolved)\n"
    yield from _dead_letters(document)


def _worst_first(items: list[views.Item]) -> list[views.Item]:
    return sorted(items, key=lambda item: -views.severity_rank(item["severity"]))


def summary_lines(summary: Summary) -> str:
    """The counts in words, so that one sees that they add up."""
    ignored = sum(summary.ignored.values())
    first = f"read {summary.read}: {summary.applied} applied, {summary.duplicate} duplicate, {ignored} ignored, "
    second = f"late {summary.late}, unrecognized {summary.unrecognized}, newest event {summary.watermark or '-'}"
    return f"{first}{summary.dead_lettered} dead-lettered\n{second}\n"


def _dead_letters(document: Document) -> Iterator[str]:
    reasons = Counter(str(letter["reason"]) for letter in dicts(document.items("dead_letters")))
    if reasons:
        words = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
        yield f"\nDEAD LETTERS ({reasons.total()})\n{words}; see them with -o json\n"
