"""Checks of clocks: this machine's beside those of the brokers, of the worker, and of whoever wrote the records.

Knows: which times Kafka and HTTP tell, how far apart is too far.
Must not know: terminals.

Kafka tells nobody the time.  But brokers date what they write themselves, and they write down offsets whenever a worker
commits, which is every few seconds: the newest of these is the brokers' clock, and never less than a moment old.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime

from kafka import KafkaAdminClient, TopicPartition
from kafka.errors import KafkaError
from kafka.protocol.consumer.offsets import OffsetSpec

from streams.doctor.check import Check, ok, span, warn

SKEW_MS = 5_000
COMMITS_MS = 120_000
"""A group with a worker in it has committed within that time."""
OFFSETS = "__consumer_offsets"
HERE = "timedatectl"


def record_clocks(newest: Mapping[str, int | None]) -> Check:
    """Whether records, by topic the newest one's time, come from this machine's future."""
    ahead = {name: each - now_ms() for name, each in newest.items() if each is not None}
    worst = max(ahead, key=lambda name: ahead[name], default=None)
    if worst is not None and ahead[worst] > SKEW_MS:
        words = f"the newest record of {worst} is {span(ahead[worst])} ahead of this machine's clock"
        return warn("clock", words, f"{HERE}  # here, and where the records are written")
    return ok("clock", "no record is from this machine's future")


def broker_clock(admin: KafkaAdminClient, working: bool) -> Check:
    """Whether the brokers' clocks agree with this one; `working`: a worker commits now."""
    name = "clock of the brokers"
    try:
        count = len(admin.describe_topics([OFFSETS])[0]["partitions"])
        asked = {TopicPartition(OFFSETS, number): OffsetSpec.MAX_TIMESTAMP for number in range(count)}
        times = [each.timestamp for each in admin.list_partition_offsets(asked).values()] if asked else []
    except (KafkaError, LookupError) as error:
        return ok(name, f"cannot be told from {OFFSETS}: {type(error).__name__}")
    newest = max((each for each in times if each >= 0), default=None)
    if newest is None:
        return ok(name, "cannot be told: nobody has committed an offset yet, or they are not shown to us")
    ahead = newest - now_ms()
    then = f"{HERE}  # here and on the brokers"
    if ahead > SKEW_MS:
        return warn(name, f"it is {span(ahead)} ahead of this machine's", then)
    if working and -ahead > COMMITS_MS:
        return warn(name, f"it is {span(-ahead)} behind this machine's, or no worker has committed for so long", then)
    return ok(name, f"an offset was committed {span(max(0, -ahead))} ago by it")


def worker_clock(date: datetime | None, asked_ms: float) -> Check:
    """Whether the worker's clock agrees with this one; `asked_ms` is when it told its own, in whole seconds."""
    name = "clock of the worker"
    if date is None:
        return ok(name, "the worker does not tell it")
    skew = date.timestamp() * 1000 + 500 - asked_ms
    if abs(skew) > SKEW_MS:
        way = "ahead of" if skew > 0 else "behind"
        return warn(
            name, f"it is {span(abs(skew))} {way} this machine's", f"{HERE}  # here and on the worker's machine"
        )
    return ok(name, "within a few seconds of this machine's")


def now_ms() -> int:
    """This machine's clock."""
    return round(time.time() * 1000)
