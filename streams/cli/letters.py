"""Dead letters as people see them: counted by reason, listed, one told, and what became of those fed again.

Knows: columns, words, base64.
Must not know: Kafka, options.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from models.timestamps import iso
from streams.cli import table
from streams.cli.output import Screen
from streams.cli.table import text
from streams.cli.text import printable

if TYPE_CHECKING:
    from streams.deadletter.letters import Letter


def by_reason(found: list[Letter]) -> Iterable[dict[str, Any]]:
    """The most frequent first; `found` has the newest first."""
    from streams.deadletter.advice import advice

    newest = {letter.reason: letter.item()["written_at"] for letter in reversed(found)}
    again = Counter(letter.reason for letter in found if letter.replay_of)
    counts = Counter(letter.reason for letter in found)
    for reason, count in sorted(counts.items(), key=lambda each: (-each[1], each[0])):
        said = advice(reason)
        yield {
            "reason": reason,
            "count": count,
            "fed_again": again[reason],
            "newest": newest[reason],
            "meaning": said.meaning,
            "do": said.do,
        }


def tables(reasons: list[dict[str, Any]], page: list[Letter], screen: Screen, wide: bool) -> str:
    """The reasons, and below them the letters of one page."""
    last = "do" if wide else "meaning"
    header = ["REASON", "COUNT", "FED AGAIN", "NEWEST", "WHAT TO DO" if wide else "MEANING"]
    rows = [[text(each[name]) for name in ("reason", "count", "fed_again", "newest", last)] for each in reasons]
    parts = [table.render(header, rows, screen)]
    if page:
        columns = ["KEY", "REASON", "WRITTEN", "SIZE", "REPLAY OF", "BEGINS"]
        names = ("key", "reason", "written_at", "size", "replay_of", "begins")
        parts.append(table.render(columns, [[text(letter.item()[name]) for name in names] for letter in page], screen))
    return "\n".join(parts)


def no_letters(known: list[Letter], reasons: list[str], since: int | None) -> str:
    """What is true where none is listed: `known` are those of any reason."""
    when = "" if since is None else f" since {iso(since)}"
    if not known:
        return f"No dead letters{when}."
    there = ", ".join(sorted({letter.reason for letter in known}))
    return f"No dead letters{when} have reason {' or '.join(reasons)}; {len(known)} have others: {there}."


def shown(letter: Letter, data: bytes) -> dict[str, Any]:
    """All that is known of a letter; `text` is null where the value is no UTF-8."""
    from base64 import b64encode

    from streams.deadletter.advice import advice

    said = advice(letter.reason)
    item = {name: value for name, value in letter.item().items() if name != "begins"}
    try:
        decoded = data.decode()
    except UnicodeDecodeError:
        decoded = None
    words = {"meaning": said.meaning, "do": said.do, "replay_helps": said.again}
    return {**item, **words, "text": decoded, "data": b64encode(data).decode()}


def story(item: dict[str, Any], most: int | None) -> str:
    """One letter in words, with at most so many characters of its value."""
    from base64 import b64decode

    origin = item["origin"]
    place = f"{origin.get('topic', '-')}/{origin.get('partition', '-')} at offset {origin.get('offset', '-')}"
    value = item["text"] if item["text"] is not None else b64decode(item["data"]).decode(errors="backslashreplace")
    value, rest = value[:most], max(0, len(value) - (most or len(value)))
    lines = [
        ("reason", f"{item['reason']}: {item['meaning']}"),
        ("what to do", item["do"]),
        ("from", f"{place}, value {origin.get('index', '-')} of that record"),
        ("read of", item["time"] or "-"),
        ("written", item["written_at"] or "-"),
        ("copy of", item["replay_of"] or "-"),
        ("size", f"{item['size']} bytes"),
    ]
    head = "".join(f"  {label:12}{printable(str(words))}\n" for label, words in lines)
    more = f"\n… {rest} characters more; -o wide shows all" if rest else ""
    return f"{printable(item['key'])}\n{head}\n{printable(value, keep_newlines=True)}{more}\n"


def fed_table(items: list[dict[str, Any]], screen: Screen) -> str:
    """What became of each."""
    rows = [[text(each["key"]), text(each["reason"]), text(_place(each))] for each in items]
    return table.render(["KEY", "REASON", "FED TO"], rows, screen)


def _place(item: dict[str, Any]) -> str | None:
    where = item["fed_to"]
    return f"left out: {item['left_out']}" if item["left_out"] else where and f"{where['partition']}/{where['offset']}"
