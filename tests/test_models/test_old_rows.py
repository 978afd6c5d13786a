"""Rows that an earlier version left say what the present one would say of the same events."""

from __future__ import annotations

from models.fold import Limits
from models.rows import decode, encode
from models.workspace import Workspace
from tests.builders import HOUR, Node, Site, provisioned, raw
from tests.builders import START as BEGUN
from tests.oracle import observe
from tests.properties.harness import folded

NODE = Node(Site("ml-prod"), "workers", "i-0123456789abcdef0")
LIMITS = Limits(lateness_ms=0, keep=2)


def test_flaws_of_late_events_stand_before_all_that_came_since() -> None:
    late = [NODE.says(BEGUN, "An unheard-of thing happened to it")]
    told = [NODE.says(BEGUN + 9 * HOUR, "Something else that nobody knows")]
    arrived = observe(raw(provisioned(NODE, BEGUN + HOUR) + told + late))
    arn = arrived[0].cluster_arn
    made = folded(arn, arrived, LIMITS).take().rows
    before = {key: _as_it_arrived(row) for key, row in made.items() if row is not None}
    assert before != made
    again = Workspace(arn, LIMITS)
    for key, row in before.items():
        again.load(key.table, key.key, row)
    rows = {**before, **again.take().rows}
    assert rows == made


def _as_it_arrived(data: bytes) -> bytes:
    """The flaws of a row's state in another order: each once stood where its event arrived."""
    row = decode(data)
    row.state.shapes = dict(reversed(row.state.shapes.items()))
    return encode(row)
