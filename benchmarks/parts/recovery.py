"""Part `recovery`: how long until work goes on after a restart, with the local store lost and with it kept.

Knows: in which order a contender is filled, ended and started again.
Must not know: how rows are restored, what is aimed at.

Time is from the start of a contender's client (its interpreter or virtual machine runs already) until it has folded
one new event of every partition: so it holds joining the group, reading the rows back and whatever else must come
before.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from benchmarks.ground import Contender, Failed, Ground, ground, last_words
from benchmarks.measure import Run
from benchmarks.parts.sizes import Sizes
from benchmarks.parts.transports import present
from benchmarks.workload import Shape

CONTENDERS = (
    Contender("worker", "product", "small_worker", {"store": "rocksdb"}),
    Contender("quix", "peers", "small_quix", {"tuned": True}),
    Contender("kafka_streams", "java", "", {"threads": 1}),
)
INSTANCES = 200
PARTITIONS = 4


def measure(sizes: Sizes) -> Iterator[Run]:
    """Each contender gets its rows once; then it is restarted cold and warm, taking turns with the others."""
    with ground() as place:
        places = [(each, _filled(place, each, sizes)) for each in present(CONTENDERS, sizes)]
        for number in sizes.turns():
            for contender, group in places:
                for kind in ("cold", "warm"):
                    if run := _restarted(place, contender, group, kind, number, sizes):
                        yield run


def _filled(place: Ground, contender: Contender, sizes: Sizes) -> str:
    """One event, and so one row, of every instance."""
    clusters = max(PARTITIONS, sizes.rows // INSTANCES)
    shape = Shape(events=sizes.rows, clusters=clusters, instances=INSTANCES, partitions=PARTITIONS)
    topic = place.fill(f"input-{contender.name}", shape)
    group = place.group(contender, PARTITIONS)
    place.drain(contender, topic, group, sizes.rows, PARTITIONS)
    return group


def _restarted(place: Ground, contender: Contender, group: str, kind: str, number: int, sizes: Sizes) -> Run | None:
    if kind == "cold":
        shutil.rmtree(place.folder / group)
    topic = f"input-{contender.name}"
    place.fill(topic, Shape(events=PARTITIONS, clusters=PARTITIONS, instances=1, first=PARTITIONS * (2 * number + 1)))
    try:
        figures = place.drain(contender, topic, group, PARTITIONS, PARTITIONS, warm=0)
    except Failed as error:
        sizes.notes.append(f"{contender.name}, {kind}, failed in round {number + 1}: {last_words(error)}")
        sizes.say(str(error))
        return None
    seconds = figures["last_seconds"]
    sizes.say(f"round {number + 1}  {contender.name + ' ' + kind:<18} {seconds:>9.2f} s")
    return Run(f"{contender.name}_{kind}", number, round(sizes.rows / seconds, 1), "rows/s", figures)
