"""Queries, parsed: which metrics and labels they use, and whether there are any such."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

import promql_parser
from prometheus_client import CollectorRegistry, ProcessCollector

from models.public import AnomalyKind, Cause, Severity
from models.public_rollout import RolloutItem, RolloutMembers
from models.states import ClusterPhase, GroupPhase, InstancePhase
from streams.alerts import tally
from streams.metrics import collector
from streams.metrics.series import PREFIX, Series

SCRAPED = {"job", "instance", "fleet"}
"""What Prometheus itself adds to every sample; the last one where its configuration says so."""
WORDS: Mapping[str, set[str]] = {
    "kind": set(AnomalyKind),
    "severity": set(Severity),
    "cause": {*Cause, ""},
    "phase": {*InstancePhase, *GroupPhase, *ClusterPhase},
    "planned": {"true", "false"},
    "silenced": {"true", "false"},
    "outcome": {
        "applied",
        "duplicate",
        "ignored",
        "dead_lettered",
        *get_args(RolloutItem.model_fields["outcome"].annotation),
    },
    "result": set(RolloutMembers.model_fields),
}
"""Labels whose values are closed vocabularies."""
VARIABLES = {"$__rate_interval": "5m", "$__range": "1h", "$datasource": "x"}


def exposed() -> dict[str, set[str]]:
    """Every name that can be asked for, and its labels."""
    found: dict[str, set[str]] = {"up": set(SCRAPED)}
    for series in (*collector.SERIES.values(), *tally.SERIES.values()):
        found |= {name: {*series.labels, *more, *SCRAPED} for name, more in _names(series)}
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    for family in registry.collect():
        found |= {sample.name: {*sample.labels, *SCRAPED} for sample in family.samples}
    return found


def _names(series: Series) -> Iterator[tuple[str, set[str]]]:
    if series.kind == "histogram":
        yield f"{PREFIX}_{series.name}_bucket", {"le"}
        yield f"{PREFIX}_{series.name}_sum", set()
        yield f"{PREFIX}_{series.name}_count", set()
    else:
        yield series.full, set()


EXPOSED = exposed()


def expanded(text: str) -> str:
    """A query of a dashboard with its variables filled in."""
    for name, value in VARIABLES.items():
        text = text.replace(name, value)
    return re.sub(r"\$\w+", ".*", text)


def faults(text: str) -> list[str]:
    """What is wrong with a query; a query that is none raises ValueError."""
    return list(_faults(promql_parser.parse(text)))


def metrics(text: str) -> set[str]:
    """The metrics that a query asks for."""
    return {each.name for each in _selectors(promql_parser.parse(text))}


def _faults(expr: Any) -> Iterator[str]:
    for selector in _selectors(expr):
        known = EXPOSED.get(selector.name)
        if known is None:
            yield f"no metric {selector.name}"
            continue
        for matcher in selector.matchers.matchers:
            if matcher.name not in known:
                yield f"{selector.name} has no label {matcher.name}"
            yield from _unknown(matcher)
    for node in _nodes(expr):
        for label in sorted(_grouped(node) - _labels(node)):
            yield f"nothing below has a label {label}: {node}"


def _unknown(matcher: Any) -> Iterator[str]:
    """Words that a label never has."""
    exact = matcher.op in (promql_parser.MatchOp.Equal, promql_parser.MatchOp.NotEqual)
    words = [matcher.value] if exact else matcher.value.split("|")
    if matcher.name in WORDS and matcher.value != ".*":
        yield from (f"{matcher.name} is never {word}" for word in words if word not in WORDS[matcher.name])


def _grouped(node: Any) -> set[str]:
    """The labels that an aggregation, or a match of two sides, names."""
    modifier = getattr(node, "modifier", None)
    if isinstance(node, promql_parser.AggregateExpr) and modifier is not None:
        return set(modifier.labels)
    if isinstance(node, promql_parser.BinaryExpr) and modifier is not None and modifier.matching is not None:
        return set(modifier.matching.labels)
    return set()


def _labels(node: Any) -> set[str]:
    """All labels that anything below has, or is given."""
    found = {label for each in _selectors(node) for label in EXPOSED.get(each.name, set())}
    for each in _nodes(node):
        if isinstance(each, promql_parser.Call) and each.func.name == "label_replace":
            found.add(str(each.args[1].val))
    return found


def _selectors(expr: Any) -> Iterable[Any]:
    return (each for each in _nodes(expr) if isinstance(each, promql_parser.VectorSelector))


def _nodes(expr: Any) -> Iterator[Any]:
    yield expr
    below = [getattr(expr, name, None) for name in ("expr", "lhs", "rhs", "param", "vector_selector")]
    for each in [*below, *(getattr(expr, "args", None) or [])]:
        if isinstance(each, promql_parser.Expr):
            yield from _nodes(each)
