"""Cut anywhere and resume: rows in bytes are all that a run needs to know of what was before."""

from __future__ import annotations

import random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from models.fold import Limits
from models.stored import decode, encode
from models.transitions import Moved
from models.workspace import Workspace
from tests.builders import MINUTE, Event
from tests.properties.harness import BOUNDS, Table, clusters, folded, now_of, same, shown
from tests.properties.stories import delivered, events
from tests.published import valid

SEEDS = st.integers(0, 2**32 - 1)
# Late enough for some events to miss the tighter bounds: what becomes of them must not depend on cuts either.
LATE = st.sampled_from((None, MINUTE, 10 * MINUTE))


@given(events(), SEEDS, st.sampled_from(BOUNDS), LATE)
def test_cut_anywhere_and_resumed_is_the_uncut_run(
    story: list[Event], seed: int, limits: Limits | None, late: int | None
) -> None:
    arrived, chance = delivered(story, seed, within=late), random.Random(seed)
    for arn in clusters(arrived):
        mine = [obs for obs in arrived if obs.cluster_arn == arn]
        uncut, cut, table = folded(arn, mine, limits), Workspace(arn, limits), Table()
        for obs in mine:
            cut.apply(obs)
            if chance.random() < 0.2:
                table.write(cut.take().rows)
                cut = table.reopened(arn, limits)
        table.write(cut.take().rows)
        same(shown(cut.picture(now_of(mine))), shown(uncut.picture(now_of(mine))), mine)
        assert table.rows == {key: data for key, data in uncut.take().rows.items() if data is not None}


@given(events(), SEEDS, st.sampled_from(BOUNDS))
def test_a_rows_json_is_the_row(story: list[Event], seed: int, limits: Limits | None) -> None:
    arrived = delivered(story, seed)
    for arn in clusters(arrived):
        for data in folded(arn, arrived, limits).take().rows.values():
            assert data is None or encode(decode(data)) == data


@given(events(), SEEDS, st.sampled_from(BOUNDS))
def test_the_transitions_tell_the_present_changes(story: list[Event], seed: int, limits: Limits | None) -> None:
    arrived, chance = delivered(story, seed), random.Random(seed)
    for arn in clusters(arrived):
        mine = [obs for obs in arrived if obs.cluster_arn == arn]
        workspace, told = Workspace(arn, limits), list[Moved]()
        for obs in mine:
            workspace.apply(obs)
            if chance.random() < 0.2:
                told += workspace.take().transitions
        told += workspace.take().transitions
        for record in told:
            valid("transition", msgspec.json.decode(msgspec.json.encode(record)))
        last = {record.transition_id: record for record in told}
        present = {record.transition_id: record for record in folded(arn, mine, limits).take().transitions}
        assert {_what(record) for record in last.values() if record.status == "accepted"} == {
            _what(record) for record in present.values()
        }


def _what(record: Moved) -> tuple[object, ...]:
    """A transition without what is only known of its entity by now."""
    return (
        *(record.transition_id, record.machine, record.from_, record.to),
        *(record.time, record.event_id, record.code, record.legal),
    )
