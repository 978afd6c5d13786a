"""What is true where a list is empty: all is well, or the filters fit nothing, or nothing has been read yet.

Knows: the questions of `get`, and what else to ask a worker for it.
Must not know: how a list is printed.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from streams.cli.ask import answer, listing
from streams.cli.errors import CliError
from streams.cli.lists import KINDS, Question
from streams.client import Client, Listing

WORDS = {"groups": "instance groups"}
"""Kinds that are called otherwise in a sentence."""
PATHS = {**{name: kind.path for name, kind in KINDS.items()}, "rollouts": "rollouts"}
COUNTED = 1000
"""One page: whoever has more does not need to know how many."""
NAMED = 5
"""Clusters by name; of more it is said how many."""
LOOK = "`hyperpod-state doctor` says whether events arrive"


def said(client: Client, question: Question, found: Listing, at: str | None) -> str | None:
    """A sentence for people; None where names were asked for, as it is an error that they are not there."""
    if question.names:
        return None
    if found.missing:
        return f"No {_what(question)} in the partitions that answer."
    clusters = listing(client, "clusters", {}).items
    when = f", as of {found.as_of}" if at is not None else ""
    if not clusters:
        return f"No cluster was known at {found.as_of}." if at is not None else _nothing_read(client)
    if sentence := no_cluster(question.filters["cluster"], clusters):
        return sentence
    where = f"in {_counted(len(clusters), 'cluster')}{when}"
    narrowed = _narrowed(question)
    return _narrow(client, question, narrowed, where) if narrowed else _whole(client, question, where)


def unknown(client: Client, names: Sequence[str]) -> str | None:
    """What `no_cluster` says, by what the worker knows; it is asked only where names were given."""
    if not names:
        return None
    found = listing(client, "clusters", {})
    return None if found.missing else no_cluster(names, found.items)


def no_cluster(names: Sequence[str], clusters: Sequence[dict[str, str | None]]) -> str | None:
    """A sentence for people about the names that no cluster has; None where there are none such."""
    strange = [name for name in names if not _is_there(name, clusters)]
    known = sorted({each["cluster_name"] or each["cluster_arn"] or "" for each in clusters})
    called = f"No cluster is called {' or '.join(map(repr, strange))}"
    return f"{called}: there {_named(known)}." if strange else None


def _is_there(name: str, clusters: Sequence[dict[str, str | None]]) -> bool:
    return any(name in (each["cluster_name"], each["cluster_arn"]) for each in clusters)


def _nothing_read(client: Client) -> str:
    """Why there is no cluster at all."""
    try:
        summary = answer(client, "pipeline", {})["item"]["summary"]
    except CliError:
        return f"Nothing is known yet: {LOOK}."
    if not summary["read"]:
        return f"No event has been read yet, so nothing is known: {LOOK}."
    counts = {"were ignored": sum(summary["ignored"].values()), "are dead letters": summary["dead_lettered"]}
    told = [f"{count} {what}" for what, count in counts.items() if count]
    look = "`hyperpod-state deadletter list` says why" if summary["dead_lettered"] else LOOK
    return f"No cluster is known, although values were read ({summary['read']}{', '.join(['', *told])}): {look}."


def _named(known: Sequence[str]) -> str:
    if not known:
        return "is none"
    shown, more = ", ".join(known[:NAMED]), len(known) - NAMED
    return f"{'is' if len(known) == 1 else 'are'} {shown}{f' and {more} more' if more > 0 else ''}"


def _narrowed(question: Question) -> list[str]:
    """The filters as options, but for the status, which every sentence has in words."""
    given = []
    for name, values in question.filters.items():
        if name == "silenced":
            given += [f"--{'' if value == 'true' else 'not-'}silenced" for value in values]
        elif name != "status":
            given += [f"--{name} {shlex.quote(value)}" for value in values]
    return given


def _narrow(client: Client, question: Question, narrowed: list[str], where: str) -> str:
    status = question.filters.get("status", [])
    others = _count(client, question.kind, status)
    fit = f"No {_what(question)} fit {' '.join(narrowed)}"
    if not others:
        return f"{fit}, and there are no others {where}."
    return f"{fit}; without that there {'is' if others == '1' else 'are'} {others} {where}."


def _whole(client: Client, question: Question, where: str) -> str:
    sentence = f"No {_what(question)} {where}"
    if question.kind == "instances":
        return f"{sentence}: HyperPod tells of instances only where node provisioning is continuous."
    if question.kind != "anomalies":
        return f"{sentence}."
    other = {"open": "resolved", "resolved": "open"}.get(_status(question))
    count = _count(client, "anomalies", [other]) if other else ""
    if not count:
        return f"{sentence}."
    option = " --status resolved" if other == "resolved" else ""
    return f"{sentence}; {count} {other}: `hyperpod-state get anomalies{option}`."


def _what(question: Question) -> str:
    word = WORDS.get(question.kind, question.kind)
    return f"{_status(question)} {word}".lstrip()


def _status(question: Question) -> str:
    return " or ".join(question.filters.get("status", []))


def _count(client: Client, kind: str, status: Sequence[str]) -> str:
    """How many there are, without any filter; empty where there is none."""
    asked = {"limit": [str(COUNTED)], **({"status": status} if status else {})}
    page = answer(client, PATHS[kind], asked)
    return f"{len(page['items'])}{' or more' if page['continue'] else ''}" if page["items"] else ""


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
