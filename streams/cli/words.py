"""Words that a shell can complete without asking anybody: kinds, severities, phases, outcomes, codes, machines.

Knows: the vocabulary of `models`, in the form of Typer's completion.
Must not know: workers (`streams.cli.names`), what a command does with a word.

Each is imported when its word is completed: a command that is run needs none of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

Found = Iterator[tuple[str, str]]
"""A word, and what it means in a few; shells that show no help leave that out."""


def kinds(incomplete: str) -> Found:
    """Kinds of anomalies."""
    from models.judge.texts import SEVERITY
    from models.public_anomaly import AnomalyKind

    yield from beginning(((str(kind), str(SEVERITY.get(kind, ""))) for kind in AnomalyKind), incomplete)


def severities(incomplete: str) -> Found:
    """Severities, the least first."""
    from models.public_anomaly import Severity

    yield from beginning(((str(each), "") for each in Severity), incomplete)


def fail_on_words(incomplete: str) -> Found:
    """What `--fail-on` takes."""
    yield from severities(incomplete)
    yield from kinds(incomplete)


def causes(incomplete: str) -> Found:
    """Causes of anomalies."""
    from models.public_anomaly import Cause

    yield from beginning(((str(each), "") for each in Cause), incomplete)


def statuses(incomplete: str) -> Found:
    """What `get anomalies --status` takes."""
    yield from beginning(((word, "") for word in ("open", "resolved", "retracted", "all")), incomplete)


def instance_phases(incomplete: str) -> Found:
    """Phases of instances."""
    from models.states import InstancePhase

    yield from beginning(((str(each), "") for each in InstancePhase), incomplete)


def group_phases(incomplete: str) -> Found:
    """Phases of instance groups."""
    from models.states import GroupPhase

    yield from beginning(((str(each), "") for each in GroupPhase), incomplete)


def cluster_phases(incomplete: str) -> Found:
    """Phases of clusters."""
    from models.states import ClusterPhase

    yield from beginning(((str(each), "") for each in ClusterPhase), incomplete)


def outcomes(incomplete: str) -> Found:
    """Outcomes of rollouts."""
    from typing import get_args

    from models.public_rollout import RolloutOutcome

    yield from beginning(((word, "") for word in get_args(RolloutOutcome)), incomplete)


def machines(incomplete: str) -> Found:
    """Machines that `graph` draws."""
    from models.machines.graph import MACHINES

    yield from beginning(((name, "") for name in MACHINES), incomplete)


def explained(incomplete: str) -> Found:
    """Words that `explain` knows, those that list others first."""
    from models.explain import words
    from streams.cli.explain_lists import SORTS
    from streams.cli.nouns import NOUNS

    lists = (*SORTS, *(each.plural for each in NOUNS))
    yield from beginning(((word, "") for word in (*lists, *words())), incomplete)


def reasons(incomplete: str) -> Found:
    """Reasons of dead letters."""
    from streams.deadletter.advice import ADVICE

    yield from beginning(((str(name), said.meaning) for name, said in ADVICE.items()), incomplete)


def beginning(words: Iterable[tuple[str, str]], incomplete: str) -> Found:
    """Those that begin so, each once; where case does not matter, as it was begun."""
    seen = set()
    for word, said in words:
        if word.casefold().startswith(incomplete.casefold()) and word not in seen:
            seen.add(word)
            yield incomplete + word[len(incomplete) :], said
