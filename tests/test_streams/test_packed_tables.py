"""How tables lie on the disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from faust.stores.rocksdb import RocksDBOptions

from models.workspace import Workspace
from streams.databases import BUFFERS, Packed
from tests.builders import START, Node, Site, provisioned, raw
from tests.oracle import observe


def rows() -> dict[bytes, bytes]:
    """Those of two hundred instances."""
    site = Site()
    space = Workspace(site.arn)
    for number in range(200):
        node = Node(site, "workers", f"i-{number:017x}", f"slot-{number}")
        for seen in observe(raw(provisioned(node, START))):
            space.apply(seen)
    return {key.key.encode(): row for key, row in space.take().rows.items() if row is not None}


def written(options: RocksDBOptions, place: Path) -> int:
    """The bytes that they take there."""
    store = options.open(place)
    for key, row in rows().items():
        store.put(key, row)
    store.flush()
    store.close()
    return sum(each.stat().st_size for each in place.glob("*.sst"))


def test_rows_take_a_fraction_of_their_json(tmp_path: Path) -> None:
    plain = sum(len(row) for row in rows().values())
    assert 0 < written(Packed(**BUFFERS), tmp_path / "packed") < plain / 5


def test_what_an_earlier_version_wrote_is_read_and_gone_on_with(tmp_path: Path) -> None:
    written(RocksDBOptions(**BUFFERS), tmp_path)
    again: Any = Packed(**BUFFERS).open(tmp_path)
    again.put(b"new", b"row")
    again.flush()
    assert again.get(b"new") == b"row"
    assert {key: again.get(key) for key in rows()} == rows()
    again.close()
