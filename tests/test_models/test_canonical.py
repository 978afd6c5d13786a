"""One spelling for one value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.canonical import canonical, digest, smaller

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_sorted_compact_utf8() -> None:
    assert (
        canonical({"b": [1, 2.5, None], "a": {"é": True, "Z": "x"}})
        == '{"a":{"Z":"x","é":true},"b":[1,2.5,null]}'.encode()
    )


def test_values_that_few_writers_take() -> None:
    assert canonical({"b": 2**70, "a": "\ud800"}) == b'{"a":"\xed\xa0\x80","b":1180591620717411303424}'
    with pytest.raises(TypeError):
        canonical({"a": object()})


@given(JSON)
def test_what_is_read_back_is_spelled_the_same(value: Any) -> None:
    assert canonical(json.loads(json.dumps(value))) == canonical(value)


def test_ids_are_stable_across_versions() -> None:
    assert digest("kind", 5, {"b": 1, "a": None}) == digest("kind", 5, {"a": None, "b": 1})
    assert digest("kind", 5, {}) == "ddb5edf4a159a1d7c9f99a3fffe4b567"


def test_the_smaller_of_two() -> None:
    assert smaller(None, 0) == smaller(0, None) == 0
    assert smaller(None, None) is None
    assert smaller("b", "a") == "a"
    assert smaller(9, 10) == 10  # by spelling: "10" sorts before "9"
    assert smaller([1], []) == [1]  # "[1]" sorts before "[]"
    assert canonical(smaller(1, True)) == canonical(smaller(True, 1)) == b"1"
