"""Every spelling of a time that the contract names, and the times that are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.timestamps import MAX_MS, MIN_MS, iso, parse_http_ms, parse_ms

AT = 1_748_794_825_350


@pytest.mark.parametrize(
    "spelling",
    [
        AT,
        float(AT),
        1_748_794_825.35,
        "1748794825350",
        "1748794825.35",
        " 1748794825350 ",
        "1.74879482535e12",
        "2025-06-01T16:20:25.350Z",
        "2025-06-01T16:20:25.350999Z",
        "2025-06-01T16:20:25.35+00:00",
        "2025-06-01 16:20:25.350000+00:00",
        "2025-06-01T18:20:25.350+02:00",
        "2025-06-01t16:20:25.350z",
        "2025-06-01T16:20:25.350",
        "20250601T162025.350Z",
    ],
)
def test_spellings_of_one_moment(spelling: object) -> None:
    assert parse_ms(spelling) == AT


def test_small_numbers_are_seconds() -> None:
    assert parse_ms(1_748_794_825) == 1_748_794_825_000
    assert parse_ms("1748794825") == 1_748_794_825_000
    assert parse_ms(0) == 0


@pytest.mark.parametrize(
    "nonsense",
    [
        *(None, "", "  ", "yesterday", True, [], {}, [AT], 1e20, 10**30, float("nan"), float("inf")),
        *("1e20", "1e999", "--5", "1748794825350123456789", "9" * 5000, "2026-13-01T00:00:00Z", "2026-06-01T25:00:00Z"),
        *("99999-01-01", "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-10:00"),
    ],
)
def test_what_is_no_time(nonsense: object) -> None:
    assert parse_ms(nonsense) is None


def test_dates_before_clocks_are_times() -> None:
    assert parse_ms("0001-01-01T00:00:00Z") == MIN_MS
    assert parse_ms("9999-12-31T23:59:59.999Z") == MAX_MS
    assert parse_ms("2026-06-01") == 1_780_272_000_000


def test_http_dates() -> None:
    assert parse_http_ms("Mon, 04 May 2026 09:00:00 GMT") == 1_777_885_200_000
    assert parse_http_ms("2026-05-04T09:00:00Z") == 1_777_885_200_000
    assert parse_http_ms("Mon, 99 May 2026") is None
    assert parse_http_ms({"a": 1}) is None


def test_written_with_milliseconds_and_z() -> None:
    assert iso(AT) == "2025-06-01T16:20:25.350Z"
    assert iso(1_764_000_000_123) == "2025-11-24T16:00:00.123Z"
    assert iso(0) == "1970-01-01T00:00:00.000Z"
    assert iso(-1) == "1969-12-31T23:59:59.999Z"
    assert iso(MIN_MS) == "0001-01-01T00:00:00.000Z"
    assert iso(MIN_MS - 1) == "0001-01-01T00:00:00.000Z"
    assert iso(10**18) == "9999-12-31T23:59:59.999Z"


@given(st.integers(MIN_MS, MAX_MS))
def test_what_is_written_reads_back(ms: int) -> None:
    assert parse_ms(iso(ms)) == ms


@given(st.one_of(st.text(), st.floats(), st.integers(), st.booleans(), st.none(), st.lists(st.integers())))
def test_never_raises(anything: object) -> None:
    assert parse_ms(anything) is None or isinstance(parse_ms(anything), int)
    assert parse_http_ms(anything) is None or isinstance(parse_http_ms(anything), int)
