"""Faust is told by the worker alone: no variable of the environment makes it unpickle, listen, or go elsewhere."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import faust
import pytest
from pydantic import ValidationError

import models
import streams
from streams import connection
from streams.app import App, create_app
from streams.settings import Settings

# Each would win over what the worker says, if Faust looked.
VARIABLES = {
    "BROKER_URL": "kafka://elsewhere:1",
    "BROKER_CONSUMER_URL": "kafka://elsewhere:1",
    "BROKER_PRODUCER_URL": "kafka://elsewhere:1",
    "APP_KEY_SERIALIZER": "pickle",
    "APP_VALUE_SERIALIZER": "pickle",
    "APP_WEB_ENABLED": "true",
    "WEB_BIND": "0.0.0.0",
    "PROCESSING_GUARANTEE": "exactly_once",
    "APP_STORE": "memory://",
    "TOPIC_ALLOW_DECLARE": "true",
    "APP_DATADIR": "/elsewhere",
    "CACHE_URL": "redis://elsewhere",
    "CONSUMER_AUTO_OFFSET_RESET": "latest",
    "TABLE_STANDBY_REPLICAS": "3",
}
SAFE = {None, "raw", "json"}


@pytest.fixture(params=[{}, VARIABLES], ids=["plain", "hostile variables"])
def app(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    for prefix in ("", "F_"):
        for name, value in request.param.items():
            monkeypatch.setenv(prefix + name, value)

    async def make() -> App:
        made = create_app(Settings(data_dir=tmp_path, http_port=0, instance_id="w"), {}).app
        made.http._socket.close()
        return made

    return asyncio.run(make())


def test_nothing_but_bytes_is_read_or_written(app: App) -> None:
    assert (app.conf.key_serializer, app.conf.value_serializer) == ("raw", "raw")
    topics = [agent.channel for agent in app.agents.values()]
    topics += [table.changelog_topic for table in app.tables.values()]
    assert len(topics) == 3 + 8
    for each in (*topics, *app.tables.values()):
        assert {each.key_serializer, each.value_serializer} <= SAFE, each
        assert (each.key_type, each.value_type) == (bytes, bytes), each
    for topic in topics:
        assert topic.schema is None or {topic.schema.key_serializer, topic.schema.value_serializer} <= SAFE


def test_no_variable_takes_it_elsewhere(app: App, tmp_path: Path) -> None:
    conf = app.conf
    assert {str(url) for urls in (conf.broker, conf.broker_consumer, conf.broker_producer) for url in urls} == {
        "kafka://127.0.0.1:19092"
    }
    assert (conf.web_enabled, conf.topic_allow_declare, str(conf.cache)) == (False, False, "memory:")
    assert (conf.processing_guarantee.value, str(conf.store)) == ("at_least_once", "rocksdb:")
    assert (conf.consumer_auto_offset_reset, conf.table_standby_replicas) == ("earliest", 0)
    assert conf.datadir == tmp_path


def test_no_setting_of_faust_is_read_from_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [param.env_name for param in faust.Settings.SETTINGS.values() if param.env_name]
    assert len(names) > 50
    for name in names:
        monkeypatch.setenv(name, "a-value-that-fits-nothing")
    app = App("x", broker="kafka://127.0.0.1:1", store="memory://")
    assert [str(url) for url in app.conf.broker] == ["kafka://127.0.0.1:1"]


MECHANISMS = ["", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "AWS_MSK_IAM"]


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("login", [{}, {"kafka_username": "u", "kafka_password": "a password"}])
def test_no_password_goes_out_without_tls(tls: bool, mechanism: Any, login: dict[str, Any]) -> None:
    """For every kind of client; the token of MSK is made when it is sent, so that its absence shows nothing."""
    try:
        settings = Settings(kafka_tls=tls, kafka_sasl_mechanism=mechanism, kafka_region="us-west-2", **login)
    except ValidationError:
        return
    if mechanism == "AWS_MSK_IAM":
        assert tls
        return
    for made in (connection.options(settings), connection.aio_options(settings)):
        assert made.get("security_protocol") in ((None,) if not tls else ("SSL", "SASL_SSL"))
        assert "a password" not in made.values() or made["security_protocol"] == "SASL_SSL"
    credentials = connection.faust_credentials(settings)
    assert credentials is None if not tls else "SSL" in credentials.protocol.value


CLIENTS = {"KafkaConsumer", "KafkaProducer", "KafkaAdminClient", "AIOKafkaConsumer", "AIOKafkaProducer"}
ON_LOOPBACK = {"broker.py", "play.py"}
"""The embedded broker and the demo: a broker of their own, on loopback, without encryption."""


def calls(folder: Path) -> Iterator[tuple[Path, ast.Call]]:
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call):
                yield file, node


def name_of(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


SOURCES = [Path(models.__file__).parent, Path(streams.__file__).parent]


def test_every_client_is_made_with_the_options_of_the_settings() -> None:
    found = list(calls(SOURCES[1]))
    made = [(file, call) for file, call in found if name_of(call) in CLIENTS and file.name not in ON_LOOPBACK]
    assert len(made) > 8
    for file, call in made:
        spread = " ".join(ast.unparse(keyword.value) for keyword in call.keywords if keyword.arg is None)
        assert "options" in spread or (file.name, spread) == ("output.py", "client"), f"{file}:{call.lineno}"
        given = {keyword.arg for keyword in call.keywords}
        assert not given & {"security_protocol", "ssl_context", "sasl_mechanism"}, f"{file}:{call.lineno}"
    handed = [call for file, call in found if file.name == "simulate.py" and name_of(call) == "produce"]
    assert handed
    assert all("options(settings)" in [ast.unparse(each) for each in call.args] for call in handed)


def test_nothing_unpickles_or_evaluates() -> None:
    for file, call in (each for folder in SOURCES for each in calls(folder)):
        assert name_of(call) not in {"eval", "exec", "unsafe_load", "full_load"}, file
        assert ast.unparse(call.func) not in {"yaml.load", "yaml.load_all"}, file
    for file in (each for folder in SOURCES for each in folder.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {*names} & {"pickle", "marshal", "shelve", "dill", "cloudpickle"}, file
