"""Every file form gives the same values; broken ones cost no more than they must; nothing is lost or held for long."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streams.documents import documents
from streams.files import FilesError, values

A, B, C = {"a": 1, "deep": {"x": [1, {"y": "}{"}]}}, {"b": "é\n\\"}, {"c": []}


def read(*paths: str | os.PathLike[str], stdin: bytes = b"") -> list[tuple[str, bytes]]:
    return list(values(paths, stdin=io.BytesIO(stdin)))


def parsed(found: list[tuple[str, bytes]]) -> list[Any]:
    return [json.loads(value) for _, value in found]


def taken_apart(text: bytes | str) -> list[str]:
    data = text.encode() if isinstance(text, str) else text
    return [value.decode("utf-8", "surrogateescape") for _, value in documents(io.BytesIO(data))]


def lines(*records: Any) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def pretty(*records: Any, indent: int = 2) -> bytes:
    return b"".join(json.dumps(record, indent=indent, ensure_ascii=False).encode() + b"\n" for record in records)


FORMS = {
    "lines.jsonl": lines(A, B, C),
    "lines.NDJSON": lines(A, B, C),
    "no-last-newline.jsonl": lines(A, B, C).rstrip(),
    "crlf.jsonl": lines(A, B, C).replace(b"\n", b"\r\n"),
    "blank.jsonl": b"\n \n" + lines(A) + b"\n\n" + lines(B, C) + b"\t\n",
    "bom.jsonl": b"\xef\xbb\xbf" + lines(A, B, C),
    "packed.jsonl.gz": gzip.compress(lines(A, B, C)),
    "packed-unsaid.jsonl": gzip.compress(lines(A, B, C)),
    "lines.json": lines(A, B, C),
    "pretty.json": pretty(A, B, C),
    "unindented.json": pretty(A, B, C, indent=0),
    "bom.json": b"\xef\xbb\xbf" + pretty(A, B, C),
    "two-boms.json": b"\xef\xbb\xbf" + pretty(A) + b"\xef\xbb\xbf" + pretty(B, C),
    "concatenated.json": b"".join(json.dumps(each).encode() for each in (A, B, C)),
    "array.json": pretty([A, B, C]),
    "array-of-one-line.json": lines([A, B, C]),
    "array-and-more.json": lines([A], [B]) + pretty(C) + b"[]",
    "packed.json.gz": gzip.compress(pretty([A, B, C])),
    "two-members.gz": gzip.compress(lines(A)) + gzip.compress(lines(B, C)),
    "words.log": lines(A, B, C),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_gives_the_same_values(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(FORMS[name])
    assert parsed(read(path)) == [A, B, C]


@pytest.mark.parametrize("name", FORMS)
def test_standard_input_takes_every_form(name: str) -> None:
    found = read("-", stdin=FORMS[name])
    assert parsed(found) == [A, B, C]
    assert found[0][0].startswith("stdin:")


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf", b"[]", b"[\n]\n", gzip.compress(b"", mtime=0)])
@pytest.mark.parametrize("name", ["none.json", "none.gz"])
def test_empty_files_give_nothing(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    assert read(path) == []


def test_origins_name_the_file_and_the_line(tmp_path: Path) -> None:
    by_line, by_value = tmp_path / "a.jsonl", tmp_path / "b.json"
    by_line.write_bytes(b"\n" + lines(A, B))
    by_value.write_bytes(b"\n" + pretty(C, B))
    assert [origin for origin, _ in read(by_line, by_value)] == [
        f"{by_line}:2",
        f"{by_line}:3",
        f"{by_value}:2",
        f"{by_value}:5",
    ]


def test_a_broken_value_of_a_jsonl_costs_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    broken = [b'{"a":', b"not json", b"}", b"\xff\xfe\x00", b"[1, 2"]
    path.write_bytes(lines(A) + b"\n".join(broken) + b"\n" + lines(B))
    assert [value for _, value in read(path)] == [lines(A).strip(), *broken, lines(B).strip()]


def test_a_long_line_that_is_an_array_is_taken_apart(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines([A] * 40_000, B))
    found = read(path)
    assert len(found) == 40_001
    assert {origin for origin, _ in found[:-1]} == {f"{path}:1"}
    assert parsed(found[-2:]) == [A, B]


@pytest.mark.parametrize(
    ("text", "apart"),
    [
        # A pretty-printed value that breaks off, or has an error inside: the next one is found.
        ('{\n  "a": 1,\n  "b": {\n{"c": 2}\n', ['{\n  "a": 1,\n  "b": {', '{"c": 2}']),
        ('{\n  "a": 1,\n  "b": \n{\n  "c": 2\n}\n{"d": 3}', ['{\n  "a": 1,\n  "b":', '{\n  "c": 2\n}', '{"d": 3}']),
        ('{\n  "a": nil\n}\n{"c": 2}', ['{\n  "a": nil\n}', '{"c": 2}']),
        ('{"a": "cut of\n{"c": 2}', ['{"a": "cut of', '{"c": 2}']),
        ('{"a": [\n{"c": 2}\n{"d": 3}\n', ['{"a": [', '{"c": 2}', '{"d": 3}']),
        ("words\nmore words\n  {not this}\n[3]\n4", ["words\nmore words\n  {not this}", "3", "4"]),
        ('{"a": 1} trailing\n{"b": 2}', ['{"a": 1}', "trailing", '{"b": 2}']),
        ('}\n{"b": 2}', ["}", '{"b": 2}']),
        ('{"a": 1},\n{"b": 2}', ['{"a": 1}', ",", '{"b": 2}']),
        ('42 "x" null NaN', ["42", '"x"', "null", "NaN"]),
        ('{"a": 1', ['{"a": 1']),
        # Without indentation the broken value's own lines start with a bracket: it stays whole up to the error.
        (
            '{\n"a": [\n{\n"b": 1\n},\n{\n"c": nil\n}\n]\n}\n{\n"d": 1\n}\n',
            ['{\n"a": [\n{\n"b": 1\n},\n{\n"c": nil\n}\n]\n}', '{\n"d": 1\n}'],
        ),
        ('{\n"a": 1,\n{\n"d": 1\n}\n', ['{\n"a": 1,', '{\n"d": 1\n}']),
        # Arrays: elements before and after a broken one are values; an array without an end is one broken value.
        ('[1, {"a": 2}, 3', ["1", '{"a": 2}', "3", "["]),
        ('[{"a": 2}, {"b": ', ['{"a": 2}', '{"b":']),
        (
            '[\n{"a": 1},\n{"b":,\n{"c": 3},\n{"d": 4}\n]\n{"e": 5}',
            ['{"a": 1}', '{"b":,', '{"c": 3}', '{"d": 4}', '{"e": 5}'],
        ),
        ('[{"a": nil}\n]\n[{"b": 2}]', ['{"a": nil}\n]', '{"b": 2}']),
        ("[1 2]", ["1", "[", "2", "]"]),
        ("[1,]", ["1", "[", "]"]),
        ("[,1]", ["[", ",1]"]),
        ("[[1, 2], [3]]", ["[1, 2]", "[3]"]),
    ],
)
def test_where_reading_resumes(text: str, apart: list[str]) -> None:
    assert taken_apart(text) == apart


def test_bytes_that_are_no_text_pass_through_whole() -> None:
    raw = [b'{"a": "\xff\xfe"}', b"\x00\x01\xff", '{"é": "\U0001f600"}'.encode()]
    assert [value for _, value in documents(io.BytesIO(b"\n".join(raw)))] == raw


def test_numbers_and_depths_that_readers_refuse_are_still_one_value() -> None:
    for hard in (b"[" * 900 + b"]" * 900, b'{"n": ' + b"1" * 6000 + b"}", b'{"n": 1e999}', b'{"s": "\\ud800"}'):
        assert [value for _, value in documents(io.BytesIO(b'{"v": ' + hard + b"}\n{}"))] == [
            b'{"v": ' + hard + b"}",
            b"{}",
        ]
    deep = b'{"v":' * 50_000 + b"1" + b"}" * 50_000
    assert [value for _, value in documents(io.BytesIO(deep + b"\n{}"))] == [deep, b"{}"]


class Trickle(io.RawIOBase):
    """A stream that gives few bytes at a time, wherever a value happens to be cut."""

    def __init__(self, data: bytes, size: int) -> None:
        super().__init__()
        self._data = io.BytesIO(data)
        self._size = size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._data.read(self._size)


MESSY = "".join(
    [
        '{"a": -1.5e3, "s": "\\u00e9\\"{", "t": true}\n',
        "[12, null,\n {}]",
        "\n-7 ",
        '{"é": [\n',
        '{"b": 2}\n',
        '"x" nil\n[3',
    ]
)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
def test_where_the_stream_is_cut_changes_nothing(size: int) -> None:
    whole = list(documents(io.BytesIO(MESSY.encode())))
    assert list(documents(Trickle(MESSY.encode(), size))) == whole
    assert [value for _, value in whole] == [
        *(b'{"a": -1.5e3, "s": "\\u00e9\\"{", "t": true}', b"12", b"null", b"{}", b"-7"),
        *('{"é": ['.encode(), b'{"b": 2}', b'"x"', b"nil", b"3", b"["),
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=10,
)
OBJECTS = st.dictionaries(st.text(max_size=4), JSON, max_size=3)


@given(st.lists(OBJECTS, max_size=5), st.sampled_from([None, 0, 2]), st.integers(1, 9))
def test_whatever_is_concatenated_comes_apart_again(records: list[Any], indent: int | None, size: int) -> None:
    text = "\n".join(json.dumps(record, indent=indent) for record in records)
    assert [json.loads(value) for _, value in documents(Trickle(text.encode(), size))] == records
    array = json.dumps(records, indent=indent)
    assert [json.loads(value) for _, value in documents(Trickle(array.encode(), size))] == records


@given(st.binary(max_size=60) | st.text('{}[],:"\\ \n1a', max_size=40).map(str.encode), st.integers(1, 9))
@example(b"[0\x00[", 1)
def test_any_bytes_are_handed_on_in_order(data: bytes, size: int) -> None:
    found = [value for _, value in documents(Trickle(data, size))]
    position = 0
    for value in found:
        if value == b"[":  # an array that proves to be broken says so after its elements, by its bracket
            continue
        at = data.find(value, position)
        assert at >= 0
        position = at + len(value)


@pytest.mark.parametrize("name", ["many.json", "many.jsonl", "many.json.gz"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    record = json.dumps({"v": "x" * 1000})
    text = "".join(
        (f"{record}\n" if name.endswith("l") else f"{'[' if at == 0 else ','}{record}\n") for at in range(30_000)
    )
    data = (text if name.endswith("l") else text + "]").encode()
    path.write_bytes(gzip.compress(data, 1) if name.endswith("gz") else data)
    del text, data
    tracemalloc.start()
    try:
        count = sum(1 for _ in values([path], stdin=io.BytesIO()))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 30_000
    assert peak < 6_000_000  # of 30 MB


def test_progress_counts_the_bytes_of_the_file(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.jsonl", tmp_path / "b.json.gz"
    plain.write_bytes(lines(A, B))
    packed.write_bytes(gzip.compress(pretty(C)))
    told: list[int] = []
    assert len(list(values([plain, packed], stdin=io.BytesIO(), progress=told.append))) == 3
    assert sum(told) == plain.stat().st_size + packed.stat().st_size


def test_values_are_given_as_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"[" + b",".join(lines(A).strip() for _ in range(50_000)))
    told: list[int] = []
    found: Iterator[tuple[str, bytes]] = values([path], stdin=io.BytesIO(), progress=told.append)
    assert len(list(itertools.islice(found, 3))) == 3
    assert sum(told) < path.stat().st_size


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FilesError, match=r"missing\.json: no such file"):
        read(tmp_path / "missing.json")


def test_a_name_that_is_no_text_can_still_be_written_down(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jsonl")
    Path(path).write_bytes(lines(A))
    [(origin, _)] = read(path)
    assert origin.encode().endswith("caf\ufffd.jsonl:1".encode())


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(FilesError, match="is a folder"):
        read(tmp_path)


def test_damaged_gzip_is_told_after_what_could_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    packed = gzip.compress(lines(*({"n": at, "noise": os.urandom(8).hex()} for at in range(20_000))))
    for damaged in (
        packed[:-2000],
        packed[:200_000] + b"\0" * 50 + packed[200_050:],
        b"\x1f\x8bnonsense and more of it",
    ):
        path.write_bytes(damaged)
        found: list[tuple[str, bytes]] = []
        with pytest.raises(FilesError, match=r"a\.jsonl\.gz: the gzip data is cut off or damaged"):
            found.extend(values([path], stdin=io.BytesIO()))
