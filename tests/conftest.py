"""Fixtures that every test may ask for."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.kafka import Broker

USED: list[str] = []
pytest_plugins = ("tests.broker.figures", "tests.properties.effort")


def pytest_configure() -> None:
    """Make tests the same however they were started.

    Processes of xdist inherit a width that readline made up: what our commands print would be cut to it.  Shells start
    what runs in the background deaf to Ctrl-C, and so would be every program that a test starts and ends by it.
    """
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


LEFT_OUT: list[str] = []


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Pages are looked at where there is a browser, containers where they are asked for; the end of the run says so."""
    from tests.browser import chromium

    if (why := chromium.missing()) is not None:
        _leave_out(config, items, "browser", f"tests of the dashboard's pages are left out: {why}")
    if "docker" not in config.option.markexpr:
        _leave_out(config, items, "docker", "tests of containers are left out: make docker-test runs them")


def _leave_out(config: pytest.Config, items: list[pytest.Item], marker: str, why: str) -> None:
    left = [item for item in items if item.get_closest_marker(marker)]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]
        LEFT_OUT.append(f"{len(left)} {why}")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Tests that need Kafka are marked by asking for it."""
    if "kafka" in getattr(item, "fixturenames", ()):
        item.add_marker("kafka")


@pytest.fixture(autouse=True)
def logging_put_back() -> Iterator[None]:
    """Logging set up as the worker's within one test would write to its closed standard error in every later one."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Broker]:
    """A real broker for the whole run; the end of the run says which."""
    from tests.kafka import some_kafka  # not before it is needed: most runs of a few tests need no Docker library

    with some_kafka(tmp_path_factory.mktemp("kafka")) as broker:
        USED.append(broker.origin)
        getattr(pytestconfig, "workeroutput", {})["kafka"] = broker.origin  # to the process that prints, under xdist
        yield broker


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A process of pytest-xdist has ended: which broker it used."""
    if origin := getattr(node, "workeroutput", {}).get("kafka"):
        USED.append(origin)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Where the tests' Kafka came from, and why not from elsewhere; what was left out."""
    for origin in USED:
        terminalreporter.write_line(f"Kafka for the tests: {origin}")
    for why in LEFT_OUT:
        terminalreporter.write_line(why)
