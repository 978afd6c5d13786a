"""The sentences of docs/performance.md.

Knows: what is said of each part and each contender, whatever the figures are.
Must not know: figures.
"""

from __future__ import annotations

HEAD = """\
# Performance

Written by `make bench`; every figure is in [`benchmarks/results.json`](../benchmarks/results.json), with the raw runs.

How fast this project is beside others that could do its work, on one machine that all of them share with the Kafka
that feeds them. Contenders take turns within a run; a figure is the median of the rounds, a ratio is one of two
medians of the same run, its spread the lowest and the highest ratio of one round. Only ratios mean anything
elsewhere.
"""
TAIL = """\
## How it is measured

- **Events.** EventBridge envelopes of 1.17 kB, made by `benchmarks/workload.py`: the same bytes for the same shape.
  They are in Kafka before a contender starts. Every fiftieth is a failure.
- **The small step** is no reconstruction: parse, classify by masking the event's own names and one look-up, one
  transition, a row of about 470 bytes in a table with a changelog, an anomaly's record for every failure. Python's
  and Java's are the same, line by line (`benchmarks/small_step.py`, `Step.java`). It compares transports, tables and
  checkpoints.
- **The real fold** is `models/`: the worker as `hyperpod-state worker` starts it, against the same workspaces called
  from Quix Streams and from bare clients. Those do less: they neither judge nor publish anomalies, count,
  dead-letter, pass through a second topic nor recognise what comes twice. Nothing of the worker's is switched off but
  the store for `sql`.
- **Time** begins once a quarter of the events of the small step went by (compilers, connections and caches are warm
  then) and ends when the last one's effects are written and its offset is committed. In the real fold all events
  count.
- **Checkpoints** are one second apart everywhere; Quix as its documentation has it waits five.
- **Guarantees differ.** The worker writes rows, records and offsets in one transaction. Kafka Streams and Quix
  Streams run at least once, as does the bare client, which has neither restore nor rebalance.
- **Kafka Streams** runs on `java` from the path with a gigabyte of heap and 256 MB of cache in front of RocksDB; each
  of its tasks commits its last record at once.
- **Quix Streams** runs as it comes, and tuned: larger fetches and batches, rows as bytes, in memory and on RocksDB.
- **Recovery** is from the start of a contender's client until it has folded one new event of each partition; starting
  Python or Java is not in it. This worker was ended as by a kill, Kafka Streams and Quix in order.
- **Latency** of single events, each a failure, is from producing one until a reader of committed records has a
  transition and an anomaly of it, and until `/api/v1/instances/…` has it; the next one comes when all three are there,
  after a pause. Under load it is until the first transition, at shares of the rate that the worker had in the part
  *real*. Whoever produces, listens and asks shares the machine with the worker.
- **Memory** is that of one worker, 40 s after each of five fleets that join one another, all of one size, each instance
  with 12 events. The first one has in it what any load leaves behind, which the next one uses again: so a further
  instance is what the other four took, by their number. Anomalies are held back for 5 s there, not for a minute:
  after that their clusters are opened once more, and the next fleet would be measured with them.
- **Replay's memory** is that of all its processes together, as `/proc` tells it five times a second; what they share is
  counted for each.
- **Time is bounded.** A round that would not end within a part's share of `MINUTES` is left out, and the page says so;
  the first one is always made, but for fleets that would take longer than what is left. A part that breaks keeps the
  runs that it had, and so does one that is ended from outside; the others are measured all the same.

## Repeating it

```sh
make bench                                    # everything, in 40 minutes or MINUTES=…
make bench BENCH=small RUNS=5 EVENTS=200000   # one part, or several
make bench BENCH="real latency"               # loads are shares of the rate that real finds
make bench BENCH=recovery ROWS=1000000        # a million rows
make bench BENCH=growth FLEETS=1000,200000,1000000 MINUTES=20   # a million instances: some 7 GB of memory
make bench BENCH=replay FILE_EVENTS=1000000 MINUTES=600   # files of one and of ten million events: 13 GB in TMPDIR
make bench-check                              # counts of instructions against the stored ones; seconds
```

The peers live in an environment of their own (`.bench/venv`, from `benchmarks/requirements.txt`). Kafka Streams is
built with Maven where `mvn` and `java` are on the path; else it is left out and the results say so. A part that is
measured again takes the place of its old figures. Nothing is timed in the test suite.
"""
PARTS = {
    "small": (
        "The small step",
        "What a stateful step costs at the least, so that transports can be compared: 20,000 instances of 100"
        " clusters. Faust's own transport hands on event by event, this project's what one fetch brought.",
    ),
    "real": (
        "The real fold",
        "The reconstruction itself, by the worker and by the same code called from elsewhere: ten clusters, a dozen"
        " events for each instance.",
    ),
    "process": (
        "In one process",
        "The fold alone, without Kafka: what an event costs beside the parse that nobody can do without, and what"
        " disorder adds. *Written* makes rows and transitions ready every 5,000 events, as for a checkpoint. Below,"
        " whole processes over a file: `replay`, and a loop that only parses.",
    ),
    "growth": (
        "Larger fleets",
        "One more event of each of many instances, rows made ready every 5,000 events, by the size of the fleet.",
    ),
    "latency": (
        "Latency",
        "How long an event takes to show: alone, and at shares of the rate that the worker can take.",
    ),
    "memory": (
        "Memory and disk",
        "What an instance with twelve events costs a worker: each of four fleets that join a first one of the same"
        " size, and each of that one, with what its load left behind.",
    ),
    "recovery": (
        "Recovery",
        "Rows of the small step, read back cold (no local store) and warm (the local store is there).",
    ),
    "replay": (
        "Replay of files",
        "`hyperpod-state replay` of two files of one fleet, one ten times as long as the other: its memory should not"
        " grow with it.",
    ),
}
LABELS = {
    "worker": "this worker",
    "small/worker_rocksdb": "this worker, rows from RocksDB",
    "small/worker_one_by_one": "this worker, Faust's transport",
    "small/bare": "bare clients (the limit)",
    "small/faust": "Faust as documented",
    "small/quix_tuned": "Quix Streams, tuned, memory",
    "small/quix_rocksdb": "Quix Streams, tuned, RocksDB",
    "quix": "Quix Streams",
    "real/quix_tuned": "Quix Streams, tuned",
    "real/bare": "bare client (the limit)",
    "real/bare_judging": "bare client that also judges",
    "kafka_streams": "Kafka Streams, 1 thread",
    "kafka_streams_2": "Kafka Streams, 2 threads",
    "process/parse": "orjson parse alone",
    "process/unwrap": "unwrap",
    "process/read": "unwrap and read",
    "process/fold": "unwrap, read, fold",
    "process/disorder_0": "written, in order",
    "process/disorder_1": "written, 1 % disorder",
    "process/disorder_30": "written, 30 % disorder",
    "process/file_parse": "a loop that only parses",
    "process/file_replay": "hyperpod-state replay",
    "growth/1k": "1,000 instances",
    "growth/200k": "200,000 instances",
    "growth/1m": "1,000,000 instances",
    "single_transition": "single event, transition",
    "single_anomaly": "single event, anomaly",
    "single_api": "single event, API",
    "load_10": "10 % load, transition",
    "load_50": "50 % load, transition",
    "load_90": "90 % load, transition",
    "replay_once": "some events",
    "replay_ten_times": "ten times as many",
    "memory_once": "some events",
    "memory_ten_times": "ten times as many",
    "resident": "resident, each further instance",
    "resident_first": "resident, each of the first ones, with what their load left behind",
    "disk": "on disk, each further instance",
    "worker_cold": "this worker, cold",
    "worker_warm": "this worker, warm",
    "quix_cold": "Quix Streams, cold",
    "quix_warm": "Quix Streams, warm",
    "kafka_streams_cold": "Kafka Streams, cold",
    "kafka_streams_warm": "Kafka Streams, warm",
}
