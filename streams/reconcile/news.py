"""What of a poll is news, and has to be said.

Knows: what was said of a cluster last, and when; how often what stays the same is said again.
Must not know: how answers are had, where records go.

Rows keep every snapshot of a day (`models.fold`), so that what is said every minute would fill them.  What has not
changed since it was said is said once more by the next poll (a contradiction that two answers confirm is drift at
once), and then at long intervals, of nodes in a few bytes.  Nothing is lost by that: what changes is said at once, and
again by the lists that follow, so that of `BASES` in a row one has to arrive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from models.sayings import PAGES_MS
from streams.reconcile.answers import Json, Nodes, changes, differing, nodes_of, stamped, whole

CONFIRM_SECONDS = 900.0
"""How often what stays the same is said again."""
WHOLE_MS = 86_400_000
"""How often nodes are said whole: longer than that nobody needs to look back to understand a list."""
MOST_CHANGES = 200
"""A list with more of them is said whole: in pages, none of which is too large for Kafka."""
BASES = 3
"""By what changed a list goes on from so many before it: whoever heard any one of them understands it."""


@dataclass(frozen=True)
class NodeAnswer:
    """All pages of one list, and when the first was given (epoch ms)."""

    at: int
    pages: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Poll:
    """What the API said of one cluster (at `at`, epoch ms); no `nodes` where it did not say them."""

    arn: str
    name: str | None
    at: int
    cluster: Json
    nodes: NodeAnswer | None = None


@dataclass(frozen=True)
class Said:
    """When something was said last, and whether it was said again since it changed."""

    at: int
    again: bool = False

    def is_due(self, at: int, *, same: bool, every: int) -> bool:
        """Whether what was found at `at` has to be said."""
        if not same:
            return at > self.at
        # Within the time of pages two lists pass for one, and confirm nothing.
        return at - self.at > PAGES_MS if not self.again else at - self.at >= every


@dataclass(frozen=True)
class Lists:
    """What was said of nodes."""

    nodes: Nodes
    """By the newest list."""
    said: Said
    bases: tuple[int, ...]
    """When the newest lists were, that one last."""
    changed: Mapping[str, int]
    """When nodes changed last, of those that did after the oldest of `bases`."""
    whole_at: int


@dataclass(frozen=True)
class Memory:
    """What was said of one cluster.

    Whoever does not know whether records have arrived begins with a new one: then everything is said whole.
    """

    cluster: tuple[Json, Said] | None = None
    nodes: Lists | None = None


def tell(memory: Memory, poll: Poll, confirm_seconds: float = CONFIRM_SECONDS) -> tuple[list[Json], Memory]:
    """The records that say what is news, and what was said once they have arrived."""
    every = round(confirm_seconds * 1000)
    records, memory = _tell_cluster(memory, poll, every)
    if poll.nodes is not None:
        more, memory = _tell_nodes(memory, poll, poll.nodes, every)
        records += more
    return records, memory


def _tell_cluster(memory: Memory, poll: Poll, every: int) -> tuple[list[Json], Memory]:
    known = memory.cluster
    same = known is not None and known[0] == poll.cluster
    if known is not None and not known[1].is_due(poll.at, same=same, every=every):
        return [], memory
    return [stamped(poll.cluster, poll.at)], replace(memory, cluster=(poll.cluster, Said(poll.at, same)))


def _tell_nodes(memory: Memory, poll: Poll, found: NodeAnswer, every: int) -> tuple[list[Json], Memory]:
    known, nodes = memory.nodes, nodes_of(found.pages)
    if known is None or found.at - known.whole_at >= WHOLE_MS:
        return _tell_whole(memory, poll, found, nodes)
    news = differing(known.nodes, nodes)
    if not known.said.is_due(found.at, same=not news, every=every):
        return [], memory
    changed = {**known.changed, **dict.fromkeys(news, found.at)}
    if len(changed) > MOST_CHANGES:
        return _tell_whole(memory, poll, found, nodes)
    record = changes(poll.arn, poll.name, found.pages, changed, known.bases, found.at)
    bases = (*known.bases, found.at)[-BASES:]
    kept = {name: at for name, at in changed.items() if at > bases[0]}
    lists = replace(known, nodes=nodes, said=Said(found.at, not news), bases=bases, changed=kept)
    return [record], replace(memory, nodes=lists)


def _tell_whole(memory: Memory, poll: Poll, found: NodeAnswer, nodes: Nodes) -> tuple[list[Json], Memory]:
    lists = Lists(nodes, Said(found.at), (found.at,), {}, found.at)
    return whole(poll.arn, poll.name, found.pages, found.at), replace(memory, nodes=lists)
