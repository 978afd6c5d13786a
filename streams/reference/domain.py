"""The pages about HyperPod: event texts, machines, anomalies.

Knows: the tables of `models`.
Must not know: Kafka, settings, commands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import groupby

from models import deadlines
from models.catalogue import BY_CODE, CATALOGUE, EVENT_CODES, FIELD, Template
from models.explain.words import CHECK, MACHINES, OPENS
from models.faults import KINDS
from models.judge.texts import EXPECTED, SEVERITY
from models.machines import agreement, graph
from models.public import AnomalyKind as K
from models.public import Cause
from models.public_silence import MATCHERS, Silence
from streams.reference.markdown import code, page, table


def catalogue() -> str:
    """Every text, in the order of AWS's reference."""
    intro = (
        f"{len(CATALOGUE)} texts of AWS's event reference and {len(FIELD)} seen in the field. The *rank* orders events"
        " of one millisecond: causes before effects; a status or operation word may move an event within it."
        " *Opens* is the kind of anomaly that such an event opens, where its status or operation says so."
    )
    sections = [
        part
        for title, entries in groupby((*CATALOGUE, *FIELD), key=lambda template: template.section)
        for part in (
            f"## {title}",
            table(("code", "text", "scope", "level", "rank", "meaning", "opens"), _texts(entries)),
        )
    ]
    rows = [(code(each.code), str(each.rank), each.meaning, _opens(each.code)) for each in EVENT_CODES.values()]
    forms = ["## Events without a text", table(("code", "rank", "meaning", "opens"), rows)]
    return page("Event texts", intro, *sections, *forms)


def _texts(entries: Iterator[Template]) -> Iterator[tuple[str, ...]]:
    for each in entries:
        words = (code(each.code), code(each.text), each.scope, each.level, str(each.rank))
        yield (*words, each.meaning, _opens(each.code))


def _opens(name: str) -> str:
    return code(str(KINDS.get(name, "")))


def machines() -> str:
    """Every machine as a picture and as a table."""
    intro = (
        "An edge that a table does not have is taken all the same, and reported: events win over tables. In the"
        " pictures steps ahead are on the right, steps back on the left; red leads to a failure, a thick border is an"
        " end. `hyperpod-state graph MACHINE -o mermaid|dot|svg` prints them."
    )
    return page("Machines", intro, *(part for name in graph.MACHINES for part in _machine(name)))


def _machine(name: str) -> tuple[str, str, str, str]:
    drawn = graph.graph(name)
    rows = [(code(a), code(b), str(data["signal"])) for a, b, data in drawn.edges(data=True)]
    picture = f"![The states of {name} and the steps between them]({picture_of(name)})"
    return f"## {name}", MACHINES[name], picture, table(("from", "to", "on"), rows)


def picture_of(name: str) -> str:
    """The file of a machine's picture, beside the page."""
    return f"machines/{name.replace('/', '-')}.svg"


def pictures() -> dict[str, Callable[[], str]]:
    """Every machine's picture by its path."""
    return {f"docs/reference/{picture_of(name)}": partial(graph.render, name, "svg") for name in graph.MACHINES}


def anomalies() -> str:
    """Every kind, what opens and clears it, the causes, the deadlines."""
    found = [kind for kind in K if kind in SEVERITY]
    rows = [
        (f"[{code(kind)}](../runbooks/{kind}.md)", str(SEVERITY[kind]), _opened_by(kind), _cleared_by(kind))
        for kind in found
    ]
    others = ", ".join(code(kind) for kind in K if kind not in SEVERITY)
    absent = [f"Named in the record's schema, and not found by this version: {others}."] if others else []
    causes = "`cause` is one of " + ", ".join(code(cause) for cause in Cause) + "."
    schema = (
        "The record is described by [its schema](../../models/schemas/anomaly.v1.json), which the package ships"
        " ([what may change](../programs.md))."
    )
    kinds = table(("kind", "severity", "opens on", "clears when"), rows)
    limits = (*_deadlines(), *_thresholds(), *_agreement())
    return page("Anomalies", schema, kinds, *absent, causes, *limits, *_checks(found))


def _checks(kinds: Iterable[K]) -> Iterator[str]:
    """What to look at first: a section a kind."""
    yield "## What to check first"
    for kind in kinds:
        yield f"### {kind}"
        yield "\n".join([*(f"- {line}" for line in CHECK[kind]), f"- the [runbook](../runbooks/{kind}.md)"])


def silences() -> str:
    """The record, and what a matcher may name."""
    intro = (
        "A silence says which anomalies somebody expects for a while. It hides nothing: an open anomaly that it matches"
        " carries its id in `silenced_by` while it holds, a resolved one if it held when that was resolved;"
        " the smallest id where several do. [How to](../silences.md)."
    )
    fields = [(code(name), field.description or "") for name, field in Silence.model_fields.items()]
    names = [(code(name), ", ".join(map(code, looked_at))) for name, looked_at in MATCHERS.items()]
    record = table(("field", "meaning"), fields)
    return page("Silences", intro, record, "## Matchers", table(("name", "fields of the anomaly"), names))


def _opened_by(kind: K) -> str:
    codes = [name for name, opened in KINDS.items() if opened == kind]
    texts = ", ".join(f"{code(name)} ({BY_CODE[name].event})" if name in BY_CODE else code(name) for name in codes)
    return texts or OPENS[kind]


def _cleared_by(kind: K) -> str:
    return EXPECTED.get(kind, "at once: it is a note")


def _deadlines() -> Iterator[str]:
    """The waiting states with their deadlines, and those that have none."""
    limits = deadlines.Thresholds()
    rows = [
        (code(f"{level}/{machine}/{state}"), code(name), _minutes(limits.deadline(name)))
        for level, tables in deadlines.WAITING.items()
        for machine, states in tables.items()
        for state, name in states.items()
    ]
    rows.append(("phase `Failed` of an instance", code(deadlines.FAILED), _minutes(limits.deadline(deadlines.FAILED))))
    rolling = deadlines.CLUSTER_ROLLING_BACK
    rows.append(("phase `RollingBack` of a cluster", code(rolling), _minutes(limits.deadline(rolling))))
    check = deadlines.DEEP_HEALTH_CHECK
    rows.append(
        (f"node status {code(deadlines.DEEP_HEALTH_CHECK_WORD)}", code(check), _minutes(limits.deadline(check)))
    )
    yield "## Deadlines"
    yield "Minutes without any sign of progress until `stuck` opens as a warning, and until it is critical."
    yield table(("state", "deadline", "warning / critical"), rows)
    yield table(("waiting state without a deadline", "why"), [(code(k), v) for k, v in deadlines.NO_DEADLINE.items()])


def _minutes(deadline: deadlines.Deadline) -> str:
    return " / ".join("never" if minutes is None else f"{minutes:g}" for minutes in (deadline.slow, deadline.stuck))


def _agreement() -> Iterator[str]:
    """What snapshots may say without contradicting anything."""
    yield "## Snapshots and events"
    yield (
        "`drift` compares what snapshots say with what events have led to. Within 5 minutes after a change a snapshot"
        " may show what was before it. A word that is not here contradicts nothing."
    )
    nodes = [
        ("no longer listed" if word is None else code(word), ", ".join(code(p) for p in agreement.ORDER if p in phases))
        for word, phases in agreement.INSTANCE.items()
    ]
    yield table(("status of a node", "goes with the phases"), nodes)
    yield (
        f"{code(agreement.ROLLOUT_WORD)} goes with any living phase while the group's software is updated or rolled"
        " back; a failure with any phase where something has failed or the node is not healthy; `Running` with `Failed`"
        " where a termination or a rollback is what failed. Of an instance that another one has replaced only the end"
        " is compared."
    )
    tables = (
        ("Status", agreement.GROUP_STATUS),
        ("SoftwareUpdateStatus", agreement.SOFTWARE_UPDATE),
        ("ClusterStatus", agreement.CLUSTER_STATUS),
    )
    rows = [
        (
            code(f"{name} {word}"),
            ", ".join(code(f"{machine} {state}") for machine in on for state in sorted(on[machine])),
        )
        for name, words in tables
        for word, on in words.items()
    ]
    yield table(("word of a group or cluster", "contradicts"), rows)
    yield (
        "CurrentImageId and DesiredImageId swap when a rollback begins: that they do while none is known contradicts"
        " `patch InProgress`, that they do not `rollback RollingBack`; that they still differ contradicts"
        " `patch Completed`, unless a member was skipped."
    )


def _thresholds() -> Iterator[str]:
    fields = deadlines.Thresholds.model_fields.items()
    rows = [
        (code(name), f"{f.default:g}", f.description or "") for name, f in fields if isinstance(f.default, int | float)
    ]
    yield "## Thresholds"
    yield table(("name", "default", "meaning"), rows)
