"""What the properties share: folding what arrived, showing it, and saying where two pictures differ.

Knows: workspaces from outside.  Must not know: rows' contents.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import unified_diff

from models.fold import Limits
from models.observation import Observation
from models.public import Picture
from models.workspace import RowKey, Workspace
from tests import oracle
from tests.builders import HOUR, MINUTE, START

TIGHT = Limits(lateness_ms=MINUTE, keep=4)
BOUNDS = (None, TIGHT, Limits(lateness_ms=MINUTE, keep=4, ceiling_events=6), Limits(lateness_ms=0, keep=1))


def clusters(arrived: Iterable[Observation]) -> list[str]:
    """The clusters that events are of."""
    return sorted({obs.cluster_arn for obs in arrived})


def now_of(arrived: Iterable[Observation]) -> int:
    """An hour after the newest event."""
    return max((obs.time for obs in arrived), default=0) + HOUR


def folded(arn: str, arrived: Iterable[Observation], limits: Limits | None = None) -> Workspace:
    """One cluster's events applied in the order given."""
    workspace = Workspace(arn, limits)
    for obs in arrived:
        if obs.cluster_arn == arn:
            workspace.apply(obs)
    return workspace


def shown(picture: Picture) -> str:
    """The picture's bytes, a field a line."""
    return picture.model_dump_json(indent=1)


def same(found: str, wanted: str, arrived: Iterable[Observation]) -> None:
    """Fail with the difference and the story where they are not equal."""
    if found == wanted:
        return
    lines = unified_diff(wanted.splitlines(), found.splitlines(), "wanted", "found", n=4, lineterm="")
    told = [
        f"{(obs.time - START) / 1000:10.3f} {obs.rank:4} {obs.event_id[:8]} {obs.code} {obs.operation or ''} "
        f"{obs.status or ''} group={obs.instance_group} instance={obs.instance_id} slot={obs.node_logical_id}"
        for obs in arrived
    ]
    raise AssertionError("\n".join([*lines, "", "as it arrived:", *told]))


def agree(arn: str, arrived: list[Observation], limits: Limits | None = None) -> None:
    """As it arrived, sorted, and by the oracle: one picture."""
    mine, now = [obs for obs in arrived if obs.cluster_arn == arn], now_of(arrived)
    wanted, tidy = shown(oracle.picture(arn, mine, now)), oracle.once(mine)
    same(shown(folded(arn, tidy, limits).picture(now)), wanted, tidy)
    same(shown(folded(arn, mine, limits).picture(now)), wanted, mine)


class Table:
    """Rows as a store has them."""

    def __init__(self) -> None:
        self.rows: dict[RowKey, bytes] = {}

    def write(self, changed: dict[RowKey, bytes | None]) -> None:
        """Take what a checkpoint writes."""
        for key, data in changed.items():
            if data is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = data

    def reopened(self, arn: str, limits: Limits | None) -> Workspace:
        """A workspace that knows nothing but the stored rows."""
        workspace = Workspace(arn, limits)
        for key, data in self.rows.items():
            workspace.load(*key, data)
        return workspace
