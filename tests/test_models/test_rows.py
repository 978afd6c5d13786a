"""What rows keep: copies that go their own way, events as bytes, changes as they are published."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import fold
from models.copies import copy_of
from models.fold import Limits
from models.held import held_as, hold, size_of, told
from models.machines.instance import IGNORED, JOINT, MACHINES, START, TARGETS
from models.machines.signals import Signal
from models.observation import Observation
from models.placement import RowKey
from models.public import Transition
from models.rows import Change, Row, State
from models.steps import instance
from models.steps.common import Tables, move
from models.steps.turns import EDGES, Joint, plan_of
from models.stored import decode, encode
from models.transitions import Published, transitions
from models.workspace import Workspace
from tests.builders import HOUR, Node, Site, patched, provisioned, raw, rebooted
from tests.builders import START as BEGUN
from tests.oracle import observe
from tests.properties.fixed import three_clusters
from tests.properties.harness import clusters, folded

NODE = Node(Site("train"), "workers", "i-1", "n-1")
KEY = RowKey("instances", f"{NODE.site.arn}|i-1")


def life(rounds: int) -> list[Observation]:
    """An instance is born, then updated and rebooted again and again."""
    story = provisioned(NODE, BEGUN)
    for place in range(rounds):
        story += patched([NODE], BEGUN + (2 * place + 1) * HOUR, alarm=place % 2 == 1)
        story += rebooted(NODE, BEGUN + (2 * place + 2) * HOUR)
    return [obs for obs in observe(raw(story)) if obs.instance_id]


def row_of(arrived: list[Observation]) -> Row:
    row = fold.begin("instance")
    for obs in arrived:
        fold.put(row, hold(obs), obs)
    fold.settle(row)
    return row


SOME = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=3)
TIMES = st.integers(-(2**40), 2**40)
OBSERVATIONS = st.builds(
    Observation,
    *(st.text("ab", max_size=1) for _ in range(3)),
    **dict.fromkeys(("cluster_name", "instance_group", "instance_id", "node_logical_id"), st.none() | st.just("a")),
    **dict.fromkeys(("resource_type", "level", "description", "operation", "operation_word", "status", "shape"), SOME),
    **dict.fromkeys(("event_time", "envelope_time", "observed_time"), st.none() | TIMES | st.just(5)),
    time=TIMES | st.just(5),
    time_unreadable=st.sampled_from([None, None, True]),
    clock_suspect=st.booleans(),
    code=st.text("AB", max_size=2),
    rank=st.integers(0, 9),
    details=st.dictionaries(st.text("ab", max_size=1), st.integers(0, 1) | st.lists(st.text("a")), max_size=2),
    text=st.dictionaries(st.text("ab", max_size=1), st.text("a"), max_size=2),
)


def test_what_is_done_to_a_copy_of_a_state_is_not_done_to_the_state() -> None:
    """With every row of a long story, each going on with all events of its own and of the others."""
    arrived = observe(raw(three_clusters()))
    for arn in clusters(arrived):
        mine = [obs for obs in arrived if obs.cluster_arn == arn]
        for row in folded(arn, mine[: len(mine) // 2]).rows.values():
            state = fold.settle(row)
            before, copied = msgspec.json.encode(state), copy_of(state)
            assert msgspec.json.encode(copied) == before
            row.state = copied
            for obs in mine:
                fold.put(row, hold(msgspec.structs.replace(obs, time=obs.time + 48 * HOUR)))
            assert msgspec.json.encode(state) == before


def test_rows_that_have_absorbed_nothing_share_a_checkpoint_until_one_writes_into_its_own() -> None:
    one, other = fold.begin("instance"), decode(encode(fold.begin("instance")))
    assert one.checkpoint is other.checkpoint
    for obs in life(1):
        fold.put(one, hold(obs), obs)
    fold.absorb(one, Limits(lateness_ms=0, keep=1))
    assert one.checkpoint is not other.checkpoint
    assert other.checkpoint == fold.begin("instance").checkpoint == instance.begin()


def test_states_begin_with_nothing_in_common_that_steps_write_into() -> None:
    one, other = fold.begin("instance").state, fold.begin("instance").state
    begun = {name: getattr(one, name) for name in State.__struct_fields__}
    in_common = {name for name, each in begun.items() if each is getattr(other, name) and isinstance(each, dict | list)}
    assert "shapes" in in_common
    assert all(State.__annotations__[name].startswith("Mapping[") for name in in_common)


def test_a_kept_event_is_the_event() -> None:
    for obs in life(2):
        assert told(hold(obs)) == obs
        assert hold(obs).key == obs.key


@given(OBSERVATIONS, OBSERVATIONS)
def test_any_event_that_is_kept_is_the_event(obs: Observation, other: Observation) -> None:
    beside = hold(other)
    held = hold(obs, beside)
    assert told(held) == told(held_as(held.data, held.subject, size_of(held.subject))) == obs
    assert held == hold(obs) == held_as(held.data, held.subject, size_of(held.subject))
    assert (held.subject is beside.subject) == (hold(obs).subject == beside.subject)


def test_a_row_says_everything_once() -> None:
    """Whose events they are once for all of them, and of each event its id, time and code, whatever it changed."""
    arrived = life(3)
    row = row_of(arrived)
    stored = msgspec.json.decode(encode(row))
    assert len(stored["subjects"]) < len(stored["turns"]) < len(arrived)
    assert not stored["state"].get("history")
    assert len(stored["history"]) == len(row.state.history) > len(arrived)
    assert "checkpoint" not in stored
    assert decode(encode(row)).state.history == row.state.history


def test_events_of_several_subjects_keep_their_own() -> None:
    arrived = life(1)
    for place in (0, 2, 3, len(arrived) - 1):
        arrived[place] = msgspec.structs.replace(arrived[place], cluster_name=f"other {place}")
    row = decode(encode(row_of(arrived)))
    assert [told(held) for held in row.retained] == arrived
    assert row == row_of(arrived)


def test_an_id_that_comes_again_after_its_event_was_absorbed_is_in_the_history_as_often_as_it_came() -> None:
    arrived = observe(raw([event for hours in (0, 30, 60) for event in rebooted(NODE, BEGUN + hours * HOUR)]))
    again = len(arrived) // 3 * 2
    arrived[again] = msgspec.structs.replace(arrived[again], event_id=arrived[0].event_id)
    known = Workspace(NODE.site.arn, Limits(lateness_ms=HOUR, keep=2))
    for obs in arrived:
        known.apply(obs)
    row = known.rows[KEY]
    assert [change.event_id for change in fold.settle(row).history].count(arrived[0].event_id) == 2
    assert decode(encode(row)).state == row.state


def test_it_is_so_where_nothing_else_lies_between() -> None:
    first, between = life(0)[:2]
    row = row_of([first, between])
    fold.absorb(row, Limits(ceiling_events=1))
    fold.remove(row, between)  # it is about somebody else
    fold.take(row, msgspec.structs.replace(first, rank=first.rank + 1))
    once = {change.event_id for change in fold.settle(row).history}
    assert once == {first.event_id}
    assert decode(encode(row)).state == row.state


def test_an_empty_row_is_a_row() -> None:
    assert decode(encode(fold.begin("slot"))) == fold.begin("slot")


@pytest.mark.parametrize(
    "spoilt", [b'"subjects":[]', b'"subjects":[],"turns":[[1,0]]', b'"subjects":[],"turns":[[9,0]]']
)
def test_events_of_nobody_are_no_row(spoilt: bytes) -> None:
    data = encode(row_of(life(0)))
    begin = data.index(b'"subjects":')
    with pytest.raises(msgspec.DecodeError):
        decode(data[:begin] + spoilt + data[data.index(b',"retained"') :])


def test_a_step_of_no_event_is_no_row() -> None:
    data = encode(row_of(life(0)))
    begin = data.index(b'"history":')
    with pytest.raises(msgspec.DecodeError):
        decode(data[:begin] + b'"history":[[99]],"version":2}')


@pytest.mark.parametrize("reach", [3, 40, 400])
def test_a_refold_from_a_mark_is_the_refold_from_the_beginning(reach: int) -> None:
    """Looked at again and again, while events come out of order by up to so many places."""
    arrived, chance = life(40), random.Random(reach)
    order = sorted(range(len(arrived)), key=lambda place: place + chance.random() * reach)
    row, marked = fold.begin("instance"), 0
    for count, place in enumerate(order):
        fold.put(row, hold(arrived[place]), arrived[place])
        if count % 7 == 0:
            fold.settle(row)
            marked = max(marked, len(row.marks))
    assert 0 < marked <= len(fold.MARKED)
    assert fold.settle(row) == row_of(arrived).state


def test_marks_follow_events_into_the_checkpoint() -> None:
    arrived, limits = life(40), Limits(lateness_ms=20 * HOUR, keep=8)
    late = arrived[:-30] + arrived[-29:] + [arrived[-30]]
    row = fold.begin("instance")
    for obs in late:
        fold.put(row, hold(obs), obs)
        fold.settle(row)
        fold.absorb(row, limits)
    wanted = row_of(arrived)
    fold.absorb(wanted, limits)
    assert fold.settle(row) == wanted.state


JOINTS = st.tuples(*(st.sampled_from([str(state) for state in table]) for table in MACHINES.values()))


@given(JOINTS, st.sampled_from(list(Signal)))
def test_the_plan_of_a_signal_is_what_every_machine_does_with_it_by_itself(
    joint: tuple[str, ...], signal: Signal
) -> None:
    plan = plan_of(joint, signal)
    if plan is None:
        return
    machines = dict(zip(MACHINES, joint, strict=True))
    state = State("instance", {**machines}, origin="observed", changed=dict.fromkeys(MACHINES, 0))
    tables = Tables("instance", MACHINES, TARGETS, {}, IGNORED)
    for machine, _ in EDGES[signal]:
        move(state, tables, machine, signal, life(0)[0])
    walked = [(machine, machines[machine], state.machines[machine]) for machine in MACHINES]
    assert sorted(step for step in walked if step[1] != step[2]) == sorted(plan.moves)
    assert list(state.signals) == list(plan.takers)
    assert (plan.turn is None) == (JOINT(state.machines) == joint)
    assert not state.runs


def test_no_instance_moves_the_machines_of_another_one_in_the_same_states() -> None:
    one, other = row_of(life(1)[:3]), row_of(life(1)[:3])
    assert one.state.machines is other.state.machines
    for obs in life(3)[3:]:
        fold.put(one, hold(obs), obs)
    assert fold.settle(one).machines != other.state.machines
    for machines in (one.state.machines, other.state.machines):
        assert isinstance(machines, Joint)
        assert machines == dict(zip(MACHINES, machines.states, strict=True))


@pytest.mark.parametrize("count", [1, fold.PUT_OFF - 1, fold.PUT_OFF, fold.PUT_OFF + 1])
def test_an_event_that_waits_for_others_is_in_the_state_that_is_asked_for(count: int) -> None:
    row, at_once = fold.begin("instance"), instance.begin()
    for obs in life(3)[:count]:
        fold.put(row, hold(obs), obs)
        instance.step(at_once, obs)
    assert fold.settle(row) == at_once
    assert not row.coming


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


@given(TEXT, TEXT, st.one_of(st.none(), TEXT), st.integers(0, 10**13), st.booleans())
def test_a_transition_is_written_as_the_public_model_writes_it(
    event_id: str, name: str, slot: str | None, time: int, legal: bool
) -> None:
    state = State("instance", dict(START), cluster_name=name, instance_group=name, node_logical_id=slot)
    state.history.append(Change(time, event_id, "EniCreated", "provision", "Unknown", "NetworkReady", legal))
    [moved] = transitions(NODE.site.arn, KEY, None, Row(checkpoint=state, state=state))
    data = msgspec.json.encode(moved)
    assert Transition.model_validate_json(data).model_dump_json().encode() == data
    assert ("schema_version", *moved.__struct_fields__) == tuple(Transition.model_fields)


def test_only_what_is_new_in_a_history_that_went_on_is_told() -> None:
    """Also where its oldest items have left."""
    arrived = life(60)
    row, told_ids, before = fold.begin("instance"), list[str](), None
    for place in range(0, len(arrived), 11):
        for obs in arrived[place : place + 11]:
            fold.put(row, hold(obs), obs)
        records = transitions(NODE.site.arn, KEY, before, row)
        assert {record.status for record in records} <= {"accepted"}
        told_ids += [record.transition_id for record in records]
        before = Published(row)
    assert len(told_ids) == len(set(told_ids)) > 200
    assert transitions(NODE.site.arn, KEY, before, row) == []


def test_changes_that_a_late_event_undoes_are_withdrawn() -> None:
    arrived = life(1)
    row = row_of(arrived[:1] + arrived[2:])
    before = Published(row)
    fold.put(row, hold(arrived[1]), arrived[1])
    fold.settle(row)
    records = transitions(NODE.site.arn, KEY, before, row)
    gone = {record.transition_id for record in records if record.status == "withdrawn"}
    come = {record.transition_id for record in records if record.status == "accepted"}
    assert come
    assert not gone & come
