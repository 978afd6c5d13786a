"""The events that every contender is given: EventBridge envelopes of about 1.1 kB, the same for the same shape.

They have the fields that AWS documents for such an event, and no others.

Knows: clusters, instances, their lives, how many events are out of order.
Must not know: who reads them, Kafka, what is measured.
"""

from __future__ import annotations

import hashlib
import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

BEGIN_MS = 1_790_000_000_000
ANOMALY_EVERY = 50
GROUPS = 4
"""Instance groups of a cluster."""
BIRTH = (
    "EC2 instance {i} successfully provisioned in Cluster {c} and IG {g}",
    "Instance lifecycle script execution for {i} has Started",
    "Instance lifecycle script execution for {i} has Succeeded",
)
ROLLOUT = (
    "Instance {i} in IG {g} cordoned and pods evicted.",
    "Root volume replacement started for Instance {i} in IG {g}.",
    "Instance lifecycle script execution for {i} has Started",
    "Instance lifecycle script execution for {i} has Succeeded",
    "Instance {i} in IG {g} updated successfully.",
    "Instance {i} in IG {g} restored to schedulable state.",
)
ENIS = 8
"""Network interfaces that an event lists, beside the first one."""
FAILURE = "Instance lifecycle script execution for {i} has Failed"


@dataclass(frozen=True)
class Shape:
    """How much of it, and of what kind.  `disorder` is the share that comes after a later event of its instance."""

    events: int = 200_000
    clusters: int = 100
    instances: int = 200
    """Of each cluster."""
    partitions: int = 4
    disorder: float = 0.0
    seed: int = 1
    begin_ms: int = BEGIN_MS
    pace_ms: int = 10
    """From one event to the next."""
    first: int = 0
    """The number of the first event: what went before was produced earlier."""
    first_cluster: int = 0

    @property
    def fleet(self) -> int:
        """Instances of all clusters: each speaks once in so many events."""
        return self.clusters * self.instances


@dataclass(frozen=True, slots=True)
class Event:
    """One record to produce."""

    partition: int
    key: bytes
    value: bytes


def events(shape: Shape) -> Iterator[Event]:
    """In the order in which they arrive."""
    return (_event(shape, number) for number in _order(shape))


def values(shape: Shape, count: int | None = None) -> list[bytes]:
    """The values alone, all of them or the first `count`."""
    return [event.value for event in islice(events(shape), count)]


def _order(shape: Shape) -> Iterator[int]:
    """Numbers of events; one that is held back arrives one to three rounds of the whole fleet later."""
    chance = random.Random(shape.seed)
    waiting: list[tuple[int, int]] = []
    end = shape.first + shape.events
    for number in range(shape.first, end):
        if shape.disorder and chance.random() < shape.disorder:
            heapq.heappush(waiting, (number + chance.randint(shape.fleet + 1, 3 * shape.fleet), number))
        else:
            yield number
        while waiting and waiting[0][0] <= number:
            yield heapq.heappop(waiting)[1]
    while waiting:
        yield heapq.heappop(waiting)[1]


def _event(shape: Shape, number: int) -> Event:
    cluster, rest = number % shape.clusters + shape.first_cluster, number // shape.clusters
    instance, step = rest % shape.instances, rest // shape.instances
    arn = f"arn:aws:sagemaker:us-west-2:111122223333:cluster/bench{cluster:07d}"
    partition, moment = cluster % shape.partitions, shape.begin_ms + number * shape.pace_ms
    return Event(partition, arn.encode(), _value(arn, cluster, instance, step, number, moment).encode())


def text(step: int, number: int) -> str:
    """What event `number` says, the `step`-th of its instance; placeholders for the names."""
    if (number + step) % ANOMALY_EVERY == ANOMALY_EVERY - 1:  # another instance in each round
        return FAILURE
    return BIRTH[step] if step < len(BIRTH) else ROLLOUT[(step - len(BIRTH)) % len(ROLLOUT)]


def _value(arn: str, cluster: int, instance: int, step: int, number: int, moment: int) -> str:
    name, group = f"bench-{cluster}", f"group-{instance % GROUPS}"
    instance_id = f"i-{cluster:06x}{instance:011x}"
    happened = datetime.fromtimestamp(moment / 1000, UTC)
    event_id = hashlib.md5(b"%d/%d/%d" % (cluster, instance, step), usedforsecurity=False).hexdigest()
    said = text(step, number).format(i=instance_id, c=name, g=group)
    enis = ",".join(f'"eni-{cluster:06x}{instance:09x}{number:02x}"' for number in range(1, ENIS + 1))
    level = "Error" if said.endswith("Failed") else "Info"
    return (
        f'{{"version":"0","id":"{event_id[:8]}-{event_id[8:12]}-4000-8000-{event_id[12:24]}",'
        '"detail-type":"SageMaker HyperPod Cluster Event","source":"aws.sagemaker","account":"111122223333",'
        f'"time":"{happened:%Y-%m-%dT%H:%M:%S}Z","region":"us-west-2","resources":["{arn}"],'
        f'"detail":{{"EventDetails":{{"EventId":"{event_id}","ClusterArn":"{arn}","ClusterName":"{name}",'
        f'"InstanceGroupName":"{group}","InstanceId":"{instance_id}","ResourceType":"Instance",'
        f'"EventTime":{moment},"EventLevel":"{level}","Description":"{said}",'
        '"EventDetails":{"EventMetadata":{"Cluster":null,"InstanceGroup":null,"InstanceGroupScaling":null,'
        f'"Instance":{{"CustomerEni":"eni-{cluster:06x}{instance:09x}00","NodeLogicalId":"{group}-{instance:04d}",'
        f'"AdditionalEnis":{{"EfaEnis":[{enis}]}},"CapacityReservation":null,'
        '"FailureMessage":null,"LcsExecutionState":null},"DatabaseConfiguration":null'
        "}}}}}"
    )
