"""Answers of the API as records of the raw topic, in the contract's forms for bare answers.

Knows: members of AWS's answers, what ours need beside them: `ClusterArn`, `ObservedAt`.
Must not know: how answers are had, what was said before.

An answer's time is its own `date`, in `ObservedAt`; the rest of `ResponseMetadata` differs each time and means nothing.
All pages of one list have one time, the first one's, so that they are one list however long they took.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import orjson

from models.timestamps import iso, parse_http_ms

Json = dict[str, Any]
Nodes = Mapping[str, bytes]
"""What a list says of each node, by its name: as a digest, which is all that telling two lists apart takes."""
READ = ("InstanceGroupName", "InstanceId", "NodeLogicalId", "InstanceStatus", "InstanceType")
"""What of a node makes a list another one; beside it are times and versions that nobody reads."""
_SLOT = "slot:"
MORE = "more"
"""The token of pages: AWS's own are long, and of no use to anybody later."""


def told_ms(answer: Mapping[str, Any]) -> int | None:
    """When an answer was given (epoch ms), as it says itself."""
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return parse_http_ms(headers.get("date"))


def unstamped(answer: Mapping[str, Any]) -> Json:
    """DescribeCluster's answer without its time, groups by name: AWS promises no order, and another one is no news."""
    body = {name: value for name, value in answer.items() if name != "ResponseMetadata"}
    for lists in ("InstanceGroups", "RestrictedInstanceGroups"):
        if lists in body:
            body[lists] = sorted(body[lists], key=lambda group: str(group.get("InstanceGroupName")))
    return body


def stamped(body: Json, at: int) -> Json:
    """The record that says so."""
    return {**body, "ObservedAt": iso(at)}


def name_of(node: Mapping[str, Any]) -> str:
    """An instance's id, or the slot of one that has none yet."""
    return node.get("InstanceId") or f"{_SLOT}{node.get('NodeLogicalId', '')}"


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


def differing(known: Nodes, found: Nodes) -> set[str]:
    """Names of nodes that one list says something else of than another one, or of which only one says anything."""
    return {name for name in {*known, *found} if known.get(name) != found.get(name)}


def changes(
    arn: str,
    cluster: str | None,
    pages: Sequence[Mapping[str, Any]],
    changed: Collection[str],
    bases: Sequence[int],
    at: int,
) -> Json:
    """The list by the nodes that have changed since the oldest of `bases`: times of lists, the newest last.

    Nothing but its times, where none has.
    """
    nodes = {name_of(node): node for node in _nodes(pages)}
    gone = sorted(name for name in changed if name not in nodes and not name.startswith(_SLOT))
    *earlier, since = bases
    return {
        **_head(arn, cluster, at),
        "ClusterNodeSummaries": [node for name, node in nodes.items() if name in changed],
        "NextToken": MORE,
        "UnchangedSince": iso(since),
        **({"OrSince": [iso(base) for base in reversed(earlier)]} if earlier else {}),
        **({"Gone": gone} if gone else {}),
    }


def _head(arn: str, cluster: str | None, at: int) -> Json:
    return {"ClusterArn": arn, **({"ClusterName": cluster} if cluster else {}), "ObservedAt": iso(at)}


def _nodes(pages: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    return (node for page in pages for node in page["ClusterNodeSummaries"])


def _digest(node: Mapping[str, Any]) -> bytes:
    return blake2b(orjson.dumps([node.get(member) for member in READ]), digest_size=8).digest()
