"""The page of the figures: what `report` tells, and what they leave out.

Knows: the tables of definitions.
Must not know: how a figure is found.
"""

from __future__ import annotations

from collections.abc import Sequence

from models.public_rollout import Estimate, Residue, RolloutItem, RolloutMembers
from models.report.definitions import FIGURES, OFFENDERS, STATES, Definition
from models.rows import HISTORY, ROLLOUTS
from streams.reference.markdown import code, page, table

WINDOW = (
    "The window ends at the moment of the answer and begins where `--since` (`since=`) says, else at the first event"
    " that is known. Stays and failures that go on are counted up to the end, and the report says how many. Nothing is"
    f" guessed: a figure that rests on too little is null. Instances keep their newest {HISTORY} history items, and a"
    " worker keeps resolved anomalies for 30 days: `complete_since` says from when on nothing is missing; before it,"
    " figures are too low. An event that came too late to change the state changes no figure."
)
PLACES = (
    "Lost hours, repairs and offenders are told of *places*: instances that replaced each other count as one, so that"
    " an old instance that is still leaving and the new one that is being set up are not lost twice."
)


def figures() -> str:
    """Every figure, every metric of them, every field of a rollout."""
    return page(
        "Figures of reliability and rollouts",
        "What `hyperpod-state report`, `GET /api/v1/report` and the metrics mean by their figures.",
        WINDOW,
        PLACES,
        "## Figures",
        "Told of everything (`by: fleet`), each cluster, each instance group and each instance type; those that"
        " failures give also by cause, everywhere and in each group.",
        _definitions(FIGURES),
        "## Time in states",
        "Of every state of every machine of instances, and of the phase, in the fleet, each cluster, group and type.",
        _definitions(STATES),
        "## Repeat offenders",
        _definitions(OFFENDERS),
        "## Rollouts",
        f"The ledger keeps the newest {ROLLOUTS} of each group: `hyperpod-state get rollouts`, `GET /api/v1/rollouts`.",
        _fields(RolloutItem),
        "`instances`:",
        _fields(RolloutMembers),
        "`residue` and `estimate`:",
        _fields(Residue, Estimate),
        "The same figures of groups are [metrics](metrics.md).",
    )


def _definitions(definitions: Sequence[Definition]) -> str:
    rows = [(code(d.name), d.unit, d.formula, d.source, d.excludes or "nothing") for d in definitions]
    return table(("name", "unit", "what it is", "from", "leaves out"), rows)


def _fields(*models: type[RolloutItem | RolloutMembers | Residue | Estimate]) -> str:
    fields = [(name, field.description) for model in models for name, field in model.model_fields.items()]
    return table(("field", "meaning"), [(code(name), text) for name, text in fields if text])
