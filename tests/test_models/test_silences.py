"""Silences: what they match, when they hold, and that they change nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from models.public import Anomaly
from models.public_silence import MATCHERS, Silence
from tests.fleet import Fleet
from tests.stories import ARN, NAME, born, script

BEGIN, LATER = "2026-05-04T09:00:00.000Z", "2026-05-04T12:00:00.000Z"
MINUTE = 60_000


def silence(name: str = "s-1", *, starts_at: Any = BEGIN, until: Any = LATER, **matchers: str) -> Silence:
    return Silence(silence_id=name, matchers=matchers or {"kind": "*"}, starts_at=starts_at, until=until)


@pytest.fixture
def failed(fleet: Fleet) -> Fleet:
    """A script failed at 09:03."""
    fleet.sees(born("i-1")[0], script("i-1", "Started"), script("i-1", "Failed"))
    return fleet


def one(fleet: Fleet, *silences: Silence, minutes: float = 0) -> Anomaly:
    """The failure so many minutes after the newest event."""
    found = fleet.document(fleet.clock + int(minutes * MINUTE), silences).anomalies
    (anomaly,) = [a for a in found if a.kind == "lifecycle_script_failed"]
    return anomaly


@pytest.mark.parametrize(
    "matchers",
    [
        {"kind": "lifecycle_script_failed"},
        {"kind": "*_failed", "severity": "error"},
        {"cluster": NAME},
        {"cluster": ARN},
        {"cluster_arn": "*:111122223333:*"},
        {"group": "work*", "instance": "i-[0-9]"},
        {"machine": "lifecycle_script", "state": "Failed", "cause": "lifecycle_script"},
        {"node_logical_id": ""},
        {"resource_type": "Instance"},
    ],
)
def test_every_matcher_has_to_fit(failed: Fleet, matchers: dict[str, str]) -> None:
    assert one(failed, silence(**matchers)).silenced_by == "s-1"
    assert one(failed, silence(**matchers, anomaly="other")).silenced_by is None
    assert one(failed, silence(**{**matchers, "instance_id": "i-2"})).silenced_by is None


def test_nothing_else_of_the_record_changes(failed: Fleet) -> None:
    plain, quiet = one(failed), one(failed, silence())
    assert quiet == plain.model_copy(update={"silenced_by": "s-1"})


@pytest.mark.parametrize(
    ("starts_at", "until", "holds"),
    [
        ("2026-05-04T09:03:00.000Z", "2026-05-04T09:03:00.001Z", True),
        ("2026-05-04T09:02:00.000Z", "2026-05-04T09:03:00.000Z", False),
        ("2026-05-04T09:03:00.001Z", "2026-05-04T10:00:00.000Z", False),
        ("2026-05-04T09:03:00.000Z", "2026-05-04T09:03:00.000Z", False),
    ],
)
def test_it_holds_from_its_start_until_its_end(failed: Fleet, starts_at: str, until: str, holds: bool) -> None:
    assert (one(failed, silence(starts_at=starts_at, until=until)).silenced_by is not None) == holds


def test_of_several_the_smallest_id_is_named(failed: Fleet) -> None:
    assert one(failed, silence("b"), silence("a", kind="stuck"), silence("c")).silenced_by == "b"


def test_when_it_ends_an_open_anomaly_is_heard_again_and_a_resolved_one_stays_silenced(failed: Fleet) -> None:
    until = silence(until="2026-05-04T09:10:00.000Z")
    assert one(failed, until, minutes=6).silenced_by == "s-1"
    assert one(failed, until, minutes=8).silenced_by is None
    failed.sees(script("i-1", "Started"), script("i-1", "Succeeded"))
    failed.waits(60)
    over = one(failed, until, minutes=60)
    assert (over.status, over.resolved_at, over.silenced_by) == ("resolved", "2026-05-04T09:05:00.000Z", "s-1")


class TestTheRecord:
    """What may be written to the topic."""

    def test_times_may_be_spelt_as_events_have_them(self) -> None:
        read = silence(starts_at=1_777_885_200, until="2026-05-04T12:00:00+00:00")
        assert (read.starts_at, read.until) == (BEGIN, LATER)

    def test_it_comes_back_from_its_json(self) -> None:
        given = silence("é", kind="stuck", cluster="a*").model_copy(update={"created_by": "me", "reason": "because"})
        assert Silence.model_validate_json(given.model_dump_json()) == given
        assert set(json.loads(given.model_dump_json())) == set(Silence.model_fields)

    def test_every_matcher_is_of_fields_that_anomalies_have(self) -> None:
        assert {field for fields in MATCHERS.values() for field in fields} <= set(Anomaly.model_fields)

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"matchers": {}}, "at least 1 item"),
            ({"matchers": {"instnace": "i-1"}}, "no matcher is called instnace; there are cluster"),
            ({"until": "2026-05-04T08:59:59Z"}, "cannot end before it begins"),
            ({"until": "soon"}, "should match pattern"),
            ({"until": None}, "valid string"),
            ({"silence_id": ""}, "at least 1 character"),
        ],
    )
    def test_anything_else_is_refused_with_a_reason(self, fields: dict[str, Any], words: str) -> None:
        with pytest.raises(ValidationError, match=words):
            Silence.model_validate({**silence().model_dump(), **fields})
