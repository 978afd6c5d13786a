"""`make bench`: measure, keep the figures, draw them, write the page.

Knows: the parts and their order, what the environment chooses (BENCH, RUNS, EVENTS, ROWS).
Must not know: how anything is measured.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from benchmarks import machine, page, results
from benchmarks.ground import Failed
from benchmarks.measure import Run, middle
from benchmarks.parts import footprint, process, real, recovery, transports
from benchmarks.parts.sizes import Sizes
from streams.broker import BrokerError

PARTS: dict[str, Callable[[Sizes], Iterator[Run]]] = {
    "process": process.measure,
    "growth": process.growth,
    "small": transports.measure,
    "real": real.measure,
    "latency": footprint.latency,
    "memory": footprint.memory,
    "recovery": recovery.measure,
}
UNUSABLE = 2


def main(arguments: list[str]) -> int:
    """With `page`: only the page and the plots, from the figures that there are."""
    found = results.read()
    if arguments == ["page"]:
        page.write(found)
        return 0
    chosen = [name for name in os.environ.get("BENCH", "").replace(",", " ").split() if name] or list(PARTS)
    if unknown := [name for name in chosen if name not in PARTS]:
        print(f"BENCH={' '.join(unknown)} is no part; there are {', '.join(PARTS)}.", file=sys.stderr)
        return UNUSABLE
    for name in chosen:
        try:
            found.put(name, _measured(name, found))
        except (Failed, BrokerError) as error:
            print(f"Part {name} broke off: {error}", file=sys.stderr)
            return 1
        found.machine, found.versions = machine.machine(), machine.versions()
        results.write(found)
        page.write(found)
    return 0


def _measured(name: str, found: results.Results) -> results.Part:
    sizes = _sizes(found)
    print(f"Part {name}", flush=True)
    commit, before = machine.commit(), os.getloadavg()[0]
    runs = list(PARTS[name](sizes))
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ")
    command = f"make bench BENCH={name} EVENTS={sizes.events} RUNS={sizes.rounds}"
    command += f" ROWS={sizes.rows}" if name == "recovery" else ""
    load = round(before, 1), round(os.getloadavg()[0], 1)
    return results.Part(commit, at, command, load, sizes.notes, runs)


def _sizes(found: results.Results) -> Sizes:
    rate = middle(found.parts["real"].runs, "worker") if "real" in found.parts else None
    fleets = tuple(int(each) for each in os.environ.get("FLEETS", "").split(",") if each) or Sizes.fleets
    return Sizes(
        events=_number("EVENTS", Sizes.events),
        rounds=_number("RUNS", Sizes.rounds),
        rows=_number("ROWS", Sizes.rows),
        fleets=fleets,
        rate=rate or 0.0,
        say=lambda line: print(line, flush=True),
    )


def _number(name: str, default: int) -> int:
    given = os.environ.get(name, "")
    if given and not (given.isdigit() and int(given) > 0):
        print(f"{name}={given} is no number above 0.", file=sys.stderr)
        raise SystemExit(UNUSABLE)
    return int(given) if given else default


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
