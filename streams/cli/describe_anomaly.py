"""`describe anomaly ID`: what is wrong, with whom, what to check first, and what it stands for.

Knows: what to ask of one anomaly, the order of the parts.
Must not know: what a kind means (`models.explain`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from streams.cli import table, views
from streams.cli.ask import listing
from streams.cli.errors import PROBLEMS, CliError
from streams.cli.output import Screen
from streams.cli.table import Cell, phase, text
from streams.cli.text import printable
from streams.cli.times import age
from streams.client import Client
from streams.runbooks.places import address

Item = dict[str, Any]


def told(client: Client, name: str, clusters: list[str]) -> tuple[Item, str | None]:
    """The anomaly whatever its status, what its kind means, the anomaly that explains it and those that it explains."""
    found = listing(client, "anomalies", {"id": [name], "cluster": clusters})
    if not found.items:
        raise CliError(
            f"no anomaly {name!r} is known", "list their ids with `hyperpod-state get anomalies -o wide`", PROBLEMS
        )
    item = found.items[0]
    others = listing(client, "anomalies", {"cluster": [item["cluster_arn"]]}).items
    # What was taken back was never of it, or is told of by another one.
    members = [each for each in others if each["parent_id"] == item["anomaly_id"] and each["status"] != "retracted"]
    parent = next((each for each in others if each["anomaly_id"] == item["parent_id"]), None)
    page = f"{client.server}{address(item)}"
    return {**item, **_meaning(item["kind"]), "runbook_page": page, "parent": parent, "members": members}, found.as_of


def _meaning(kind: str) -> Item:
    """What `explain` says of the kind; a kind of a newer worker has no words here."""
    from models.explain import explain

    topic = next((each for each in explain(kind) if each.type == "kind"), None)
    details = topic.model_dump(mode="json")["details"] if topic else {}
    return {
        "meaning": topic.meaning if topic else None,
        "check_first": details.get("check_first", []),
    }


def page(body: Item, as_of: str | None, screen: Screen, wide: bool) -> str:
    """The title, a line for each thing that is known, and the anomalies around it."""
    head = table.render(
        ["SEVERITY", "STATUS", "TITLE"], [[phase(body["severity"]), phase(body["status"]), text(body["title"])]], screen
    )
    rows = [
        [Cell(name if place == 0 else ""), text(value)]
        for name, values in _facts(body, as_of)
        for place, value in enumerate(values)
    ]
    parts = [head, table.render(["FACT", "VALUE"], rows, screen)]
    for title, items in (("EXPLAINED BY", [body["parent"]] if body["parent"] else []), ("MEMBERS", body["members"])):
        if items:
            columns = views.columns("anomalies", items, views.context(as_of, [], []), wide)
            cells = [[cell(each) for _, cell in columns] for each in items]
            parts.append(f"{title} ({len(items)})\n{table.render([name for name, _ in columns], cells, screen)}")
    parts.append("".join(f"{name}  {printable(link)}\n" for name, link in _links(body)))
    return "\n".join(parts)


def _links(body: Item) -> Iterator[tuple[str, str]]:
    """On lines of their own: a link that is cut to the width of the screen leads nowhere."""
    yield "RUNBOOK", body["runbook_page"]
    if (body["runbook"] or "").startswith("https://"):
        yield "LOG", body["runbook"]


def _facts(body: Item, as_of: str | None) -> Iterator[tuple[str, list[Any]]]:
    facts = {
        "of": " / ".join(
            filter(None, (body["cluster_name"] or body["cluster_arn"], body["instance_group"], _who(body)))
        ),
        "kind": f"{body['kind']}: {body['meaning']}" if body["meaning"] else body["kind"],
        "cause": body["cause"],
        "machine": f"{body['machine']} {body['state'] or ''}".strip() if body["machine"] else None,
        "opened": f"{body['opened_at']} ({age(body['opened_at'], as_of)} ago)",
        "resolved": body["resolved_at"],
        "clears on": body["expected"] if body["status"] == "open" else None,
        "planned": "yes: inside an operation that somebody began" if body["planned"] else None,
        "silenced by": body["silenced_by"],
        "superseded by": body["superseded_by"],
        "check first": body["check_first"],
        "evidence": list(body["evidence"]),
    }
    for name, value in facts.items():
        if value:
            yield name, value if isinstance(value, list) else [value]


def _who(body: Item) -> str | None:
    own = body["instance_id"] or body["node_logical_id"]
    return None if own is None else str(own)
