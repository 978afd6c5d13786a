"""A pytest plugin: what the fault tests measure, collected from all processes and written as docs/reliability.md.

A test says by `@pytest.mark.reliability(number, fault)` which row of the table it fills, and by the fixture `figures`
what it measured. A figure above its mark fails no test, as a busy machine is no fault of the code; it is said in the
table, and makes a run that writes the table (`--reliability FILE`) end with exit code 1.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from hypothesis import is_hypothesis_test, settings

FULL = "--full"
FILE = "--reliability"
SEEDS = 20
"""Of the full run; the bounded one has a single seed."""
HEAD = """\
# Reliability

What was done to real workers on a real Kafka, and what came of it. `make fault` writes the table, `make soak` the part
below it; both say when and where they ran. After each run that lets the worker go on, `hyperpod-state audit` compares
everything that was written with the events: nothing lost, nothing twice, no row and no anomaly other than the events
make it. A run of which that is not so fails. Times depend on the machine, so they fail no test: one that misses its
mark stands here as missed, and `make fault` ends with an error.
"""
INTRO = """\
*Figures*: least and greatest of all runs, the middle one of three or more, and in brackets what it may be at most.
*Full* and *bounded* are sizes (`make fault`, and what `make test` has time for); the load is the machine's before and
after.
"""
COLUMNS = ("| T | fault | runs | figures | pass | measured |", "|---|---|---|---|---|---|")
ROW = re.compile(r"\| (\d+) \| ([^|]*) \|")
PARTS = ("faults", "soak")


@dataclass(frozen=True)
class Figure:
    """One measurement and what it may be at most."""

    what: str
    value: float
    unit: str
    most: float | None = None

    @property
    def missed(self) -> bool:
        return self.most is not None and self.value > self.most


@dataclass(eq=False)
class Run:
    """One run of a test: `number` and `fault` name its row."""

    number: int
    fault: str
    passed: bool = False
    figures: list[Figure] = field(default_factory=list)

    def seconds(self, what: str, value: float, at_most: float | None = None) -> None:
        """How long something took."""
        self.figures.append(Figure(what, round(value, 1), "s", at_most))

    def count(self, what: str, value: float, unit: str, at_most: float | None = None) -> None:
        """How many there were of something."""
        self.figures.append(Figure(what, value, unit, at_most))


class Collected:
    """The runs of this process; of all processes where xdist has told them."""

    def __init__(self, config: pytest.Config) -> None:
        self.config, self.runs, self.began = config, list[Run](), time.time()
        self.load = os.getloadavg()[0]

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
        outcome: Any = yield
        report, mark = outcome.get_result(), item.get_closest_marker("reliability")
        if mark is None or not (report.when == "call" or report.failed):
            return
        run = item.stash.setdefault(RUN, Run(*mark.args))
        run.passed = report.passed
        if is_hypothesis_test(getattr(item, "obj", None)):
            run.count("made-up cases", settings.default.max_examples, "")  # type: ignore[attr-defined]
        if run not in self.runs:
            self.runs.append(run)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A process of xdist has ended."""
        for each in getattr(node, "workeroutput", {}).get("reliability", ()):
            figures = [Figure(**figure) for figure in each.pop("figures")]
            self.runs.append(Run(**each, figures=figures))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        told = getattr(self.config, "workeroutput", None)
        if told is not None:
            told["reliability"] = [asdict(run) for run in self.runs]
            return
        path = self.config.getoption(FILE)
        if path and self.runs:
            write(Path(path), "faults", self._text(Path(path)))
            if any(not run.passed or any(figure.missed for figure in run.figures) for run in self.runs):
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """What missed its mark, also in runs that write nothing."""
        missed: dict[str, list[Figure]] = {}
        for run in self.runs:
            for figure in (each for each in run.figures if each.missed):
                missed.setdefault(f"T{run.number} {run.fault}", []).append(figure)
        for fault, found in missed.items():
            told = "; ".join(_told(what, [each for each in found if each.what == what]) for what in _names(found))
            line = f"missed its mark {len(found)} times (load {os.getloadavg()[0]:.1f}): {fault}: {told}"
            terminalreporter.write_line(line)

    def _text(self, path: Path) -> str:
        """The rows of this run, and those of earlier ones whose faults were left out of it."""
        size = "full" if self.config.getoption(FULL) else "bounded"
        when = f"{circumstances()}, load {self.load:.1f} → {os.getloadavg()[0]:.1f}, {size}"
        rows = rows_of(self.runs, when)
        kept = [line for line in _part(read(path), "faults").splitlines() if ROW.match(line)]
        ran = {_key(line) for line in rows}
        lines = sorted([*rows, *(line for line in kept if _key(line) not in ran)], key=_key)
        return "\n".join(["## Faults", "", INTRO, *COLUMNS, *lines, ""])


RUN = pytest.StashKey[Run]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(FULL, action="store_true", help="fault tests in their full sizes: long")
    parser.addoption(FILE, metavar="FILE", help="write what the fault tests measured into this page")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Collected(config), "reliability")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`seed`: one in bounded runs."""
    if {"seed", "figures"} <= set(metafunc.fixturenames):
        metafunc.parametrize("seed", range(SEEDS if metafunc.config.getoption(FULL) else 1))


@pytest.fixture
def full(pytestconfig: pytest.Config) -> bool:
    """Whether this run has the time for full sizes."""
    return bool(pytestconfig.getoption(FULL))


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Run:
    """What this test measures."""
    mark = request.node.get_closest_marker("reliability")
    run = request.node.stash[RUN] = Run(*mark.args)
    return run


def circumstances() -> str:
    """When, of what, on what."""
    asked = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    commit = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip() or "unknown"
    when = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
    return f"{when}, {commit}, {os.cpu_count()} cores, Python {platform.python_version()}, Kafka 4.1"


def rows_of(runs: list[Run], when: str) -> list[str]:
    """Markdown: one row for each fault."""
    rows: dict[tuple[int, str], list[Run]] = {}
    for run in runs:
        rows.setdefault((run.number, run.fault), []).append(run)
    return [f"{_line(*key, rows[key])} {when} |" for key in sorted(rows)]


def _key(line: str) -> tuple[int, str]:
    """Number and fault."""
    found = ROW.match(line)
    assert found is not None
    return int(found[1]), found[2]


def _line(number: int, fault: str, runs: list[Run]) -> str:
    by_name: dict[str, list[Figure]] = {}
    for run in runs:
        for figure in run.figures:
            by_name.setdefault(figure.what, []).append(figure)
    failed = sum(not run.passed for run in runs)
    missed = [what for what, found in by_name.items() if any(each.missed for each in found)]
    words = [f"{failed} runs failed"] * bool(failed) + [f"missed: {', '.join(missed)}"] * bool(missed)
    told = "; ".join(_told(what, found) for what, found in by_name.items())
    return f"| {number} | {fault} | {len(runs)} | {told or 'none asked for'} | {'; '.join(words) or 'yes'} |"


def _names(figures: list[Figure]) -> list[str]:
    return list(dict.fromkeys(each.what for each in figures))


def _told(what: str, found: list[Figure]) -> str:
    values, unit, most = [each.value for each in found], found[0].unit, found[0].most
    low, high = min(values), max(values)
    text = f"{low:g}" if low == high else f"{low:g}–{high:g}"
    middle = f", median {median(values):g}" if len(values) > 2 and low != high else ""
    mark = "" if most is None else f" (≤ {most:g})"
    return f"{what} {text}{middle} {unit}".rstrip() + mark


def write(path: Path, part: str, text: str) -> None:
    """Replace one part of the page and keep the other."""
    old = read(path)
    parts = {name: _part(old, name) for name in PARTS} | {part: text}
    bodies = (f"<!-- {name} -->\n{parts[name]}<!-- /{name} -->\n" for name in PARTS if parts[name])
    path.write_text("\n".join([HEAD, *bodies]))


def read(path: Path) -> str:
    """The page as it is."""
    return path.read_text() if path.exists() else ""


def _part(page: str, name: str) -> str:
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    return page.split(begin, 1)[1].split(end, 1)[0] if begin in page else ""
