"""Every code, kind, phase, state, machine and deadline has its words, and the words agree with the tables."""

from __future__ import annotations

import json

import pytest

from models.catalogue import BY_CODE, EVENT_CODES
from models.deadlines import NAMES, Thresholds
from models.explain import closest, codes, explain, words
from models.explain.phases import PHASE_LEVELS, given_by
from models.explain.words import CHECK, MACHINES, OPENS, PHASES, RULES, STATES
from models.faults import KINDS
from models.machines import graph
from models.public import AnomalyKind


def test_every_machine_state_and_phase_has_its_words():
    assert tuple(sorted(MACHINES)) == tuple(sorted(graph.MACHINES))
    for level, tables in graph.LEVELS.items():
        for name, table in tables.items():
            assert list(STATES[f"{level}/{name}"]) == [str(state) for state in table]
    assert {level: list(phases) for level, phases in PHASES.items()} == {
        level: [str(phase) for phase in phases] for level, phases in PHASE_LEVELS.items()
    }


def test_every_kind_says_what_opens_it_and_what_to_look_at():
    assert set(CHECK) == set(AnomalyKind)
    assert set(OPENS) | {AnomalyKind(kind) for kind in KINDS.values()} == set(AnomalyKind)
    assert all(CHECK.values())


def test_every_phase_is_given_by_a_machine_or_by_a_rule():
    for level, phases in PHASE_LEVELS.items():
        for phase in phases:
            if phase != "Unknown":
                assert given_by(level, phase) or f"{level}/{phase}" in RULES, (level, phase)


EVERYTHING = [
    *(("code", name, None) for name in (*BY_CODE, *EVENT_CODES)),
    *(("kind", str(kind), None) for kind in AnomalyKind),
    *(("phase", str(phase), level) for level, phases in PHASE_LEVELS.items() for phase in phases),
    *(("machine", machine.split("/")[1], machine.split("/")[0]) for machine in graph.MACHINES),
    *(("state", str(state), machine) for machine in graph.MACHINES for state in graph.graph(machine)),
    *(("deadline", name, None) for name in NAMES),
]


@pytest.mark.parametrize(("kind", "name", "of"), EVERYTHING)
def test_everything_is_explained_under_each_of_its_names(kind: str, name: str, of: str | None):
    narrowed = f"{of}/{name}" if of else name
    for word in (name, name.upper(), narrowed, narrowed.lower()):
        found = [topic for topic in explain(word) if (topic.type, topic.name, topic.of) == (kind, name, of)]
        assert len(found) == 1, word
        assert len(found[0].meaning) > 10
        json.dumps(found[0].model_dump(mode="json"), allow_nan=False)
    assert name in words()


def test_a_narrowed_word_has_fewer_meanings():
    assert len(explain("failed")) > len(explain("provision/failed")) == 1
    assert [topic.of for topic in explain("group/patch")] == ["group"]


def test_what_is_misspelt_is_guessed():
    assert closest("patch_faild")[0] == "patch_failed"
    assert closest("InstanceRoledBack")[0] == "InstanceRolledBack"
    assert "Replacing" in closest("replacng") or "replacing" in closest("replacng")
    assert closest("%&/") == []
    assert explain("") == explain("nothing like it") == ()


def test_a_code_says_what_it_moves_opens_and_clears():
    (topic,) = explain("LifecycleScriptStatus")
    details = topic.model_dump(mode="json")["details"]
    moves = {(m["machine"], m["from"], m["to"], m["when"]) for m in details["moves"]}
    assert ("instance/lifecycle_script", "Running", "Failed", "Failed") in moves
    assert ("instance/provision", "Provisioned", "InService", "Succeeded") in moves
    assert details["opens"] == ["lifecycle_script_failed (Failed)"]
    assert "LifecycleScriptFailedWithLogs (Succeeded)" in details["clears"]
    assert details["text"].startswith("Instance lifecycle script execution for EC2 Instance <instance-id>")
    assert details["ranks"]["Failed"] > details["rank"]


def test_codes_agree_with_the_table_of_kinds():
    for name, kind in KINDS.items():
        assert kind in codes.opens(name), name


def test_every_move_of_a_code_is_an_edge_of_its_machine():
    for name in codes.CODES:
        for move in codes.moves(name):
            assert name in next(
                edge.events
                for edge in codes.edges(move.machine)
                if (edge.from_, edge.to, edge.on) == (move.from_, move.to, move.on)
            )


def test_a_state_says_how_it_is_left_and_until_when():
    (topic,) = explain("replace/Replacing")
    details = topic.model_dump(mode="json")["details"]
    limit = Thresholds().deadline("replacing")
    assert details["deadline"] == {"name": "replacing", "slow_minutes": limit.slow, "stuck_minutes": limit.stuck}
    assert {edge["to"] for edge in details["left_by"]} == {"Replaced", "Failed"}
    assert details["phase"] == ["Replacing"]
    (final,) = explain("provision/Terminated")
    assert final.details["is_final"]
    assert final.details["no_deadline_because"] == "nothing is awaited here"


def test_a_kind_that_is_found_says_its_severity():
    (topic,) = (each for each in explain("patch_skipped") if each.type == "kind")
    assert topic.details["severity"] == "warning"
    assert topic.details["opens_on"][0].startswith("PatchSkipped: UpdateClusterSoftware for Instance")


def test_the_state_of_a_wait_that_only_node_lists_tell_of_is_explained():
    (topic,) = explain("DeepHealthCheckInProgress")
    assert (topic.type, topic.name) == ("deadline", "deep_health_check")
