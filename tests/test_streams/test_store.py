"""The store without Kafka: what is put in stays once, what cannot be read is laid aside, questions only read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from models import public
from streams.store.file import NAME, Store, opened
from streams.store.query import BadQuery, Found, ask
from streams.web.sql import NotYet, Refused, SqlAnswer, SqlColumn
from tests.test_streams.serving import ARN, Held, anomaly, served

TOPICS = {"transitions": "t", "anomalies": "a"}
MADE = {"t": "first", "a": "first"}
PLACES = [("t", 0), ("t", 1), ("a", 0)]


def transition(name: str, revision: int = 1, **changed: Any) -> bytes:
    fields = {
        "transition_id": name,
        "status": "accepted",
        "revision": revision,
        "cluster_arn": ARN,
        "resource_type": "Instance",
        "machine": "provision",
        "from": None,
        "to": "InService",
        "time": "2026-10-05T09:55:00.250Z",
        "event_id": "e-1",
        "code": "InstanceProvisioned",
        "legal": True,
    }
    return json.dumps({**fields, **changed}).encode()


def told(name: str, revision: int, status: str = "open") -> bytes:
    return anomaly(name, status=status).model_copy(update={"revision": revision}).model_dump_json().encode()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / NAME, TOPICS) as store:
        yield store


def put(store: Store, table: str, *values: bytes, begin: int = 0, part: int = 0) -> None:
    taken = [(part, begin + number, value) for number, value in enumerate(values)]
    store.put({table: taken}, {(TOPICS[table], part): begin + len(values)}, MADE)


def rows(store: Store, query: str) -> list[tuple[Any, ...]]:
    return [tuple(item.values()) for item in ask(store, query).items]


def test_the_last_revision_of_a_transition_is_kept(store: Store):
    put(store, "transitions", transition("x", 1), transition("y", 1), transition("x", 2, status="withdrawn"))
    put(store, "transitions", transition("y", 3), transition("y", 2, status="withdrawn"), begin=3)
    found = rows(store, "SELECT transition_id, revision, status, kafka_offset FROM transitions ORDER BY ALL")
    assert found == [("x", 2, "withdrawn", 2), ("y", 3, "accepted", 3)]


def test_every_revision_of_an_anomaly_is_kept_and_none_twice(store: Store):
    for _ in range(2):
        put(store, "anomalies", told("x", 1), told("x", 4, "resolved"), told("y", 2))
    assert rows(store, "SELECT anomaly_id, revision, evidence FROM anomalies ORDER BY ALL") == [
        ("x", 1, ["e-2"]),
        ("x", 4, ["e-2"]),
        ("y", 2, ["e-2"]),
    ]


def test_times_are_timestamps_in_utc(store: Store):
    put(store, "transitions", transition("x"))
    found = ask(store, "SELECT time, time::TIMESTAMPTZ AS zoned, hour(time) AS hour FROM transitions")
    assert found.columns == (("time", "TIMESTAMP"), ("zoned", "TIMESTAMP WITH TIME ZONE"), ("hour", "BIGINT"))
    assert list(found.items[0].values()) == ["2026-10-05T09:55:00.250Z", "2026-10-05T09:55:00.250Z", 9]
    assert found.oldest == "2026-10-05T09:55:00.250Z"


def test_foreign_values_are_left_out(store: Store):
    foreign = [b"\xff", b"null", b"[1]", b'{"transition_id": 1}', b'{"transition_id": "\\ud800", "revision": 1}']
    put(store, "transitions", *foreign, transition("x", note="more"), transition("\x00'\"; DROP TABLE anomalies"))
    assert rows(store, "SELECT kafka_offset FROM transitions ORDER BY ALL") == [(5,), (6,)]
    assert store.positions([("t", 0)], MADE) == {("t", 0): 7}


def test_rows_and_positions_are_written_together_or_not_at_all(store: Store):
    put(store, "transitions", transition("x"))
    with pytest.raises(KeyError):
        store.put({"transitions": [(0, 1, transition("y"))]}, {("t", 0): 2, ("unknown", 0): 1}, MADE)
    assert rows(store, "SELECT transition_id FROM transitions") == [("x",)]
    assert store.positions(PLACES, MADE) == {("t", 0): 1, ("t", 1): 0, ("a", 0): 0}


def test_it_is_all_there_when_it_is_opened_again(tmp_path: Path):
    with opened(tmp_path / NAME, TOPICS) as store:
        put(store, "transitions", transition("x"))
    with opened(tmp_path / NAME, TOPICS) as store:
        assert rows(store, "SELECT transition_id FROM transitions") == [("x",)]
        assert store.positions([("t", 0)], MADE) == {("t", 0): 1}


def test_a_topic_that_was_made_anew_starts_each_partition_anew(store: Store):
    put(store, "transitions", transition("x"))
    put(store, "transitions", transition("y"), part=1)
    put(store, "anomalies", told("z", 1))
    anew = {**MADE, "t": "second"}
    assert store.positions(PLACES, anew) == {("t", 0): 0, ("t", 1): 0, ("a", 0): 1}
    assert rows(store, "SELECT count(*) FROM transitions") == [(0,)]
    assert rows(store, "SELECT count(*) FROM anomalies") == [(1,)]


def test_what_is_old_goes_but_for_what_is_open(store: Store):
    put(store, "transitions", transition("x"), transition("y", time="2026-10-07T00:00:00.000Z"))
    put(store, "anomalies", told("open", 1), told("open", 2), told("over", 3), told("over", 4, "resolved"))
    store.prune(datetime(2026, 10, 6))  # noqa: DTZ001 - as the columns have it
    assert rows(store, "SELECT transition_id FROM transitions") == [("y",)]
    store.prune(datetime(2126, 1, 1))  # noqa: DTZ001
    assert rows(store, "SELECT anomaly_id, revision FROM anomalies") == [("open", 2)]


@pytest.mark.parametrize("content", [b"no database", b"\x00" * 20_000])
def test_a_file_that_cannot_be_read_is_laid_aside(tmp_path: Path, content: bytes):
    (tmp_path / NAME).write_bytes(content)
    with opened(tmp_path / NAME, TOPICS) as store:
        assert store.positions([("t", 0)], MADE) == {("t", 0): 0}
        put(store, "transitions", transition("x"))
    assert (tmp_path / f"{NAME}.unreadable").read_bytes() == content


def test_so_is_a_file_of_another_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with opened(tmp_path / NAME, TOPICS) as store:
        put(store, "transitions", transition("x"))
    monkeypatch.setattr("streams.store.file.VERSION", 99)
    monkeypatch.setattr("streams.store.file.creation", lambda: ("CREATE SCHEMA internal", *OTHER))
    with opened(tmp_path / NAME, TOPICS) as store:
        assert store.positions([("t", 0)], MADE) == {("t", 0): 0}
    assert (tmp_path / f"{NAME}.unreadable").exists()


OTHER = (
    "CREATE TABLE internal.about AS SELECT 99::BIGINT AS version",
    "CREATE TABLE internal.positions (topic VARCHAR, part BIGINT, incarnation VARCHAR, next BIGINT)",
)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_csv('{}')",
        "SELECT * FROM read_text('{}')",
        "FROM read_blob('{}')",
        "FROM glob('{}')",
        "FROM '{}'",
        "WITH a AS (FROM read_text('{}')) SELECT * FROM a",
        "SELECT (SELECT content FROM read_text('{}'))",
        "SELECT * FROM query('SELECT * FROM read_text(''{}'')')",
        "COPY anomalies TO '{}'",
        "COPY (SELECT 1) TO '{}'",
        "ATTACH '{}'",
        "EXPORT DATABASE '{}'",
        "INSTALL httpfs",
        "LOAD '{}'",
        "SET threads = 8",
        "RESET lock_configuration",
        "PRAGMA enable_profiling",
        "PRAGMA database_list",
        "CALL enable_logging(storage = 'file', storage_path = '{}')",
        "FROM enable_logging(storage = 'file', storage_path = '{}')",
        "FROM main.Enable_Logging(storage = 'file', storage_path = '{}')",
        "FROM enable_profiling()",
        "FROM checkpoint()",
        "FROM arrow_scan(1, 2, 3)",
        "FROM pandas_scan(1)",
        "FROM json_execute_serialized_sql('x')",
        "FROM duckdb_settings()",
        "DELETE FROM anomalies",
        "WITH a AS (SELECT 1) DELETE FROM anomalies",
        "INSERT INTO anomalies (anomaly_id) VALUES ('x')",
        "DROP TABLE anomalies",
        "CREATE TEMP TABLE a AS SELECT 1",
        "EXPLAIN ANALYZE DELETE FROM anomalies",
        "SELECT 1; SELECT 2",
        "SELECT 1; DELETE FROM anomalies",
        "COMMIT",
        "SELECT getenv('HOME')",
        "SELECT write_log('x')",
        "SELECT sleep_ms(100000)",
        "SELECT len(repeat('x', 1000000000))",
        "SELECT len(range(60000000))",
        "FROM range(len(range(60000000)))",
        "SELECT unnest(generate_series(1, 60000000))",
        "SELECT len(printf('%1000000000s', 'x'))",
        "SELECT nothing FROM anomalies",
        "SELEC 1",
        "SELECT /* open",
        "",
        ";",
        "SELECT " + "[" * 5000 + "1" + "]" * 5000,
        "SELECT 1" + " + 1" * 5000,
    ],
)
def test_what_does_not_just_read_the_store_is_refused(store: Store, tmp_path: Path, query: str):
    put(store, "anomalies", told("x", 1))
    (tmp_path / "secret").write_text("a,b\n1,2\n")
    for name in ("secret", "new"):
        with pytest.raises(BadQuery) as refused:
            ask(store, query.replace("{}", str(tmp_path / name)))
        assert str(refused.value)
    assert (tmp_path / "secret").read_text() == "a,b\n1,2\n"
    assert not (tmp_path / "new").exists()
    assert rows(store, "SELECT count(*) FROM anomalies") == [(1,)]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("SELECT count(*) AS n FROM anomalies;", {"n": 0}),
        ("WITH a AS (SELECT 1 AS x) SELECT x, x FROM a", {"x": 1, "x_2": 1}),
        ("VALUES (1.5, 'NaN'::DOUBLE, 2::HUGEINT ** 3)", {"col0": 1.5, "col1": None, "col2": 8.0}),
        ("SELECT [1, 2] AS l, {'a': DATE '2026-01-02'} AS s", {"l": [1, 2], "s": {"a": "2026-01-02"}}),
        ("SELECT INTERVAL 2 MINUTE AS i, 'x'::BLOB AS b, true AS t", {"i": 120.0, "b": "78", "t": True}),
        ("SELECT sum(i) AS s FROM range(4) r(i)", {"s": 6}),
        ("SELECT 170141183460469231731687303715884105727 AS h", {"h": "170141183460469231731687303715884105727"}),
        ("SELECT current_setting('TimeZone') AS zone", {"zone": "UTC"}),
    ],
)
def test_what_reads_is_answered_in_json(store: Store, query: str, first: dict[str, Any]):
    found = ask(store, query)
    assert (found.items[0], found.cut, found.oldest) == (first, False, None)


@pytest.mark.parametrize("value", ["INTERVAL 1000000000 DAY", "INTERVAL 2000000000 MONTH", "to_years(99999999)"])
def test_what_no_answer_can_hold_is_refused_with_the_way_out(store: Store, value: str):
    with pytest.raises(BadQuery, match="VARCHAR"):
        ask(store, f"SELECT {value} AS x")
    assert rows(store, f"SELECT ({value})::VARCHAR IS NOT NULL AS x") == [(True,)]


@pytest.mark.parametrize("time", ["0044-03-15 (BC)", "290000-01-01", "infinity", "-infinity"])
def test_a_record_of_no_time_of_ours_spoils_no_answer(store: Store, time: str):
    put(store, "transitions", transition("x", time=time))
    assert asyncio.run(Kept(store).sql("SELECT count(*) AS n FROM transitions")).items == [{"n": 1}]


def test_columns_can_be_asked_for(store: Store):
    assert "evidence" in [row[0] for row in rows(store, "DESCRIBE anomalies")]


def test_more_rows_than_an_answer_has_are_cut_and_said(store: Store):
    assert [len(ask(store, f"SELECT * FROM range({count})", rows=10).items) for count in (10, 11)] == [10, 10]
    assert [ask(store, f"SELECT * FROM range({count})", rows=10).cut for count in (10, 11)] == [False, True]
    assert ask(store, "SELECT * FROM range(100000000000)", rows=2).cut


def test_so_is_an_answer_that_is_too_large(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("streams.store.query.LARGEST", 1000)
    for form in ("{}", "[{}]", "{{'a': {}}}", "{}::BLOB"):
        found = ask(store, f"SELECT {form.format('md5(range::VARCHAR)')} AS hash FROM range(1000)")
        assert (len(found.items), found.cut) == (100, True)


def test_a_query_that_takes_too_long_is_given_up_and_the_next_one_answered(store: Store):
    with pytest.raises(BadQuery, match=r"more than 0\.3 s"):
        ask(store, "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range = 3", seconds=0.3)
    assert rows(store, "SELECT 1") == [(1,)]


class Kept:
    """A store behind the route."""

    def __init__(self, store: Store | None) -> None:
        self.store = store

    async def sql(self, query: str) -> SqlAnswer:
        if self.store is None:
            raise NotYet("the store's file is being opened")
        try:
            found: Found = ask(self.store, query)
        except BadQuery as error:
            raise Refused(str(error)) from None
        columns = tuple(SqlColumn(name=name, type=kind) for name, kind in found.columns)
        as_of = public.iso(0)
        return SqlAnswer(columns=columns, items=found.items, cut=found.cut, oldest=found.oldest, as_of=as_of, lag=0)


def test_the_command_prints_every_form(store: Store, run):
    put(store, "anomalies", told("x", 1), told("x", 2, "resolved"))
    query = "SELECT anomaly_id AS id, revision, evidence, planned, parent_id FROM anomalies ORDER BY revision"
    with served(Held(), Kept(store)) as address:
        forms = {form: run("sql", query, "-o", form, "--server", address) for form in FORMS}
    assert {ended.code for ended in forms.values()} == {0}
    assert forms["table"].out.splitlines()[:2] == [
        "id  revision  evidence  planned  parent_id",
        'x   1         ["e-2"]   false    -',
    ]
    assert forms["csv"].out.splitlines() == [
        "id,revision,evidence,planned,parent_id",
        'x,1,"[""e-2""]",false,',
        'x,2,"[""e-2""]",false,',
    ]
    assert [json.loads(line)["revision"] for line in forms["jsonl"].out.splitlines()] == [1, 2]
    assert json.loads(forms["json"].out)["columns"][1] == {"name": "revision", "type": "BIGINT"}
    assert "cut: false" in forms["yaml"].out
    assert "complete up to 1970-01-01T00:00:00.000Z, 0 behind; oldest record" in forms["csv"].err


FORMS = ("table", "csv", "jsonl", "json", "yaml")


def test_the_command_tells_what_is_wrong_and_what_to_do(store: Store, run):
    with served(Held(), Kept(store)) as address:
        refused = run("sql", "SELECT nothing FROM anomalies", "--server", address)
    assert (refused.code, refused.out) == (2, "")
    assert 'Referenced column "nothing" not found' in refused.err
    with served(Held(), Kept(None)) as address:
        early = run("sql", "SELECT 1", "--server", address)
    assert early.code == 3
    assert "being opened" in early.err
    with served(Held()) as address:
        off = run("sql", "SELECT 1", "--server", address)
    assert off.code == 1
    assert "HYPERPOD_STATE_STORE=false" in off.err
