"""Images are built once for all tests of containers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.test_docker import engine


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[engine.Images]:
    """Both images; where there is no engine, the tests that ask for them are skipped."""
    if (why := engine.missing()) is not None:
        pytest.skip(why)
    with engine.built(tmp_path_factory.mktemp("context")) as found:
        yield found


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How large the images are."""
    for line in engine.TOLD:
        terminalreporter.write_line(line)
