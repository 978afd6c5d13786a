"""`make bench`: measure, keep the figures, draw them, write the page.

Knows: the parts and their order, what the environment chooses (BENCH, RUNS, EVENTS, ROWS and the like), how long each
part may take.
Must not know: how anything is measured.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from benchmarks import machine, page, results
from benchmarks.ground import last_words
from benchmarks.measure import Run, middle
from benchmarks.parts import files, footprint, latency, process, real, recovery, transports
from benchmarks.parts.sizes import Sizes

PARTS: dict[str, tuple[Callable[[Sizes], Iterator[Run]], int]] = {
    "process": (process.measure, 6),
    "growth": (process.growth, 7),
    "small": (transports.measure, 6),
    "real": (real.measure, 4),
    "latency": (latency.measure, 5),
    "memory": (footprint.memory, 6),
    "recovery": (recovery.measure, 3),
    "replay": (files.measure, 3),
}
"""Each with its share of the time."""
OPTIONS = {"growth": "FLEETS", "recovery": "ROWS", "replay": "FILE_EVENTS"}
"""What a part takes beside EVENTS and RUNS."""
UNFINISHED = "Ended before all of it was measured."
FAILED, UNUSABLE = 1, 2


def main(arguments: list[str]) -> int:
    """With `page`: only the verdicts, the page and the plots, from the figures that there are."""
    found = results.read()
    if arguments == ["page"]:
        found.judge()
        results.write(found)
        page.write(found)
        return 0
    chosen = [name for name in os.environ.get("BENCH", "").replace(",", " ").split() if name] or list(PARTS)
    if unknown := [name for name in chosen if name not in PARTS]:
        print(f"BENCH={' '.join(unknown)} is no part; there are {', '.join(PARTS)}.", file=sys.stderr)
        return UNUSABLE
    failed, ends = [], time.monotonic() + 60 * _number("MINUTES", 40)
    for number, name in enumerate(chosen):
        sizes = _sizes(found, minutes_of(chosen[number:], (ends - time.monotonic()) / 60))
        if not _measured(name, sizes, found):
            failed.append(name)
    if failed:
        print(f"Broke off: {', '.join(failed)}. What the other parts found is kept.", file=sys.stderr)
    return FAILED if failed else 0


def minutes_of(left: Sequence[str], minutes: float) -> float:
    """Of what is left of the time, for the first of the parts that are left."""
    return max(0.0, minutes) * PARTS[left[0]][1] / sum(PARTS[name][1] for name in left)


def _measured(name: str, sizes: Sizes, found: results.Results) -> bool:
    """Measure a part, and whether it did not break; every run is kept at once, whatever ends the program."""
    print(f"Part {name}, {sizes.minutes:.0f} minutes at most", flush=True)
    keep, whole, runs = _keeper(name, sizes, found), True, list[Run]()
    try:
        for run in PARTS[name][0](sizes):
            runs.append(run)
            keep(runs, UNFINISHED)
    except Exception as error:  # noqa: BLE001 - whatever breaks a part, the others are measured all the same
        print(f"Part {name} broke off: {error}", file=sys.stderr)
        sizes.notes.append(f"Broke off after {len(runs)} runs: {last_words(error)}")
        whole = False
    if runs:
        keep(runs)
    return whole


def _keeper(name: str, sizes: Sizes, found: results.Results) -> Callable[..., None]:
    """Puts runs into the results, in place of the part's old ones, and writes all there is to write."""
    commit, before, where = machine.commit(), os.getloadavg()[0], (machine.machine(), machine.versions())

    def keep(runs: list[Run], *more: str) -> None:
        load, at = (round(before, 1), round(os.getloadavg()[0], 1)), datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ")
        notes = [*sizes.notes, *more]
        found.put(name, results.Part(commit, at, _command(name, sizes), load, *where, notes, list(runs)))
        results.write(found)
        page.write(found)

    return keep


def _command(name: str, sizes: Sizes) -> str:
    chosen: dict[str, object] = {"EVENTS": sizes.events, "RUNS": sizes.rounds}
    more = {"FLEETS": ",".join(map(str, sizes.fleets)), "ROWS": sizes.rows, "FILE_EVENTS": sizes.file_events}
    if name in OPTIONS:
        chosen[OPTIONS[name]] = more[OPTIONS[name]]
    return " ".join([f"make bench BENCH={name}", *(f"{option}={value}" for option, value in chosen.items())])


def _sizes(found: results.Results, minutes: float = Sizes.minutes) -> Sizes:
    fleets = tuple(int(each) for each in os.environ.get("FLEETS", "").split(",") if each) or Sizes.fleets
    return Sizes(
        events=_number("EVENTS", Sizes.events),
        rounds=_number("RUNS", Sizes.rounds),
        rows=_number("ROWS", Sizes.rows),
        fleets=fleets,
        file_events=_number("FILE_EVENTS", Sizes.file_events),
        rate=_rate(found),
        minutes=minutes,
        say=lambda line: print(line, flush=True),
    )


def _rate(found: results.Results) -> float:
    """Of the worker, by the part `real`; none where another machine found it."""
    part = found.parts.get("real")
    return (middle(part.runs, "worker") or 0.0) if part is not None and part.machine == machine.machine() else 0.0


def _number(name: str, default: int) -> int:
    given = os.environ.get(name, "")
    if given and not (given.isdigit() and int(given) > 0):
        print(f"{name}={given} is no number above 0.", file=sys.stderr)
        raise SystemExit(UNUSABLE)
    return int(given) if given else default


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
