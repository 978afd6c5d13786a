"""A broker that wants TLS and a password: every client of ours gets in, nobody else, and no secret gets out."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer

from streams import topics
from streams.broker import EmbeddedKafka, Guarded, free_port
from streams.connection import NoKafka, admin_client, aio_options, tls_context
from streams.reader import reader
from streams.settings import Settings
from tests.broker.lab import Lab, event
from tests.certificates import authority, signed, write
from tests.silence import ends, silent

pytestmark = pytest.mark.kafka
USER, SECRET = "hyperpod", "s3cret-nobody-may-see"
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
PLAIN = f'org.apache.kafka.common.security.plain.PlainLoginModule required user_{USER}="{SECRET}";'
MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN")


@dataclass(frozen=True)
class Fort:
    """The broker, and the files that a client needs."""

    broker: EmbeddedKafka
    folder: Path

    def settings(self, protocol: str = "SASL_SSL", **more: Any) -> Settings:
        return Settings(**{**self.words(protocol), **more})

    def words(self, protocol: str = "SASL_SSL") -> dict[str, Any]:
        words = {
            "brokers": f"127.0.0.1:{self.broker.guarded.ports[protocol]}",
            "kafka_tls": True,
            "kafka_ca_file": self.folder / "ca.pem",
        }
        if protocol == "SSL":
            names = {"certificate": "client.pem", "key": "client.key", "key_password": "client.password"}
            return {**words, **{f"kafka_{name}_file": self.folder / file for name, file in names.items()}}
        login = {"kafka_username": USER, "kafka_password_file": self.folder / "password"}
        return {**words, **login, "kafka_sasl_mechanism": "SCRAM-SHA-512"}


@pytest.fixture(scope="module")
def fort(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fort]:
    folder = tmp_path_factory.mktemp("fort")
    ca = authority()
    server, client = signed(ca, "localhost", "127.0.0.1"), signed(ca, "worker")
    stores = {"keystore": server.key_pem() + server.pem(), "truststore": ca.pem()}
    for name, data in stores.items():
        write(folder, f"{name}.pem", data)
    write(folder, "ca.pem", ca.pem())
    write(folder, "other-ca.pem", authority("somebody else").pem())
    write(folder, "client.pem", client.pem())
    write(folder, "client.key", client.key_pem(SECRET.encode()))
    write(folder, "client.password", SECRET.encode())
    write(folder, "password", f"{SECRET}\n".encode())
    lines = [f"ssl.{name}.{word}" for name in stores for word in ("type=PEM", f"location={folder / name}.pem")]
    lines += ["listener.name.ssl.ssl.client.auth=required", f"sasl.enabled.mechanisms={','.join(MECHANISMS)}"]
    modules = {"scram-sha-256": SCRAM, "scram-sha-512": SCRAM, "plain": PLAIN}
    lines += [f"listener.name.sasl_ssl.{name}.sasl.jaas.config={module}" for name, module in modules.items()]
    guarded = Guarded({"SASL_SSL": free_port(), "SSL": free_port()}, tuple(lines), {USER: SECRET})
    with EmbeddedKafka(folder / "kafka", port=free_port(), guarded=guarded) as broker:
        yield Fort(broker, folder)


def test_beside_a_broker_that_says_nothing_commands_find_another_one(fort: Fort) -> None:
    """As one that is frozen takes connections still; which of them the library tries first is chance."""
    found = list[int]()

    def asks(brokers: str) -> None:
        with admin_client(fort.settings(brokers=brokers)) as admin:
            found.append(len(admin.describe_cluster()["brokers"]))

    with silent() as address:
        for _ in range(3):
            assert ends(lambda: asks(f"{address},{fort.words()['brokers']}"), 120)
    assert found == [1, 1, 1]


def test_a_worker_and_the_commands_work_over_tls_with_a_password(fort: Fort, tmp_path: Path) -> None:
    lab = Lab(fort.broker.bootstrap, tmp_path, **fort.words())  # the test's own clients take the plain listener
    try:
        lab.start(log_level="debug")
        lab.wait_ready()
        lab.produce([b"broken", *(event(1, number, step) for step in range(3) for number in range(5))])
        lab.wait_done()
        assert lab.audit()["applied"] == 15
        checks = {each["check"]: each for each in json.loads(run(lab, "doctor", "-o", "json"))["checks"]}
        assert {name for name, each in checks.items() if each["status"] != "ok"} == {"dead letters"}
        assert "not_json" in run(lab, "deadletter", "list")
        assert "1 values were fed" in run(lab, "deadletter", "replay", "--all", "--yes")
        assert "wrong" not in run(lab, "topics")
        run(lab, "simulate", "--hours", "1", "--instances", "3", "--clusters", "1", "--limit", "3", *to(lab))
        lab.wait_done()
        assert lab.stop() == 0
        assert "kafka_password_file" in lab.log()
        assert SECRET not in lab.log()
    finally:
        lab.stop()


def to(lab: Lab) -> tuple[str, ...]:
    return "--brokers", str(lab.settings["brokers"]), "--topic", lab.topic("raw")


def run(lab: Lab, *words: str) -> str:
    """A command with the lab's settings; what it prints anywhere."""
    env = {**os.environ, **lab.env(), "HYPERPOD_STATE_SERVER": f"http://127.0.0.1:{lab.port}"}
    command = [sys.executable, "-m", "streams.cli", *words]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, SECRET in done.stdout + done.stderr) == (0, False), done.stderr
    return done.stdout + ("" if "json" in words else done.stderr)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_every_mechanism_lets_both_libraries_in(fort: Fort, mechanism: str) -> None:
    settings = fort.settings(kafka_sasl_mechanism=mechanism)
    assert partitions(settings) == asyncio.run(aio_partitions(settings)) > 0


def test_our_own_certificate_is_shown_where_it_is_asked_for(fort: Fort) -> None:
    settings = fort.settings("SSL")
    assert partitions(settings) == asyncio.run(aio_partitions(settings)) > 0


def partitions(settings: Settings) -> int:
    topics.prepare(settings)
    with reader(settings) as asked:
        return len(asked.partitions(settings.raw_topic))


async def aio_partitions(settings: Settings) -> int:
    consumer = AIOKafkaConsumer(settings.raw_topic, **aio_options(settings))
    await consumer.start()
    try:
        return len(consumer.partitions_for_topic(settings.raw_topic) or ())
    finally:
        await consumer.stop()


def test_names_and_certificates_are_checked(fort: Fort) -> None:
    context = tls_context(fort.settings())
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_whoever_is_not_let_in_is_told_why(fort: Fort) -> None:
    wrong = write(fort.folder, "wrong-password", b"guess-nobody-may-see")
    cases = {
        r"does not let hyperpod in by SCRAM-SHA-512": fort.settings(kafka_password_file=wrong),
        r"is not trusted.*HYPERPOD_STATE_KAFKA_CA_FILE": fort.settings(kafka_ca_file=fort.folder / "other-ca.pem"),
        r"Is it the encrypted port": fort.settings(brokers=fort.broker.bootstrap),
        r"KAFKA_PASSWORD_FILE: .*No such file": fort.settings(kafka_password_file=fort.folder / "none"),
        r"KAFKA_CERTIFICATE_FILE or KAFKA_KEY_FILE: .* cannot be used": fort.settings(
            "SSL", kafka_key_password_file=wrong
        ),
        r"Does it want a login, or a certificate": Settings(
            brokers=fort.settings().brokers, kafka_tls=True, kafka_ca_file=fort.folder / "ca.pem"
        ),
        r"Does it want HYPERPOD_STATE_KAFKA_TLS=true": Settings(brokers=fort.settings().brokers),
    }
    for why, settings in cases.items():
        with pytest.raises(NoKafka, match=why) as refusal, reader(settings):
            raise AssertionError(why)
        assert "nobody-may-see" not in str(refusal.value)
