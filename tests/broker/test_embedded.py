"""The embedded broker itself: data outlives it, and it outlives nobody."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.broker import BrokerError, EmbeddedKafka, free_port
from tests.kafka import Broker, consume, new_topic, produce

pytestmark = pytest.mark.kafka
SECONDS = 60.0  # more than anything here takes; no test is about speed

START = """
import sys, time
from pathlib import Path
from streams.broker import EmbeddedKafka
kafka = EmbeddedKafka(Path(sys.argv[1]), port=int(sys.argv[2])).start()
print(kafka.pid, flush=True)
time.sleep(600)
"""
RUN = """
import sys
from pathlib import Path
from streams import broker
sys.exit(broker.run(Path(sys.argv[1]), port=int(sys.argv[2])))
"""


def alive(pid: int) -> bool:
    """Whether the process still runs; one that has ended and waits to be collected does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def gone(pid: int) -> bool:
    deadline = time.monotonic() + SECONDS
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(pid)


@pytest.fixture
def python() -> Iterator[object]:
    """Starts Python programs that end with the test, at the latest."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str, *args: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", code, *map(str, args)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_what_was_written_is_there_after_a_restart_on_another_port(tmp_path):
    folder = tmp_path / "données, straße \\ 7"  # commas, backslashes and accents are what properties files trip over
    records = [(b"key", b"value %d" % number) for number in range(100)]
    with EmbeddedKafka(folder, port=free_port()) as kafka:
        topic = new_topic(kafka.bootstrap)
        produce(kafka.bootstrap, topic, records)
        first = kafka.pid
    assert kafka.pid is None
    assert gone(first)
    cluster = (folder / "topics" / "meta.properties").read_text()

    with EmbeddedKafka(folder, port=free_port()) as kafka:
        assert [(record.key, record.value) for record in consume(kafka.bootstrap, topic)] == records
    assert (folder / "topics" / "meta.properties").read_text() == cluster


@pytest.mark.fault
def test_a_killed_broker_is_noticed_and_starts_again_with_its_data(tmp_path):
    kafka = EmbeddedKafka(tmp_path, port=free_port())
    kafka.stop()  # nothing to stop yet
    kafka.start()
    with pytest.raises(BrokerError, match="already runs"):
        kafka.start()
    topic = new_topic(kafka.bootstrap)
    produce(kafka.bootstrap, topic, [(b"key", b"kept")])
    os.kill(kafka.pid, signal.SIGKILL)
    assert kafka.wait(SECONDS)
    kafka.stop()
    with kafka:
        assert [record.value for record in consume(kafka.bootstrap, topic)] == [b"kept"]


def test_the_starting_thread_may_end(tmp_path):
    kafka = EmbeddedKafka(tmp_path, port=free_port())
    thread = threading.Thread(target=kafka.start)
    thread.start()
    thread.join()
    try:
        assert not kafka.wait(1.0)
    finally:
        kafka.stop()


def test_two_brokers_on_one_folder_are_refused(tmp_path):
    with EmbeddedKafka(tmp_path, port=free_port()) as kafka:
        with pytest.raises(BrokerError, match="Another broker is using"):
            EmbeddedKafka(tmp_path, port=free_port()).start()
        assert new_topic(kafka.bootstrap)


def test_a_taken_port_is_named_with_the_way_out(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BrokerError, match=rf"127\.0\.0\.1:{port}.*--port"):
            EmbeddedKafka(tmp_path / "data", port=port).start()
    assert not (tmp_path / "data").exists()


@pytest.mark.fault
def test_no_java_outlives_a_killed_parent(tmp_path, python):
    parent = python(START, tmp_path, free_port())
    java = int(parent.stdout.readline())
    assert alive(java)
    parent.kill()
    assert gone(java)
    assert (tmp_path / "topics" / ".kafka_cleanshutdown").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_its_address_and_ends_cleanly(tmp_path, python, number):
    port = free_port()
    command = python(RUN, tmp_path, port)
    assert command.stdout.readline() == f"127.0.0.1:{port}\n"
    command.send_signal(number)
    _, errors = command.communicate(timeout=SECONDS)
    assert (command.returncode, errors) == (0, "")
    assert (tmp_path / "topics" / ".kafka_cleanshutdown").exists()


def test_the_shared_broker_serves_several_partitions(kafka: Broker):
    topic = new_topic(kafka.bootstrap, partitions=2)
    for partition in (0, 1):
        produce(kafka.bootstrap, topic, [(None, b"%d" % partition)] * 3, partition=partition)
    assert [record.value for record in consume(kafka.bootstrap, topic)] == [b"0"] * 3 + [b"1"] * 3
