"""No secret is in anything that is printed: canaries in every secret there is, and every command, failing ones too."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import click
import pytest
import typer.main
from pydantic import ValidationError

from streams import connection, secret_files
from streams.cli.app import app
from streams.cli.errors import TRACE
from streams.settings import Settings
from streams.web.api import create_api
from streams.web.doors import behind
from tests.test_streams.serving import Held, listening
from tests.test_streams.told import Ended, runner

PREFIX = "HYPERPOD_STATE_"
CANARY = "canary-nobody-may-see"
SECRETS = sorted(Settings.secrets())
FILES = sorted(
    name for name, field in Settings.model_fields.items() if secret_files.HOLDS_A_SECRET in str(field.annotation)
)
LOGIN = {"kafka_tls": "true", "kafka_sasl_mechanism": "SCRAM-SHA-256", "kafka_username": "u"}
COMMANDS = [
    ("worker", "--port", "0"),
    ("topics",),
    ("topics", "--create"),
    ("doctor",),
    ("doctor", "-o", "json"),
    ("audit",),
    ("rebuild", "--tables", "v2"),
    ("deadletter", "list"),
    ("deadletter", "replay", "--all", "--yes"),
    ("silence", "list"),
    ("simulate", "--brokers", "127.0.0.1:1", "--hours", "1", "--instances", "1", "--clusters", "1"),
    ("get", "clusters"),
    ("describe", "group", "x"),
    ("history", "x"),
    ("report",),
    ("sql", "SELECT 1"),
    ("explain", "Failed"),
    ("--help",),
    ("worker", "--help"),
    ("get", "clusters", "--server", f"http://u:{CANARY}@127.0.0.1:1"),
    ("get", "clusters", "--server", f"ftp://u:{CANARY}@127.0.0.1:1"),
]


def test_the_secrets_are_found_by_their_types() -> None:
    assert SECRETS == ["http_token", "kafka_password"]
    assert FILES == [
        "http_tls_key_password_file",
        "http_token_file",
        "kafka_key_password_file",
        "kafka_password_file",
    ]
    words = ("password", "token", "secret")
    named = {name for name in Settings.model_fields if any(word in name for word in words)}
    assert named == {*SECRETS, *FILES}, "a setting that sounds secret has the type of one"


def placed(folder: Path, *, in_files: bool) -> dict[str, str]:
    """Variables with a canary in every secret, given outright or in files."""
    names = FILES if in_files else SECRETS
    variables = {PREFIX + name.upper(): value for name, value in LOGIN.items()}
    for name in names:
        path = folder / name
        path.write_text(f"{CANARY}-{name}\n")
        if name.endswith("key_password_file"):
            certificate = name.replace("key_password", "certificate")
            variables[PREFIX + certificate.upper()] = str(folder / "none.pem")
        variables[PREFIX + name.upper()] = str(path) if in_files else f"{CANARY}-{name}"
    return variables


@pytest.fixture(params=["outright", "in files"])
def canaries(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in placed(tmp_path, in_files=request.param == "in files").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(f"{PREFIX}BROKERS", "127.0.0.1:1")
    monkeypatch.setenv(f"{PREFIX}SERVER", "http://127.0.0.1:1")
    monkeypatch.setenv(f"{PREFIX}DATA_DIR", str(tmp_path / "data"))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    return runner(monkeypatch, capfd, keep=(f"{PREFIX}SERVER",))


@pytest.mark.usefixtures("canaries")
@pytest.mark.parametrize("trace", [False, True])
@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words)[:24])
def test_no_command_shows_a_secret(
    run: Callable[..., Ended], words: tuple[str, ...], trace: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if trace:
        monkeypatch.setenv(TRACE, "1")
    done = run(*words)
    assert done.out + done.err != ""
    assert CANARY not in done.out + done.err
    assert "this should not happen" not in done.err


@pytest.mark.usefixtures("canaries")
def test_settings_show_no_secret() -> None:
    settings = Settings()
    assert settings.http_token is not None
    shown = [settings.public(), repr(settings), str(settings), settings.model_dump_json()]
    shown += [repr(behind(settings, create_api(Held())))]
    assert CANARY not in "".join(shown)
    assert not Settings.secrets() & json.loads(settings.public()).keys()


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("value", [CANARY, "x", f"{CANARY} {CANARY}", f"{CANARY}\u20ac\u20ac", f"{CANARY}\n"])
def test_a_refused_secret_is_not_quoted(
    run: Callable[..., Ended], name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PREFIX + name.upper(), value)
    monkeypatch.setenv(f"{PREFIX}PARTITIONS", "none")
    done = run("topics")
    assert done.code == 2
    assert CANARY not in done.err
    with pytest.raises(ValidationError) as refusal:
        Settings()
    assert CANARY not in str(refusal.value) + repr(refusal.value)
    if name == "http_token":
        done = run("get", "clusters", "--server", "http://127.0.0.1:1")
        assert CANARY not in done.err
        assert done.code in (2, 3)


def test_no_command_takes_a_secret_as_an_argument() -> None:
    words = ("token", "password", "secret")

    def walk(command: click.Command) -> Iterator[str]:
        yield from (name for param in command.params for name in [param.name or "", *param.opts])
        for each in getattr(command, "commands", {}).values():
            yield from walk(each)

    assert not [name for name in walk(typer.main.get_command(app)) if any(word in name for word in words)]


class TestTokenInAFile:
    """As container platforms mount it: for the worker and for the commands."""

    def test_the_worker_takes_it(self, tmp_path: Path) -> None:
        file = tmp_path / "token"
        file.write_text(f"{CANARY}\n")
        settings = Settings(http_host="0.0.0.0", http_token_file=file)
        assert settings.http_token is not None
        assert settings.http_token.get_secret_value() == CANARY

    @pytest.mark.parametrize(
        ("text", "why"),
        [(None, "No such file"), ("short", "at least 16"), (f"{CANARY} {CANARY}", "no spaces"), ("\n", "at least 16")],
    )
    def test_one_that_cannot_be_used_is_refused(self, tmp_path: Path, text: str | None, why: str) -> None:
        file = tmp_path / "token"
        if text is not None:
            file.write_text(text)
        with pytest.raises(ValidationError, match=why) as refusal:
            Settings(http_token_file=file)
        assert CANARY not in str(refusal.value)

    def test_one_and_a_file_of_one_are_not_both_meant(
        self, run: Callable[..., Ended], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(ValidationError, match="give one of them"):
            Settings(http_token=CANARY, http_token_file=tmp_path)
        monkeypatch.setenv(secret_files.TOKEN, CANARY)
        monkeypatch.setenv(secret_files.TOKEN_FILE, str(tmp_path))
        done = run("get", "clusters", "--server", "http://127.0.0.1:1")
        assert (done.code, "give one of them" in done.err) == (2, True)

    def test_commands_send_it(self, run: Callable[..., Ended], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file = tmp_path / "token"
        file.write_text(f"{CANARY}\n")
        with listening(behind(Settings(http_token=CANARY), create_api(Held()))) as address:
            refused = run("get", "clusters", "--server", address)
            assert (refused.code, "token" in refused.err) == (2, True)
            monkeypatch.setenv(secret_files.TOKEN_FILE, str(file))
            for words in (("get", "clusters"), ("doctor", "-o", "json", "--brokers", "127.0.0.1:1")):
                done = run(*words, "--server", address)
                assert "is ready" in done.out or "ml-prod" in done.out, done.err
            monkeypatch.setenv(secret_files.TOKEN_FILE, str(tmp_path / "none"))
            done = run("get", "clusters", "--server", address)
            assert (done.code, "No such file" in done.err) == (2, True)


@contextmanager
def redirecting(target: str) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", target)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Silent."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_a_token_is_not_carried_elsewhere(run: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(secret_files.TOKEN, CANARY)
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.settimeout(0.2)
        with redirecting(f"http://127.0.0.1:{elsewhere.getsockname()[1]}/") as address:
            done = run("get", "clusters", "--server", address)
        assert (done.code, "answers 302" in done.err) == (3, True)
        with pytest.raises(TimeoutError):
            elsewhere.accept()


def test_a_secret_in_a_file_reaches_kafka_without_its_line_end(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(f"{CANARY}\r\n")
    settings = Settings(**LOGIN, kafka_password_file=file)
    assert connection.options(settings)["sasl_plain_password"] == CANARY
