"""The sentences of docs/scale.md.

Knows: what is said whatever the figures are.
Must not know: figures.
"""

from __future__ import annotations

HEAD = """\
# Scale

<!-- Written by `make scale` out of benchmarks/scale.json: change those, not this page. -->

How everything grows with a fleet: measured with one worker at several sizes, reckoned for larger ones by the formulas
below. [Performance](performance.md) has what an event costs beside other programs, [sizing](sizing.md) what
to give a worker.
"""
POINTS = """\
## One worker with the whole fleet

Clusters of a thousand instances, each with a birth and one software update behind it, every fiftieth event a
failure. *Back* is from the start of the process until it is ready: the group joined, tables read back, every cluster
opened and judged.
"""
ROWS = """\
## What a row takes

An instance's row by its events. It keeps the last 64, and all of the last 24 hours, each as it was understood; older
ones are settled into a checkpoint and a history of 200 items. So a row stops growing, and a fleet's first months are
its cheapest.
"""
LARGER = """\
## Larger fleets

By the straight line through the two largest points, the instances shared out evenly among the workers. *Back* is in
seconds of a processor: so long it takes where nothing else wants that core, and Kafka keeps up. Memory is at rest; a
worker needs `HYPERPOD_STATE_CACHE_MB` (32) for each of its partitions beside it, and room for a start.
"""
FORMULAS = (
    ("rows", "instances + groups + clusters, and the slots that wait for an instance"),
    (
        "changelogs in Kafka, each replica",
        "bytes of rows ÷ (1 − `min.cleanable.dirty.ratio`, 0.5), and up to one segment (50 MiB) a partition and table"
        " that compaction has not come to",
    ),
    ("memory, disk, time of a worker", "fixed + each × (instances ÷ workers)"),
    (
        "topics that forget by age, each replica",
        "days × (instances × events a day × bytes an event + ticks of 4 raw partitions)",
    ),
)
HOT = """\
## One cluster is one partition is one worker

All events of a cluster go through one partition, and a cluster is judged whole. More workers do not help a single
one; what bounds it:
"""
PARTITIONS = """\
## How many partitions and workers

[Sizing](sizing.md) has what to choose. What follows from the figures:

- `HYPERPOD_STATE_RAW_PARTITIONS` need not be as many: each raw partition tells the time to every other one, each 5
  seconds, and each second while events come. With as many raw partitions as others that grows with the square.
"""
KEPT = """\
## What is kept, for how long, and what it costs

Bytes of single events on Kafka's disk, each with a checkpoint of its own: rows, the markers of their transaction and
the progress of the partition are in it. A backlog costs less, as one checkpoint writes a row once. The worker
compresses nothing; what a `compression.type` of the topics would save was not measured.
"""
MONEY = """\
For money: (gigabytes kept + changelogs) × replicas × the price of a gigabyte-month of the brokers' disks, and what
goes in each day × replicas × the price of traffic between zones. The feed itself costs by the message
([feed](feed.md#what-it-costs)), and with a wakeful fleet is the larger part. Processors are no cost to speak of: a
million events a day are 12 a second.

An event a day for each instance, copies included, is a guess on the high side: HyperPod speaks when something
happens. A birth is 3 to 6 events, a software update 6 to 8, a replacement a dozen of two instances; most may come
twice. Snapshots are another matter: a node list says some 250 bytes of every instance each time, so whoever writes
every list of a thousand clusters each minute writes hundreds of times what events do. [`reconcile`](reconcile.md)
asks as often and writes what is news, and whole lists once a day.
"""
ENDS = """\
## Where it ends

- Times above were taken {how}. They are what such a machine takes, not the least that is possible.
- Workers are given a quarter of `HYPERPOD_STATE_RESTORE_DEADLINE` (300 s) here. Raise it before a worker has so much
  that a slow day of Kafka ends it.
- A restore reads what Kafka has, not what is alive: a changelog that compaction has not come to is read whole.
- A question about the whole fleet opens every picture of a worker, 2.5 kB an instance, and the first one after a
  rest waits for it; a worker gives another 8 seconds for its part. A fleet of a million is better asked by cluster,
  or on the topics.
- A cluster of many thousands of instances is opened whole, whatever the cache may hold.
- Sizes are of made-up clusters of a thousand that say no more than AWS's fields need. Longer names, snapshots and
  storms of anomalies are larger.
- How a real Kafka of several brokers keeps up was not measured; nor were more than one worker at a time.
"""
TAIL = """\
## Repeating it

```sh
make scale                              # everything, minutes of a quiet machine
make scale PART=fleets SIZES=1000,10000 # one part, quicker; the parts are process, live, fleets
make scale-page                         # the page alone, from the figures that there are
```

Rows are made by the worker's own fold and put into the changelogs (`benchmarks/scale/seed.py`), as a worker would
take its time over so many events; everything after that is a real worker on a real Kafka of one node, on the same
machine. Bytes are the same wherever it runs, seconds are not. Nothing is timed in the tests: they hold this page
against its figures.
"""
