"""Two workers on a real Kafka that believe nobody without a certificate, each other included."""

from __future__ import annotations

import json
import signal
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from streams.http_access import HttpTls
from streams.tls import asking
from tests.broker.lab import Lab, event
from tests.test_streams.secure import Keys, keys

if TYPE_CHECKING:
    from tests.kafka import Broker

TOKEN = "a-token-of-enough-length"
CLUSTERS = 8


class SecureLab(Lab):
    """Asks with a certificate and the token."""

    context: ssl.SSLContext

    def get(self, path: str) -> Any:
        request = Request(f"https://127.0.0.1:{self.port}{path}", headers={"Authorization": f"Bearer {TOKEN}"})
        with urlopen(request, timeout=10, context=self.context) as answer:
            return json.loads(answer.read())


@pytest.fixture
def files(tmp_path: Path) -> Keys:
    return keys(tmp_path)


@pytest.fixture
def pair(kafka: Broker, tmp_path: Path, files: Keys) -> Iterator[tuple[SecureLab, SecureLab]]:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    settings = {**files.worker(mutual=True), "http_token": TOKEN}
    one = SecureLab(kafka.bootstrap, tmp_path / "one", **settings)
    other = SecureLab(kafka.bootstrap, tmp_path / "other", **settings)
    one.context = other.context = asking(HttpTls(**files.client()))
    other.app_id, other.settings = one.app_id, {**one.settings, "http_port": other.port}
    try:
        one.start()
        one.wait_ready()
        one.produce(event(number, 1, 0) for number in range(CLUSTERS))
        other.start()
        yield one, other
    finally:
        one.stop(signal.SIGKILL)
        other.stop(signal.SIGKILL)


def known(lab: SecureLab) -> tuple[int, int]:
    """Clusters that it tells of, and partitions that are its own; zeros where it refuses."""
    try:
        fresh = [each for each in lab.get("/api/v1/holdings")["partitions"] if each["fresh"]]
        return len(lab.get("/api/v1/clusters")["items"]), len(fresh)
    except OSError:
        return 0, 0


def test_each_shows_the_other_its_certificate_and_token(pair: tuple[SecureLab, SecureLab], files: Keys) -> None:
    one, other = pair
    other.wait_for(lambda: known(one) == known(other) == (CLUSTERS, 1), "both to answer for both")
    bare = asking(HttpTls(http_tls_ca_file=files.authority))
    request = Request(f"https://127.0.0.1:{one.port}/api/v1/clusters", headers={"Authorization": f"Bearer {TOKEN}"})
    with pytest.raises(HTTPError) as refusal:
        urlopen(request, timeout=10, context=bare)
    with refusal.value as error:
        assert error.code == 401
    assert TOKEN not in one.log() + other.log()
