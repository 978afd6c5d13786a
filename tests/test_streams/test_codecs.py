"""Records and rows as bytes, and whose they are."""

from __future__ import annotations

import msgspec
import pytest

from models.observation import Observation
from streams import codecs
from streams.codecs import DecodeError, Origin
from streams.transaction import partition_of

ARN = "arn:aws:sagemaker:us-west-2:111122223333:cluster/abc"


class TestCodecs:
    """Records that are ours come back; others are refused without a word of what they hold."""

    def test_a_forwarded_observation_comes_back(self) -> None:
        seen = Observation(event_id="e", detail_type="t", cluster_arn=ARN, details={"ami": "ami-1"}, time=5)
        record = codecs.read_forwarded(codecs.forwarded(Origin("inc", 1, 2, 3), 4, seen, {"a": 1}))
        assert (record.observation, record.origin, record.observed_ms) == (seen, Origin("inc", 1, 2, 3), 4)
        assert bytes(record.event) == b'{"a":1}'

    @pytest.mark.parametrize(
        "data",
        [
            *(None, b"", b"secret", b'{"v":2,"tick":{"partition":0,"clock":1}}', b'{"v":1}', b'{"secret":"\xff"}'),
            b'{"v":1,"event":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        ],
        ids=lambda data: repr(data)[:20],
    )
    def test_a_foreign_record_is_refused(self, data: bytes | None) -> None:
        with pytest.raises(DecodeError) as refusal:
            codecs.read_forwarded(data)
        assert "secret" not in str(refusal.value)

    def test_a_row_of_a_newer_version_is_refused(self) -> None:
        with pytest.raises(DecodeError, match="version 3"):
            codecs.unwrap_row(codecs.wrap(3, "inc", 1, b"{}"), 2)

    def test_a_row_is_wrapped_as_the_struct_of_its_envelope_is_written(self) -> None:
        row = codecs.Row(2, ('in"c', 7), msgspec.Raw(b'{"a":1}'))
        assert codecs.wrap(2, 'in"c', 7, b'{"a":1}') == codecs.encode(row)

    def test_partitions_are_those_of_other_kafka_clients(self) -> None:
        # Values of Java's default partitioner.
        assert [partition_of(key, 1000) for key in (b"", b"a", b"ab", b"abc", b"123456789")] == [
            681,
            524,
            434,
            107,
            566,
        ]
