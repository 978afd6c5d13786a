"""Answers of the API as records of the raw topic, in the contract's forms for bare answers.

Knows: members of AWS's answers, what ours need beside them: `ClusterArn`, `ObservedAt`.
Must not know: how answers are had, what was said before.

An answer's time is its own `date`, in `ObservedAt`; the rest of `ResponseMetadata` differs each time and means nothing.
All pages of one list have one time, the first one's, so that they are one list however long they took.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import orjson

from models.timestamps import iso, parse_http_ms

Json = dict[str, Any]
Nodes = Mapping[str, bytes]
"""What a list says of each node, by its name: as a digest, which is all that telling two lists apart takes."""
READ = ("InstanceGroupName", "InstanceId", "NodeLogicalId", "InstanceStatus", "InstanceType")
"""What of a node makes a list another one; beside it are times and versions that nobody reads."""
MORE = "more"
"""The token of pages: AWS's own are long, and of no use to anybody later."""


def told_ms(answer: Mapping[str, Any]) -> int | None:
    """When an answer was given (epoch ms), as it says itself."""
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return parse_http_ms(headers.get("date"))


def unstamped(answer: Mapping[str, Any]) -> Json:
    """DescribeCluster's answer without its time."""
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def stamped(body: Json, at: int) -> Json:
    """The record that says so."""
    return {**body, "ObservedAt": iso(at)}


def name_of(node: Mapping[str, Any]) -> str:
    """An instance's id, or the slot of one that has none yet."""
    return node.get("InstanceId") or f"slot:{node.get('NodeLogicalId', '')}"


def nodes_of(pages: Sequence[Mapping[str, Any]]) -> Nodes:
    """What a whole list says."""
    return {name_of(node): _digest(node) for node in _nodes(pages)}


def whole(arn: str, cluster: str | None, pages: Sequence[Mapping[str, Any]], at: int) -> list[Json]:
    """A whole list as AWS gave it, page by page."""
    return [
        {
            **_head(arn, cluster, at),
            "ClusterNodeSummaries": page["ClusterNodeSummaries"],
            **({"NextToken": MORE} if number < len(pages) else {}),
        }
        for number, page in enumerate(pages, 1)
    ]


def changes(
    arn: str, cluster: str | None, pages: Sequence[Mapping[str, Any]], known: Nodes, since: int, at: int
) -> tuple[Json, int]:
    """The list by what is other than in the one of `since`, and of how many nodes that is.

    Nothing but its times, where nothing is.
    """
    found = nodes_of(pages)
    other = [node for node in _nodes(pages) if known.get(name_of(node)) != found[name_of(node)]]
    gone = sorted(name for name in known if name not in found and not name.startswith("slot:"))
    record = {
        **_head(arn, cluster, at),
        "ClusterNodeSummaries": other,
        "NextToken": MORE,
        "UnchangedSince": iso(since),
        **({"Gone": gone} if gone else {}),
    }
    return record, len(other) + len(gone)


def _head(arn: str, cluster: str | None, at: int) -> Json:
    return {"ClusterArn": arn, **({"ClusterName": cluster} if cluster else {}), "ObservedAt": iso(at)}


def _nodes(pages: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    return (node for page in pages for node in page["ClusterNodeSummaries"])


def _digest(node: Mapping[str, Any]) -> bytes:
    return blake2b(orjson.dumps([node.get(member) for member in READ]), digest_size=8).digest()
