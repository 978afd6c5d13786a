"""`make scale`: measure, keep the figures, write the page.

Knows: what the environment chooses (SIZES), in which order things are measured.
Must not know: how.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime

from benchmarks import machine
from benchmarks.ground import ground
from benchmarks.scale import hot, page, results
from benchmarks.scale.points import points
from benchmarks.scale.results import Scale
from benchmarks.scale.seed import CLUSTER, LIFE

SIZES = (1_000, 10_000, 100_000)
PARTITIONS = 4
UNUSABLE = 2


def main(arguments: list[str]) -> int:
    """With `page`: only the page, from the figures that there are."""
    if arguments == ["page"]:
        page.write(results.read())
        return 0
    sizes = chosen(os.environ.get("SIZES", ""))
    if sizes is None:
        print(f"SIZES are two or more multiples of {CLUSTER}, such as SIZES=1000,10000.", file=sys.stderr)
        return UNUSABLE
    found = measured(sizes)
    results.write(found)
    page.write(found)
    return 0


def chosen(text: str) -> list[int] | None:
    """The sizes of fleets; None where they are none that can be measured."""
    given = [each.strip() for each in text.split(",") if each.strip()] or list(map(str, SIZES))
    sizes = {int(each) for each in given if each.isdigit()}
    fit = len(sizes) == len(given) > 1 and all(size and size % CLUSTER == 0 for size in sizes)
    return sorted(sizes) if fit else None


def measured(sizes: list[int]) -> Scale:
    """Everything."""
    commit, before = machine.commit(), os.getloadavg()[0]
    rows, clusters = list(hot.rows()), list(hot.clusters())
    for cluster in clusters:
        _say(f"{cluster.instances:>9,} instances  judged {cluster.judge_us:.0f} µs each, opened {cluster.open_us:.0f}")
    with ground() as place:
        backlog, single, quiet = hot.live(place, _say)
        empty, found = points(place, sizes, PARTITIONS, _say)
    return Scale(
        commit=commit,
        at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ"),
        nice=os.nice(0),
        load=(round(before, 1), round(os.getloadavg()[0], 1)),
        machine=machine.machine(),
        versions={name: each for name, each in machine.versions().items() if name not in machine.PEERS_OF},
        cluster_size=CLUSTER,
        events_each=LIFE,
        partitions=PARTITIONS,
        empty_bytes=empty,
        points=found,
        backlog=backlog,
        single=single,
        quiet=quiet,
        clusters=clusters,
        rows=rows,
    )


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
