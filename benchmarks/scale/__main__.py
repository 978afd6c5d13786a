"""`make scale`: measure, keep the figures, write the page.

Knows: what the environment chooses (PART, SIZES), in which order things are measured.
Must not know: how.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from benchmarks import machine
from benchmarks.ground import ground
from benchmarks.scale import hot, page, results
from benchmarks.scale.points import points
from benchmarks.scale.results import Fleets, InProcess, Live, Scale, Taken
from benchmarks.scale.seed import CLUSTER, LIFE

SIZES = (1_000, 10_000, 100_000)
PARTITIONS = 4
UNUSABLE = 2
Begun = Callable[[], Taken]


def main(arguments: list[str]) -> int:
    """With `page`: only the page, from the figures that there are."""
    if arguments == ["page"]:
        page.write(results.read())
        return 0
    sizes = chosen(os.environ.get("SIZES", ""))
    if sizes is None:
        print(f"SIZES are two or more multiples of {CLUSTER}, such as SIZES=1000,10000.", file=sys.stderr)
        return UNUSABLE
    measure: dict[str, Callable[[], object]] = {"process": process, "live": live, "fleets": lambda: fleets(sizes)}
    wanted = os.environ.get("PART", "").split() or list(measure)
    if unknown := [name for name in wanted if name not in measure]:
        print(f"PART={' '.join(unknown)} is none of {', '.join(measure)}.", file=sys.stderr)
        return UNUSABLE
    before = {} if set(wanted) == set(measure) else msgspec.structs.asdict(results.read())
    found = Scale(**before | {name: measure[name]() for name in wanted})
    results.write(found)
    page.write(found)
    return 0


def chosen(text: str) -> list[int] | None:
    """The sizes of fleets; None where they are none that can be measured."""
    given = [each.strip() for each in text.split(",") if each.strip()] or list(map(str, SIZES))
    sizes = {int(each) for each in given if each.isdigit()}
    fit = len(sizes) == len(given) > 1 and all(size and size % CLUSTER == 0 for size in sizes)
    return sorted(sizes) if fit else None


def process() -> InProcess:
    """Rows, and single clusters."""
    taken = _begun()
    rows, clusters = list(hot.rows()), list(hot.clusters())
    for cluster in clusters:
        _say(f"{cluster.instances:>9,} instances  judged {cluster.judge_us:.0f} µs each, opened {cluster.open_us:.0f}")
    return InProcess(taken(), clusters, rows)


def live() -> Live:
    """Events of one cluster."""
    taken = _begun()
    with ground() as place:
        backlog, single, tick = hot.live(place, _say)
    return Live(taken(), backlog, single, round(tick, 1))


def fleets(sizes: list[int]) -> Fleets:
    """A worker with a fleet of each size."""
    taken = _begun()
    with ground() as place:
        empty, found = points(place, sizes, PARTITIONS, _say)
    return Fleets(taken(), CLUSTER, LIFE, PARTITIONS, empty, found)


def _begun() -> Begun:
    """What to say of a part once it is over."""
    commit, before = machine.commit(), os.getloadavg()[0]
    versions = {name: each for name, each in machine.versions().items() if name not in machine.PEERS_OF}

    def taken() -> Taken:
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ")
        load = round(before, 1), round(os.getloadavg()[0], 1)
        return Taken(commit, at, os.nice(0), load, machine.machine(), versions)

    return taken


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
