"""Part `small`: the small standard step by every transport there is here.

Knows: the contenders and their options.
Must not know: how they work, what is aimed at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.ground import Contender, Failed, Ground, ground, last_words
from benchmarks.measure import Run
from benchmarks.parts.sizes import Sizes
from benchmarks.workload import Shape

TUNED = {"tuned": True}
CONTENDERS = (
    Contender("worker", "product", "small_worker"),
    Contender("worker_rocksdb", "product", "small_worker", {"store": "rocksdb"}),
    Contender("worker_one_by_one", "product", "small_worker", {"transport": "faust"}, share=0.1),
    Contender("bare", "peers", "small_bare"),
    Contender("quix", "peers", "small_quix"),
    Contender("quix_tuned", "peers", "small_quix", {**TUNED, "store": "memory"}),
    Contender("quix_rocksdb", "peers", "small_quix", TUNED),
    Contender("kafka_streams", "java", "", {"threads": 1}),
    Contender("kafka_streams_2", "java", "", {"threads": 2}),
    Contender("faust", "product", "small_faust", share=0.1),
)


def present(contenders: Sequence[Contender], sizes: Sizes) -> list[Contender]:
    """Those that can run here; of the others the notes say why not."""
    for contender in contenders:
        if contender.missing and contender.missing not in sizes.notes:
            sizes.notes.append(contender.missing)
    return [contender for contender in contenders if not contender.missing]


def measure(sizes: Sizes, contenders: Sequence[Contender] = CONTENDERS) -> Iterator[Run]:
    """Every contender once a round."""
    shape = Shape(events=sizes.events)
    chosen = present(contenders, sizes)
    with ground() as place:
        # The worker's ticks go to the topic that it reads events from: no other contender is to meet them.
        topics = {contender.name: _topic(place, contender, shape) for contender in chosen}
        for number in sizes.turns():
            for contender in chosen:
                if run := drained(place, contender, topics[contender.name], shape, number, sizes):
                    yield run


def drained(place: Ground, contender: Contender, topic: str, shape: Shape, number: int, sizes: Sizes) -> Run | None:
    """One contender, once; None, and a note, where it broke."""
    try:
        figures = place.run(contender, topic, shape.events, shape.partitions)
    except Failed as error:
        sizes.notes.append(f"{contender.name} failed in round {number + 1}: {last_words(error)}")
        sizes.say(str(error))
        return None
    rate = figures["events"] / figures["seconds"]
    sizes.say(f"round {number + 1}  {contender.name:<18} {rate:>9,.0f} events/s")
    return Run(contender.name, number, round(rate, 1), "events/s", figures)


def _topic(place: Ground, contender: Contender, shape: Shape) -> str:
    """One for all who leave it as it is; the slow ones have their own, smaller one, as all must be read to its end."""
    own = "worker" if contender.module == "small_worker" else "peers"
    name = f"input-{own}-{contender.share:g}"
    if name not in place.filled:
        place.fill(name, Shape(events=round(shape.events * contender.share)))
    return name
