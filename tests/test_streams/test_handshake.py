"""TLS with a port that says nothing: whoever asks gets an answer, and soon."""

from __future__ import annotations

import socket
import ssl

import pytest

from streams.feed.sender import Access, Record, Sender
from streams.handshake import Bounded
from tests.silence import ends, silent

PATIENCE = 60.0
"""For a busy machine; without a bound it was for ever."""


def test_a_handshake_that_nobody_answers_is_over_in_time_and_leaves_no_socket() -> None:
    with silent() as address:
        host, _, port = address.rpartition(":")
        plain = socket.create_connection((host, int(port)))
        plain.setblocking(False)
        with pytest.raises(TimeoutError):
            Bounded(ssl.create_default_context(), 0.1).wrap_socket(plain, server_hostname=host)
        assert plain.fileno() == -1


def test_the_feeds_function_names_a_broker_that_says_nothing() -> None:
    faults = list[str]()
    with silent() as address:
        sender = Sender(Access(address, "raw"))
        assert ends(lambda: faults.extend(sender.send([Record(None, b"x")] * 2, 5)), PATIENCE)
    assert [fault.partition(": ")[0] for fault in faults] == [f"no connection to Kafka at {address}"] * 2
