"""The function on a Kafka that wants TLS and a token, as MSK with IAM does: ours takes unsigned tokens."""

from __future__ import annotations

import base64
import gc
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from streams.broker import EmbeddedKafka, Guarded, free_port
from streams.feed.sender import Access, Record, Sender
from tests.broker.lab import arn
from tests.certificates import authority, signed, write
from tests.kafka import consume, new_topic
from tests.silence import ends, silent

pytestmark = pytest.mark.kafka
LISTENER = "listener.name.sasl_ssl.oauthbearer.sasl.jaas.config"
MODULE = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required"
RECORDS = [Record(arn(1).encode(), b"one"), Record(arn(2).encode(), b"two")]


@pytest.fixture(scope="module")
def fort(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EmbeddedKafka, Path]]:
    folder = tmp_path_factory.mktemp("fort")
    ca = authority()
    server = signed(ca, "localhost", "127.0.0.1")
    write(folder, "keystore.pem", server.key_pem() + server.pem())
    for name, pem in (("ca", ca.pem()), ("other", authority("somebody else").pem())):
        write(folder, f"{name}.pem", pem)
    lines = ("ssl.keystore.type=PEM", f"ssl.keystore.location={folder / 'keystore.pem'}")
    lines += ("sasl.enabled.mechanisms=OAUTHBEARER", f'{LISTENER}={MODULE} unsecuredLoginStringClaim_sub="broker";')
    guarded = Guarded({"SASL_SSL": free_port()}, lines)
    with EmbeddedKafka(folder / "kafka", port=free_port(), guarded=guarded) as broker:
        yield broker, folder


def token(seconds: int) -> str:
    """What such a broker believes."""
    claims = {"sub": "function", "iat": int(time.time()), "exp": int(time.time()) + seconds}
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "none"}, claims)
    ]
    return ".".join([*parts, ""])


@pytest.fixture
def signer(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """In the place of AWS's, which signs for brokers of AWS alone."""
    said: dict[str, Any] = {"seconds": 900, "regions": []}

    class MSKAuthTokenProvider:
        @staticmethod
        def generate_auth_token(region: str) -> tuple[str, int]:
            said["regions"].append(region)
            return token(said["seconds"]), int(time.time() + said["seconds"]) * 1000

    module = ModuleType("aws_msk_iam_sasl_signer")
    module.MSKAuthTokenProvider = MSKAuthTokenProvider  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "aws_msk_iam_sasl_signer", module)
    return said


def sent(broker: EmbeddedKafka, topic: str, before: str = "") -> list[str]:
    address = f"127.0.0.1:{broker.guarded.ports['SASL_SSL']}"
    sender = Sender(Access(before + address, topic, mechanism="AWS_MSK_IAM", region="us-west-2"))
    try:
        return sender.send(RECORDS, 30)
    finally:
        sender.close()


def test_it_logs_in_with_a_signed_token_over_tls(
    fort: tuple[EmbeddedKafka, Path], signer: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    broker, folder = fort
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))
    topic = new_topic(broker.bootstrap)
    assert sent(broker, topic) == ["", ""]
    assert [(record.key, record.value) for record in consume(broker.bootstrap, topic)] == RECORDS
    assert set(signer["regions"]) == {"us-west-2"}


def test_beside_a_broker_that_says_nothing_another_one_is_found(
    fort: tuple[EmbeddedKafka, Path], signer: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which of them is tried first is the library's chance, so it is given several."""
    broker, folder = fort
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))
    topic, found = new_topic(broker.bootstrap), list[list[str]]()
    with silent() as address:
        for _ in range(4):
            assert ends(lambda: found.append(sent(broker, topic, f"{address},")), 120)
    assert found == [["", ""]] * 4


# kafka-python leaves the sockets open of connections that the broker refused.
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
@pytest.mark.parametrize(("authority_file", "seconds"), [("other.pem", 900), ("ca.pem", -900)])
def test_a_stranger_for_a_broker_and_a_token_that_is_over_get_nothing(
    fort: tuple[EmbeddedKafka, Path],
    signer: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    authority_file: str,
    seconds: int,
) -> None:
    broker, folder = fort
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / authority_file))
    signer["seconds"] = seconds
    topic = new_topic(broker.bootstrap)
    assert all(fault.startswith("no connection to Kafka at") for fault in sent(broker, topic))
    assert consume(broker.bootstrap, topic) == []
    gc.collect()
