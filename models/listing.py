"""Node lists as instances hear them: which word each gets from which list.

Knows: rows' words, the form of a node list.  Must not know: phases, how lists are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from models.fold import settle
from models.observation import Observation
from models.placement import RowKey, cluster_key, instance_key
from models.rows import Observed, Row
from models.sayings import Told, Words, gone, listed, unlisted

NODE_LIST = "NodeList"


def observations(arn: str, obs: Observation) -> Iterator[tuple[RowKey, Observed]]:
    """What a node list says of each instance."""
    for node in obs.details.get("nodes") or () if obs.code == NODE_LIST else ():
        if node.get("instance_id"):
            group, slot = node.get("instance_group"), node.get("node_logical_id")
            said = Observed(obs.time, node.get("status"), node.get("message"), group, slot)
            yield instance_key(arn, node["instance_id"]), said


def hear(arn: str, rows: Mapping[RowKey, Row], lists: Iterable[Observation]) -> set[RowKey]:
    """Let instances hear the lists, each newer than what they have heard; returns whose words are others now."""
    return _hear(arn, rows, lists, lambda row: row.words, _set_words)


def absorb(arn: str, rows: Mapping[RowKey, Row], lists: Iterable[Observation]) -> set[RowKey]:
    """The same for lists that no other one can come before any more."""
    return _hear(arn, rows, lists, lambda row: row.old_words, _set_old_words)


def hear_again(arn: str, rows: Mapping[RowKey, Row], lists: Iterable[Observation]) -> set[RowKey]:
    """The same from the absorbed lists on: a list has come before others, or is gone."""
    before = {key: row.words for key, row in rows.items() if row.words or row.old_words}
    for key in before:
        rows[key].words = rows[key].old_words
    heard = hear(arn, rows, lists)
    return {key for key in {*before, *heard} if rows[key].words != before.get(key)}


def _hear(
    arn: str,
    rows: Mapping[RowKey, Row],
    lists: Iterable[Observation],
    words: Callable[[Row], Words],
    take: Callable[[Row, Words], None],
) -> set[RowKey]:
    changed: set[RowKey] = set()
    for obs in lists:
        at = Told(obs.time, obs.event_id)
        said = {key: seen.status or "" for key, seen in observations(arn, obs)}
        since = _since(obs, rows[cluster_key(arn)])
        for key, status in said.items():
            take(rows[key], listed(words(rows[key]), status, at, since))
        changed |= said.keys()
        for key in (instance_key(arn, name) for name in obs.details.get("gone") or ()):
            if key in rows and key not in said and (known := words(rows[key])):
                take(rows[key], gone(known, at, since))
                changed.add(key)
        if not obs.details.get("complete"):
            continue
        for key, row in rows.items():
            if key not in said and (known := words(row)):
                take(row, now := unlisted(known, at))
                changed |= {key} if now is not known else set()
    return changed


def _since(obs: Observation, cluster: Row) -> int | None:
    """When the list was given that this one goes on from: of several the newest that is known to be whole.

    One that was lost may have said something else, so where none is known they are taken for said by the oldest.
    """
    since, others = obs.details.get("since"), obs.details.get("or_since")
    if since is None or not others:
        return since
    bases: tuple[int, ...] = (since, *others)
    polls = settle(cluster).polls
    return max((base for base in bases if base < obs.time and base in polls), default=min(bases))


def _set_words(row: Row, words: Words) -> None:
    row.words = words


def _set_old_words(row: Row, words: Words) -> None:
    row.old_words = words
