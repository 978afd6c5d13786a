"""The typed client: what a program gets of a worker, and what it is spared."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from models.public import AnomalyKind, InstanceItem, Severity
from streams.client import Anomaly, Api, BadServer, Gone, NewerVersion, NotARecord, NotFound, Refused, Unavailable
from streams.client.records import read_anomaly
from streams.settings import Settings
from streams.web.api import create_api
from streams.web.doors import behind
from streams.web.provider import Readiness
from tests.test_streams.secure import keys, serving
from tests.test_streams.serving import NOW, NOW_MS, Held, anomaly, listening, picture, served
from tests.test_streams.told import NEW, OLD, REPLACING, incident

TOKEN = "a-token-of-enough-length"
VARIABLES = ("SERVER", "HTTP_TOKEN", "HTTP_TOKEN_FILE", "HTTP_TLS_CA_FILE")


@pytest.fixture(autouse=True)
def _nobody_said_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(f"HYPERPOD_STATE_{name}", raising=False)


def test_lists_have_types_and_say_how_fresh_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.client.asking.PAGE", 2)
    with served(Held()) as address:
        api = Api(address)
        found = api.instances(phase=["failed", "provisioning"])
        everything = api.instances()
        assert [each.instance_group for each in api.groups(cluster="ml-dev")] == ["p5-train"]
        assert [each.cluster_name for each in api.clusters(phase="Updating")] == ["ml-dev"]
        assert len(api.rollouts()) == 0
    assert [(each.instance_id, each.phase) for each in found] == [(None, "Provisioning"), ("i-bad", "Failed")]
    assert (found.as_of, found.lag, found.missing, found.stale) == (NOW, 3, (), ())
    assert everything.items == list(picture().instances)


def test_anomalies_have_kinds_and_severities_that_can_be_compared() -> None:
    with served(Held()) as address:
        found = Api(address).anomalies(status="open", severity=["warning", "critical"], planned=False)
    assert [each.anomaly_id for each in found] == ["a1", "a3"]
    assert found.items[0].kind is AnomalyKind.LIFECYCLE_SCRIPT_FAILED
    assert found.items[0].severity is Severity.CRITICAL


def test_one_instance_and_its_history() -> None:
    with served(Held()) as address:
        api = Api(address)
        assert isinstance(api.instance("i-bad"), InstanceItem)
        assert [each.to for each in api.history("i-bad")] == ["Provisioned"]
        assert api.report(since="1d").figures
        with pytest.raises(NotFound, match="no instance 'i-none' is known") as told:
            api.instance("i-none")
    assert told.value.hint == "list them with /api/v1/instances"


def test_the_story_of_an_instance_and_what_it_replaced() -> None:
    with incident(REPLACING) as address:
        api = Api(address)
        assert [each.instance_id for each in api.lineage(NEW)] == [OLD, NEW]
        assert api.story(NEW).phase == "Replacing"


def test_an_answer_that_this_release_cannot_read_is_called_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.client.asking.Client.get", lambda *_: {"item": {"cluster_arn": 7}})
    with pytest.raises(NotARecord, match=r"cluster_arn: Input should be a valid string; .*phase: Field required"):
        Api().instance("i-1")


def test_the_environment_names_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    with served(Held()) as address:
        monkeypatch.setenv("HYPERPOD_STATE_SERVER", address)
        assert len(Api().clusters()) == 2


def test_an_earlier_moment_is_asked_of_all_lists_and_one_that_is_forgotten_says_what_is_known() -> None:
    held = Held(earlier={NOW_MS - 3_600_000: picture()})
    with served(held) as address:
        assert Api(address, at="-30m").clusters().as_of == "2025-11-24T15:30:00.000Z"
        with pytest.raises(Gone) as told:
            Api(address, at="-3h").clusters()
    assert told.value.oldest_at == "2025-11-24T15:00:00.000Z"


class _Soon(Held):
    """Not ready when it is asked first."""

    asked_before = False

    def ready(self) -> Readiness:
        return Readiness(ready=self.asked_before, message="reading tables back")

    def holdings(self):  # type: ignore[no-untyped-def]
        self.state, self.asked_before = self.ready(), True
        return super().holdings()


def test_a_worker_that_is_not_ready_is_asked_again_when_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    with served(_Soon()) as address:  # which sleeps itself until it has started
        monkeypatch.setattr("streams.client.api.time.sleep", waits.append)
        assert len(Api(address).clusters()) == 2
    assert waits == [5.0]


def test_patience_has_an_end() -> None:
    held = Held(state=Readiness(ready=False, message="tables are restored to 43 %"))
    with served(held) as address, pytest.raises(Unavailable, match="restored to 43 %") as told:
        Api(address, patience=0).clusters()
    assert told.value.retry_after == 5


def test_a_worker_that_is_not_there_is_not_waited_for() -> None:
    with pytest.raises(Unavailable, match="no answer from"):
        Api("http://127.0.0.1:9").clusters()
    with pytest.raises(BadServer):
        Api("ftp://127.0.0.1")


def test_the_token_comes_from_the_environment_or_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with listening(behind(Settings(http_token=TOKEN), create_api(Held()))) as address:
        with pytest.raises(Refused, match="a token is needed"):
            Api(address).clusters()
        assert len(Api(address, token=TOKEN).clusters()) == 2
        monkeypatch.setenv("HYPERPOD_STATE_HTTP_TOKEN", TOKEN)
        assert len(Api(address).clusters()) == 2
        monkeypatch.delenv("HYPERPOD_STATE_HTTP_TOKEN")
        (tmp_path / "token").write_text(f"{TOKEN}\n")
        monkeypatch.setenv("HYPERPOD_STATE_HTTP_TOKEN_FILE", str(tmp_path / "token"))
        assert len(Api(address).clusters()) == 2


def test_a_worker_with_tls_is_believed_by_the_authority_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    files = keys(tmp_path)
    with serving(Settings(**files.worker())) as port:
        address = f"https://127.0.0.1:{port}"
        with pytest.raises(Unavailable, match="is not trusted"):
            Api(address).clusters()
        monkeypatch.setenv("HYPERPOD_STATE_HTTP_TLS_CA_FILE", files.authority)
        assert len(Api(address).clusters()) == 2


def record(**changes: object) -> bytes:
    return json.dumps({**anomaly("x").model_dump(mode="json"), **changes}).encode()


def test_a_record_of_a_newer_release_is_read_as_far_as_it_is_known() -> None:
    found = read_anomaly(record(kind="gpu_lost", cause="cosmic_rays", gpu="3"))
    assert isinstance(found, Anomaly)
    assert (found.kind, found.cause) == ("gpu_lost", "cosmic_rays")
    assert read_anomaly(record()).kind is AnomalyKind.LIFECYCLE_SCRIPT_FAILED


def test_a_newer_version_is_named_and_garbage_is_called_so() -> None:
    with pytest.raises(NewerVersion, match="schema_version 2, and this release of hyperpod-state reads 1"):
        read_anomaly(record(schema_version="2", opened_at=12))
    broken = ((b"{", "not JSON"), (b"[]", "record"), (b"null", "record"), (record(revision="much"), "revision"))
    for data, why in broken:
        with pytest.raises(NotARecord, match=why):
            read_anomaly(data)


def test_a_program_loads_neither_faust_nor_a_web_server() -> None:
    heavy = ("faust", "mode", "fastapi", "uvicorn", "duckdb", "rocksdict")
    code = (
        "import sys\nimport streams.client\n"
        "assert not {'kafka', 'pydantic', 'models.public'} & sys.modules.keys(), 'for naming it'\n"
        "from streams.client import AnomalyConsumer, Api\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_names_that_there_are_not_are_refused_as_python_does() -> None:
    import streams.client

    with pytest.raises(AttributeError, match="no attribute 'Consumer'"):
        _ = streams.client.Consumer  # type: ignore[attr-defined]
    assert all(getattr(streams.client, name) for name in streams.client.__all__)
