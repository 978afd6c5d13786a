"""Rows that an earlier version left say what the present one would say of the same events."""

from __future__ import annotations

import gzip
import json
from base64 import b64decode
from pathlib import Path

import msgspec

from models.fold import Limits
from models.stored import decode, encode
from models.workspace import RowKey, Workspace
from tests.builders import HOUR, Node, Site, provisioned, raw
from tests.builders import START as BEGUN
from tests.oracle import observe
from tests.properties.harness import folded, now_of, shown

KEPT = Path(__file__).parents[1] / "data" / "changelogs-0.1.0.json.gz"
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


def test_rows_of_version_1_go_on_as_if_they_had_been_written_now() -> None:
    """Read from a changelog as 0.1.0 wrote it; an event that is older than the last ones still finds its place."""
    kept = json.loads(gzip.decompress(KEPT.read_bytes()))
    rows: dict[RowKey, bytes] = {}
    for table in ("clusters", "instance_groups", "instances"):
        for _, key, value in kept["tables"][table]:
            envelope = msgspec.json.decode(b64decode(value), type=dict[str, msgspec.Raw])
            assert bytes(envelope["v"]) == b"1"
            rows[RowKey(table, b64decode(key).decode())] = bytes(envelope["row"])
    arrived = observe([b64decode(value) for value in kept["raw"]])
    more = [
        msgspec.structs.replace(obs, event_id=f"late {obs.event_id}", time=obs.time + 1, event_time=obs.time + 1)
        for obs in arrived[::4]
    ]
    arns = sorted({obs.cluster_arn for obs in arrived})
    assert len(arns) > 1
    for arn in arns:
        old, new = Workspace(arn), folded(arn, arrived)
        mine = {key: data for key, data in rows.items() if key.key.split("|")[0] == arn}
        for key, data in mine.items():
            old.load(*key, data)
            again = encode(decode(data))
            assert decode(again) == decode(data)
            assert len(again) < len(data)
        assert mine.keys() == new.rows.keys()
        assert old.take().rows == {}
        for late in (None, *more):
            if late is not None and late.cluster_arn == arn:
                assert old.apply(late) == new.apply(late)
            assert shown(old.picture(now_of(arrived))) == shown(new.picture(now_of(arrived)))


def _as_it_arrived(data: bytes) -> bytes:
    """The flaws of a row's state in another order: each once stood where its event arrived."""
    row = decode(data)
    row.state.shapes = dict(reversed(row.state.shapes.items()))
    return encode(row)
