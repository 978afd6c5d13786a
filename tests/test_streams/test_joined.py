"""Requests that are joined once are the bytes that aiokafka makes of them."""

import pytest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.struct import Struct
from aiokafka.protocol.types import CompactArray, CompactBytes, CompactString, Schema

from streams import joined

TOPICS = [("one", [(0, b"batch"), (7, bytearray(b"another"))]), ("zwei-ü", [(1, None)]), ("none", [])]


@pytest.mark.parametrize("version", range(len(ProduceRequest._CLASSES)))
@pytest.mark.parametrize("transactional_id", [None, "worker-0"])
@pytest.mark.parametrize("topics", [TOPICS, [], None])
def test_a_joined_request_is_the_same_bytes(version: int, transactional_id: str | None, topics: object) -> None:
    if version < 3:
        transactional_id = None
    request = ProduceRequest(transactional_id, -1, 120_000, topics)  # type: ignore[arg-type]
    made = request.prepare({ProduceRequest.API_KEY: (version, version)})
    assert version == made.API_VERSION
    assert joined.encode(made) == Struct.encode(made)


def test_what_newer_requests_are_made_of_encodes_itself() -> None:
    class Compact(Struct):
        SCHEMA = Schema(("names", CompactArray(CompactString("utf-8"))), ("data", CompactBytes))

    for names in (["one", "zwei"], [], None):
        assert joined.encode(made := Compact(names, b"batch")) == Struct.encode(made)


def test_every_request_with_records_is_joined_from_the_first_claim_on() -> None:
    joined.send_joined()
    joined.send_joined()
    assert all(kind.encode is joined.encode for kind in ProduceRequest._CLASSES)
