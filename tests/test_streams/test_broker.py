"""What the embedded broker does before and around Kafka: messages, the cache of jars, the leash. No Java runs here."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import uuid

import pytest

from streams import kafka_jars, leash
from streams.broker import BrokerError, EmbeddedKafka, free_port, new_cluster_id

SECONDS = 60
WAITS = "import time; print('here', flush=True); time.sleep(600)"


@pytest.fixture
def no_network(tmp_path, monkeypatch):
    """An empty cache, and a proxy that nobody runs."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{free_port()}")
    for name in ("https_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


def test_without_network_the_message_says_what_to_do(tmp_path, no_network, capsys):
    with pytest.raises(BrokerError, match=r"could not be downloaded(?s:.*)HTTPS_PROXY.*copy .*kafka-4"):
        EmbeddedKafka(tmp_path / "data", port=free_port()).start()
    assert "only this once" in capsys.readouterr().err
    assert list((tmp_path / "cache" / "hyperpod-state").iterdir()) == []


def test_jars_in_the_cache_need_no_network(tmp_path, no_network):
    jar = kafka_jars.cache() / "org" / "example.jar"
    jar.parent.mkdir(parents=True)
    jar.touch()
    assert kafka_jars.jars() == [jar]


def test_the_later_of_two_downloads_gives_way(tmp_path):
    home, new = tmp_path / "home", tmp_path / "new"
    for folder in (home, new):
        folder.mkdir()
        (folder / folder.name).touch()
    kafka_jars._move(new, home)
    assert [path.name for path in home.iterdir()] == ["home"]


def test_a_data_folder_that_is_a_file(tmp_path):
    (tmp_path / "data").touch()
    with pytest.raises(BrokerError, match="Cannot write to the data folder"):
        EmbeddedKafka(tmp_path / "data", port=free_port()).start()


def test_an_address_that_is_not_ours(tmp_path):
    with pytest.raises(BrokerError, match=r"Cannot listen on 192\.0\.2\.1:19092"):
        EmbeddedKafka(tmp_path, host="192.0.2.1").start()


def leashed(code: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-I", leash.__file__, sys.executable, "-c", code]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def test_the_leash_passes_on_the_exit_code_and_the_output():
    with leashed("print('said'); raise SystemExit(7)") as held:
        assert int(held.stdout.readline()) > 0
        assert held.stderr.readline() == "said\n"
        assert held.wait(SECONDS) == 7


@pytest.mark.parametrize("end", [lambda held: held.stdin.close(), lambda held: held.send_signal(signal.SIGTERM)])
def test_the_leash_ends_what_it_holds(end):
    with leashed(WAITS) as held:
        pid = int(held.stdout.readline())
        assert held.stderr.readline() == "here\n"
        end(held)
        assert held.wait(SECONDS) == 128 + signal.SIGTERM
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux tells a process that its parent was killed.")
def test_what_a_killed_leash_held_ends_too():
    with leashed(WAITS) as held:
        pid = int(held.stdout.readline())
        assert held.stderr.readline() == "here\n"
        held.kill()
        assert held.wait(SECONDS) == -signal.SIGKILL
        ended, _, _ = select.select([held.stderr], [], [], SECONDS)
        if not ended:
            os.kill(pid, signal.SIGKILL)
        assert ended  # nobody has the pipe open: whoever adopted the process need not have asked for its end yet


def test_no_cluster_id_looks_like_an_option(monkeypatch):
    drawn = iter([uuid.UUID(bytes=first + bytes(15)) for first in (b"\xf8", b"\xfb", b"\x00")])
    monkeypatch.setattr(uuid, "uuid4", lambda: next(drawn))
    assert new_cluster_id() == "A" * 22
