"""Nothing raises: whatever can be read can be folded, stored and judged.

Knows: what may be done with a value.  Must not know: what comes of it.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from models.fold import Limits
from models.public import dumps
from models.stored import decode, encode
from models.workspace import Workspace
from streams.replay import Replay
from tests.builders import Event, raw
from tests.oracle import observe
from tests.properties.absurd import JSON, spoilt
from tests.properties.harness import TIGHT, clusters, now_of
from tests.properties.stories import delivered, events

BOUNDS = st.sampled_from((None, TIGHT, Limits(lateness_ms=0, keep=1, ceiling_events=1)))


def survives(values: list[bytes], limits: Limits | None) -> None:
    """Everything that is done with a raw value is done with these."""
    job = Replay(limits=limits)
    for value in values:
        job.feed("any", value)
    document = job.document()
    assert json.loads(dumps(document))
    summary = document.summary
    assert summary.read == summary.applied + summary.duplicate + sum(summary.ignored.values()) + summary.dead_lettered
    seen = observe(values)
    for arn in clusters(seen):
        workspace, again = Workspace(arn, limits), Workspace(arn, limits)
        for obs in (obs for obs in seen if obs.cluster_arn == arn):
            workspace.apply(obs)
        for key, data in workspace.take().rows.items():
            if data is not None:
                assert encode(decode(data)) == data
                again.load(*key, data)
        assert again.picture(now_of(seen)) == workspace.picture(now_of(seen))


@given(st.lists(JSON, max_size=4), BOUNDS)
def test_any_json(values: list[Any], limits: Limits | None) -> None:
    survives([json.dumps(value).encode() for value in values], limits)


@given(st.lists(st.binary(max_size=40), max_size=4))
def test_any_bytes(values: list[bytes]) -> None:
    survives(values, None)


@given(events(), st.data(), BOUNDS)
def test_real_events_with_anything_in_any_place(story: list[Event], data: st.DataObject, limits: Limits | None) -> None:
    made = data.draw(spoilt(story))
    survives(raw(data.draw(st.permutations(made))), limits)


@given(events(), st.integers(0, 2**32), BOUNDS)
def test_counts_add_up(story: list[Event], seed: int, limits: Limits | None) -> None:
    seen = delivered(story, seed)
    for arn in clusters(seen):
        mine = [obs for obs in seen if obs.cluster_arn == arn]
        workspace = Workspace(arn, limits)
        outcomes = [workspace.apply(obs) for obs in mine]
        fresh = [outcome for outcome in outcomes if not outcome.duplicate]
        assert len(fresh) >= len({obs.event_id for obs in mine})
        if limits is None:
            assert len(fresh) == len({obs.event_id for obs in mine})
            assert not any(outcome.late for outcome in outcomes)
        assert all(not outcome.late and not outcome.unrecognized for outcome in outcomes if outcome.duplicate)
