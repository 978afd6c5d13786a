"""HTTP over TLS: who is believed, who must show a certificate, and what those hear who show none."""

from __future__ import annotations

import asyncio
import os
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from pydantic import ValidationError

from streams import tls
from streams.cli.errors import UNAVAILABLE, USAGE
from streams.http_access import HttpTls
from streams.peers import FleetPeers
from streams.settings import Settings
from streams.web.peers import Reply, Unreachable
from tests.test_streams.secure import PASSWORD, Keys, keys, serving
from tests.test_streams.told import Ended, runner

TOKEN = "a-token-of-enough-length"
HEALTH = Path(__file__).parents[2] / "docker" / "healthcheck.py"
Run = Callable[..., Ended]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def open_port(files: Keys) -> Iterator[int]:
    """HTTPS for everybody."""
    with serving(Settings(**files.worker())) as port:
        yield port


@pytest.fixture(scope="module")
def mutual_port(files: Keys) -> Iterator[int]:
    """For whoever has a certificate."""
    with serving(Settings(**files.worker(mutual=True))) as port:
        yield port


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command line with settings in its environment."""
    call = runner(monkeypatch, capsys)

    def set_and_call(*words: str, **settings: str) -> Ended:
        for name, value in settings.items():
            monkeypatch.setenv(f"HYPERPOD_STATE_{name.upper()}", value)
        return call(*words)

    return set_and_call


def status(port: int, path: str, context: ssl.SSLContext, token: str | None = None) -> int:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with urlopen(
            Request(f"https://127.0.0.1:{port}{path}", headers=headers), context=context, timeout=10
        ) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


def test_a_command_believes_the_authority_that_it_is_told(run: Run, files: Keys, open_port: int) -> None:
    server = ("--server", f"https://127.0.0.1:{open_port}")
    doubts = run("get", "clusters", *server)
    assert doubts.code == UNAVAILABLE
    assert "is not trusted" in doubts.err
    assert "HYPERPOD_STATE_HTTP_TLS_CA_FILE" in doubts.err
    done = run("get", "clusters", *server, http_tls_ca_file=files.authority)
    assert (done.code, "ml-prod" in done.out) == (0, True)
    assert run("get", "clusters", *server, http_tls_ca_file=files.other_authority).code == UNAVAILABLE


def test_a_certificate_of_another_name_is_not_believed(run: Run, files: Keys, open_port: int) -> None:
    done = run("get", "clusters", "--server", f"https://localhost:{open_port}", http_tls_ca_file=files.authority)
    assert done.code == UNAVAILABLE
    assert "is not trusted" in done.err
    assert "localhost" in done.err


def test_http_where_https_is_spoken_is_told_so(run: Run, open_port: int) -> None:
    done = run("get", "clusters", "--server", f"http://127.0.0.1:{open_port}")
    assert done.code == UNAVAILABLE
    assert "https?" in done.err


def test_with_mutual_tls_a_command_shows_its_certificate(run: Run, files: Keys, mutual_port: int) -> None:
    server = ("--server", f"https://127.0.0.1:{mutual_port}")
    bare = run("get", "clusters", *server, http_tls_ca_file=files.authority)
    assert bare.code == USAGE
    assert "a certificate is needed here" in bare.err
    assert "HYPERPOD_STATE_HTTP_TLS_CERTIFICATE_FILE" in bare.err
    for command in (("get", "clusters"), ("history", "i-bad"), ("report",)):
        assert run(*command, *server, **files.client()).code == 0


def test_a_certificate_of_another_authority_opens_nothing(run: Run, files: Keys, mutual_port: int) -> None:
    server = ("--server", f"https://127.0.0.1:{mutual_port}")
    assert run("get", "clusters", *server, **files.client("stranger")).code == UNAVAILABLE


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_have_no_certificate(files: Keys, mutual_port: int, path: str) -> None:
    assert status(mutual_port, path, tls.asking(HttpTls(http_tls_ca_file=files.authority))) == 200


def test_everything_else_needs_one(files: Keys, mutual_port: int) -> None:
    bare, ours = (tls.asking(HttpTls(**given)) for given in ({"http_tls_ca_file": files.authority}, files.client()))
    for path in ("/", "/api/v1/clusters", "/api/v1/holdings", "/metrics", "/openapi.json", "/nothing"):
        assert status(mutual_port, path, bare) == 401
    assert status(mutual_port, "/api/v1/holdings", ours) == 200


def test_with_a_token_too_both_are_needed(files: Keys) -> None:
    bare, ours = (tls.asking(HttpTls(**given)) for given in ({"http_tls_ca_file": files.authority}, files.client()))
    with serving(Settings(**files.worker(mutual=True), http_token=TOKEN)) as port:
        assert status(port, "/metrics", bare, TOKEN) == 401
        assert status(port, "/metrics", ours) == 401
        assert status(port, "/metrics", ours, TOKEN) == 200


def test_older_tls_is_not_spoken(files: Keys, open_port: int) -> None:
    old = tls.asking(HttpTls(http_tls_ca_file=files.authority))
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(OSError, match=r"(?i)ssl|reset"):
        status(open_port, "/healthz", old)


@pytest.mark.parametrize("mutual", [False, True])
def test_the_health_check_of_the_image_asks_over_tls(files: Keys, mutual: bool) -> None:
    with serving(Settings(**files.worker(mutual=mutual))) as port:
        told = {"HTTP_PORT": str(port), "HTTP_HOST": "0.0.0.0", "HTTP_TLS_CERTIFICATE_FILE": files.worker_certificate}
        env = os.environ | {f"HYPERPOD_STATE_{name}": value for name, value in told.items()}
        done = subprocess.run(
            [sys.executable, "-I", str(HEALTH)], env=env, capture_output=True, timeout=60, check=False
        )
    assert (done.returncode, done.stderr) == (0, b"")


def ask(address: str, **settings: Any) -> Reply:
    async def asked() -> Reply:
        chosen = Settings(**settings)
        app: Any = SimpleNamespace()
        found = FleetPeers(app, chosen, tls.asking(chosen))
        try:
            return await found.ask(address, "/api/v1/holdings", {}, 10)
        finally:
            await found.close()

    return asyncio.run(asked())


def test_a_worker_shows_its_certificate_to_others_and_checks_theirs(files: Keys, mutual_port: int) -> None:
    address = f"https://127.0.0.1:{mutual_port}"
    own = files.worker(mutual=True)
    assert ask(address, **own).status == 200
    with pytest.raises(Unreachable, match=r"(?i)certificate"):
        ask(address, **{**own, "http_tls_ca_file": files.other_authority})
    with pytest.raises(Unreachable, match=r"(?i)certificate"):
        ask(f"https://localhost:{mutual_port}", **own)
    with pytest.raises(Unreachable, match="https only"):
        ask(f"http://127.0.0.1:{mutual_port}", **own)
    assert ask(address, http_tls_ca_file=files.authority).status == 401


def test_beyond_loopback_a_certificate_will_do_in_place_of_a_token(files: Keys) -> None:
    with pytest.raises(ValidationError, match="TOKEN_FILE, or HYPERPOD_STATE_HTTP_TLS_CLIENT_CA_FILE"):
        Settings(http_host="0.0.0.0", **files.worker())
    assert Settings(http_host="10.0.0.7", **files.worker(mutual=True)).address(1) == "https://10.0.0.7:1"
    with pytest.raises(ValidationError, match="speaks https only"):
        Settings(http_advertise="http://worker-1:1", **files.worker())


@pytest.mark.parametrize("name", ["http_tls_key_file", "http_tls_key_password_file", "http_tls_client_ca_file"])
def test_what_belongs_to_a_certificate_is_refused_without_one(files: Keys, name: str) -> None:
    with pytest.raises(ValidationError, match="HYPERPOD_STATE_HTTP_TLS_CERTIFICATE_FILE"):
        Settings(**{name: files.worker_key})


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("http_tls_certificate_file", "none", "HTTP_TLS_CERTIFICATE_FILE or HTTP_TLS_KEY_FILE: .*none"),
        ("http_tls_key_file", "client_key", "HTTP_TLS_CERTIFICATE_FILE or HTTP_TLS_KEY_FILE"),
        ("http_tls_key_password_file", "authority", "HTTP_TLS_CERTIFICATE_FILE or HTTP_TLS_KEY_FILE"),
        ("http_tls_key_password_file", "none", "HTTP_TLS_KEY_PASSWORD_FILE: .*none"),
        ("http_tls_client_ca_file", "worker_key", "HTTP_TLS_CLIENT_CA_FILE"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(files: Keys, name: str, value: str, words: str) -> None:
    settings = Settings(**{**files.worker(mutual=True), name: getattr(files, value)})
    with pytest.raises(tls.Unusable, match=words) as refusal:
        tls.answering(settings)
    assert PASSWORD not in str(refusal.value)


def test_a_command_says_which_file_it_cannot_use(run: Run, files: Keys) -> None:
    done = run("get", "clusters", "--server", "https://127.0.0.1:1", http_tls_ca_file=files.none)
    assert done.code == USAGE
    assert "HYPERPOD_STATE_HTTP_TLS_CA_FILE" in done.err
    done = run("get", "clusters", "--server", "https://127.0.0.1:1", http_tls_key_file=files.client_key)
    assert done.code == USAGE
    assert "HYPERPOD_STATE_HTTP_TLS_CERTIFICATE_FILE" in done.err
