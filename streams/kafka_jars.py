"""Fetches the jars of Apache Kafka from Maven Central, once, into the user's cache.

Knows where the jars live and how to get them; knows nothing of running them.
The jars of one version are one folder that appears whole or not at all, so that an interrupted download can never be
mistaken for a complete one, and a second start needs no network.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import requests
from jgo.maven import Artifact, MavenContext, PythonResolver
from jgo.parse import Coordinate

KAFKA_VERSION = "4.1.2"
# kafka-clients by name: the resolver would otherwise take whichever version another dependency mentions first.
# The last one carries Kafka's log messages to the log4j-core that Kafka itself depends on, hence that one's version.
COORDINATES = (
    ("org.apache.kafka", "kafka_2.13", KAFKA_VERSION),
    ("org.apache.kafka", "kafka-clients", KAFKA_VERSION),
    ("org.apache.logging.log4j", "log4j-slf4j-impl", "2.25.3"),
)
REQUEST_SECONDS = 30
REPORT_EVERY_SECONDS = 2.0
# A missing or refused file is jgo's RuntimeError; an answer that is no POM a ValueError or (XML) SyntaxError.
FAILURES = (requests.RequestException, RuntimeError, ValueError, SyntaxError, OSError)

Say = Callable[[str], None]


class DownloadError(Exception):
    """The jars are not in the cache and could not be fetched."""


def say(line: str) -> None:
    """One line of progress for people."""
    print(line, file=sys.stderr, flush=True)


def cache() -> Path:
    """The folder of this version's jars, under XDG_CACHE_HOME (default ~/.cache)."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "hyperpod-state" / f"kafka-{KAFKA_VERSION}"


def jars(say: Say = say) -> list[Path]:
    """All jars Kafka needs, sorted; downloads them the first time. Raises DownloadError."""
    home = cache()
    if not home.is_dir():
        _install(home, say)
    return sorted(home.rglob("*.jar"))


def _install(home: Path, say: Say) -> None:
    """Downloads beside `home`, then moves the whole folder into place."""
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home.parent, prefix="partial-", ignore_cleanup_errors=True) as partial:
            new = Path(partial) / home.name
            _download(new, say)
            _move(new, home)
    except FAILURES as error:
        raise DownloadError(_sorry(home, error)) from error


def _move(new: Path, home: Path) -> None:
    """Two starts at once both download; the first to finish wins and the other's copy is dropped."""
    try:
        new.rename(home)
    except OSError:
        if not home.is_dir():
            raise


def _download(to: Path, say: Say) -> None:
    say(f"Fetching Apache Kafka {KAFKA_VERSION} from Maven Central (about 45 MB, only this once)")
    resolver = PythonResolver(progress_callback=_meter(say))
    context = MavenContext(resolver=resolver, repo_cache=to, timeout=REQUEST_SECONDS)
    for artifact in _artifacts(context):
        artifact.resolve()
    say(f"Apache Kafka {KAFKA_VERSION} is ready in {cache()}")


def _artifacts(context: MavenContext) -> list[Artifact]:
    wanted = [context.create_dependency(Coordinate(g, a, v, scope="compile")) for g, a, v in COORDINATES]
    named, others = context.resolver.resolve(wanted)
    return [dependency.artifact for dependency in (*named, *others)]


def _meter(say: Say) -> Callable[[str, int], AbstractContextManager[Callable[[int], None]]]:
    """jgo's progress callback: a line now and then with the sum of all files so far."""
    done, last = 0, time.monotonic()

    def count(size: int) -> None:
        nonlocal done, last
        done += size
        if time.monotonic() - last >= REPORT_EVERY_SECONDS:
            last = time.monotonic()
            say(f"  {done / 1e6:.1f} MB")

    @contextmanager
    def one_file(_name: str, _size: int) -> Iterator[Callable[[int], None]]:
        yield count

    return one_file


def _sorry(home: Path, error: BaseException) -> str:
    return (
        f"Apache Kafka {KAFKA_VERSION} could not be downloaded from Maven Central: {error}\n"
        f"It is needed once. Behind a proxy set HTTPS_PROXY; without network copy {home} from a machine that has it, "
        "or use a Kafka of your own."
    )
