"""The incident of the shipped sample: a cluster is made, loses a node, gets another, is updated, and rolls back.

Knows: every step, and in which wrapping and order it is delivered.
Must not know: clocks, Kafka, what the worker makes of it (the tests know what it must make of it).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from streams.demo.records import CLUSTER_EVENT, NODE_HEALTH, STATE_CHANGE, Act, Clock, Delivery, Step, encode

NAME = "demo-eks"
ARN = "arn:aws:sagemaker:us-west-2:111122223333:cluster/de30ek5c1u57"
SYSTEM, WORKERS = "system", "workers"
TYPES = {SYSTEM: "ml.m5.2xlarge", WORKERS: "ml.p5.48xlarge"}
COUNTS = {SYSTEM: 2, WORKERS: 4}
FORMER, NEWER = "ami-0a1f00d5eed000001", "ami-0a1f00d5eed000002"
SAMPLE_BORN_MS = 1_791_190_800_000
"""2026-10-05T09:00:00Z: when the incident of the shipped sample begins."""


class Node(NamedTuple):
    """An instance and the slot it fills."""

    group: str
    instance: str
    slot: str


def _node(group: str, number: int, generation: int = 1) -> Node:
    letter = "5" if group == SYSTEM else "a"
    return Node(group, f"i-0{letter}{number}{generation:014d}", f"0de{letter}{number:04d}-0000-4000-8000-{number:012d}")


S1, S2 = _node(SYSTEM, 1), _node(SYSTEM, 2)
W1, W2, W3, W4 = (_node(WORKERS, number) for number in (1, 2, 3, 4))
W3B = _node(WORKERS, 3, generation=2)
"""The instance that replaces W3: the same slot, another EC2 id."""


def _event(at: float, text: str, kind: str, level: str, metadata: dict[str, Any] | None, **ids: str) -> Step:
    told = text.replace("{in}", f"in Cluster {NAME} and IG {ids.get('InstanceGroupName')}")
    record: dict[str, Any] = {
        "EventId": f"5701e000-0000-4000-8000-{round(at * 1000):012d}",
        "ClusterArn": ARN,
        "ClusterName": NAME,
        **ids,
        "ResourceType": kind,
        "EventLevel": level,
        "Description": told,
    }
    if metadata is not None:
        record["EventDetails"] = {"EventMetadata": metadata}
    return Step(at, CLUSTER_EVENT, {"EventDetails": record})


def cluster(at: float, text: str) -> Step:
    """An event of the whole cluster."""
    return _event(at, text, "Cluster", "Info", None)


def group(at: float, name: str, text: str, level: str = "Info", **scaling: int) -> Step:
    """An event of a group; `scaling` is its metadata."""
    metadata = {"InstanceGroupScaling": scaling} if scaling else None
    return _event(at, text, "InstanceGroup", level, metadata, InstanceGroupName=name)


def node(at: float, who: Node, text: str, level: str = "Info", *, named: bool = True) -> Step:
    """An event of an instance; not `named`: it has no EC2 id yet, only its slot."""
    ids = {"InstanceGroupName": who.group} | ({"InstanceId": who.instance} if named else {})
    metadata = {"Instance": {"NodeLogicalId": who.slot}}
    return _event(at, text.replace("{id}", who.instance), "Instance", level, metadata, **ids)


def status(at: float, word: str, groups: dict[str, tuple[str, int]], desired: str = FORMER) -> Step:
    """A state change with its picture of all groups: status word and current count by name."""
    shown = [
        {
            "InstanceGroupName": name,
            "InstanceType": TYPES[name],
            "Status": state,
            "CurrentCount": count,
            "TargetCount": COUNTS[name],
            "CurrentImageId": FORMER,
            "DesiredImageId": desired if name == WORKERS else FORMER,
        }
        for name, (state, count) in groups.items()
    ]
    eks = {"Eks": {"ClusterArn": "arn:aws:eks:us-west-2:111122223333:cluster/demo"}}
    detail = {"ClusterArn": ARN, "ClusterName": NAME, "ClusterStatus": word, "InstanceGroups": shown}
    return Step(at, STATE_CHANGE, {**detail, "Orchestrator": eks, "NodeRecovery": "Automatic", "FailureMessage": ""})


def health(at: float, who: Node, word: str, reason: str, repair: str) -> Step:
    """What the health agent reports of an instance."""
    summary = {"HealthStatus": word, "HealthStatusReason": reason, "RepairAction": repair, "Recommendation": ""}
    detail = {"ClusterName": NAME, "ClusterArn": ARN, "InstanceId": who.instance, "HealthSummary": summary}
    return Step(at, NODE_HEALTH, detail)


def _births(at: float, nodes: tuple[Node, ...]) -> Iterator[Delivery]:
    """Instances from their request to service; step by step for all of them, as a queue's batches bring them."""
    steps = (
        (0, "Instance creation started successfully {in}", False),
        (30, "Successfully created Customer ENI for instance {in}", False),
        (540, "EC2 Instance {id} successfully provisioned {in}", True),
        (600, "Instance lifecycle script execution for EC2 Instance {id} has Started", True),
        (850, "Instance lifecycle script execution for EC2 Instance {id} has Succeeded", True),
        (870, "Successfully updated Kubernetes config for instance {id} {in}", True),
        (900, "Instance creation {id} {in} completed successfully", True),
    )
    for number, (later, text, named) in enumerate(steps):
        batch = [node(at + later + place, who, text, named=named) for place, who in enumerate(nodes)]
        yield Delivery(batch, ("sqs", "array", "sqs", "rest")[number % 4])


def _creation() -> list[Delivery]:
    """Seconds 0 to 1,200; the ENIs of the workers are heard of only after the instances are there."""
    both = (SYSTEM, WORKERS)
    born = list(_births(60, (W1, W2, W3, W4)))
    late = born.pop(1)
    born.insert(3, late)
    network = "Instance Group network configuration successfully determined for IG {} in Cluster " + NAME
    started = [
        group(21 + n, g, f"InstanceGroup {g} creation started successfully in Cluster {NAME}", TargetCount=COUNTS[g])
        for n, g in enumerate(both)
    ]
    done = [
        group(1000 + n, g, f"Instance Group {g} creation in Cluster {NAME} completed successfully")
        for n, g in enumerate(both)
    ]
    return [
        Delivery([status(0, "Creating", dict.fromkeys(both, ("Creating", 0)))]),
        Delivery([cluster(1, f"Cluster {NAME} creation started successfully")]),
        Delivery([cluster(10, f"SLR Access Entry creation successful for Cluster {NAME}")], "sns"),
        Delivery(started, "sqs"),
        Delivery([group(30 + n, g, network.format(g)) for n, g in enumerate(both)], "array"),
        *_births(50, (S1, S2)),
        *born,
        Delivery(done, "sqs"),
        Delivery([cluster(1010, f"Cluster {NAME} creation completed successfully")]),
        Delivery([status(1020, "InService", {g: ("InService", COUNTS[g]) for g in both})]),
    ]


def _noise() -> list[Delivery]:
    """What a shared feed carries besides: somebody else's event, and one that was cut off on the way."""
    job = Step(1100, "SageMaker Training Job State Change", {"TrainingJobName": "nightly", "ClusterArn": None})
    cut = cluster(1110, f"AutoScaling Karpenter enabled successfully in Cluster {NAME}")
    return [Delivery([job]), Delivery([cut], "broken")]


def _fault() -> list[Delivery]:
    """The health agent tells it twice, in two kinds of event; the first is delivered twice."""
    fault = "HyperPod Health Monitoring Agent (HMA) has detected fault type NvidiaErrorTerminate"
    first = Delivery([health(2520, W3, "Unhealthy", f"{fault} on this node and is unhealthy.", "Replace")])
    text = f"Instance {{id}} is unhealthy. {fault} on this node and is unhealthy. Repair action: Replace."
    return [first, Delivery([node(2521, W3, text, "Warn")], "sqs"), first]


def _replacement() -> list[Delivery]:
    """The old instance goes and another EC2 id comes into its slot."""
    done = "Instance {id} creation completed successfully as part of instance replacement {in}"
    return [
        Delivery([node(2523, W3, "Instance deletion is starting as part of instance replacement {in}")]),
        Delivery([node(2550, W3, "Termination of EC2 Instance {id} is currently in progress {in}")], "sqs"),
        Delivery([node(2560, W3B, "Instance {id} is starting as part of instance replacement {in}")]),
        Delivery([node(2640, W3B, "Successfully created Customer ENI for instance {in}")], "array"),
        Delivery([node(3000, W3, "Customer ENI successfully deleted for EC2 Instance {id} {in}")], "rest"),
        Delivery([node(3120, W3B, "EC2 Instance {id} successfully provisioned {in}")]),
        Delivery([node(3180, W3B, "Instance lifecycle script execution for EC2 Instance {id} has Started")]),
        Delivery([node(3420, W3B, "Instance lifecycle script execution for EC2 Instance {id} has Succeeded")]),
        Delivery([node(3460, W3B, done)]),
        Delivery([health(3500, W3B, "Healthy", "", "None")]),
    ]


def _rollout() -> list[Delivery]:
    """A rolling update, two instances at a time, each batch watched for five minutes."""
    where = f"IG {WORKERS} in Cluster {NAME}"
    scheduled = f"InstanceGroup {WORKERS} in Cluster {NAME} has been scheduled for UpdateClusterSoftware to latest."
    baking = f"Baking period started for {where}. Monitoring alarms [demo-nccl-errors] for 300 seconds."
    baked = f"Baking period completed for {where}. No alarms triggered during the 300-second baking period."
    updating = {SYSTEM: ("InService", 2), WORKERS: ("SystemUpdating", 4)}
    return [
        Delivery([group(4200, WORKERS, scheduled)]),
        Delivery([group(4260, WORKERS, f"UpdateClusterSoftware initiated for {where} using Rolling strategy.")]),
        Delivery([status(4262, "SystemUpdating", updating, NEWER)]),
        Delivery([group(4270, WORKERS, f"Next update batch selected for {where}.")]),
        *_batch(4280, (W1, W2)),
        Delivery([group(5300, WORKERS, baking)]),
        Delivery([group(5600, WORKERS, baked)]),
        Delivery([group(5610, WORKERS, f"Next update batch selected for {where}.")]),
        *_batch(5620, (W3B, W4)),
        Delivery([group(6640, WORKERS, baking)]),
    ]


def _batch(at: float, nodes: tuple[Node, ...]) -> Iterator[Delivery]:
    texts = (
        (0, "Instance {id} in IG workers cordoned and pods evicted."),
        (120, "Root volume replacement started for Instance {id} in IG workers."),
        (480, "Instance lifecycle script execution for EC2 Instance {id} has Started"),
        (760, "Instance lifecycle script execution for EC2 Instance {id} has Succeeded"),
        (820, "Instance {id} in IG workers updated successfully."),
        (900, "Instance {id} in IG workers restored to schedulable state."),
    )
    for later, text in texts:
        yield Delivery([node(at + later + place, who, text) for place, who in enumerate(nodes)], "sqs")


def _rollback() -> list[Delivery]:
    """An alarm goes off in the second batch's watch, and all four go back to the former image."""
    where, nodes = f"IG {WORKERS} in Cluster {NAME}", (W1, W2, W3B, W4)
    alarm = (
        f"Baking period failed for {where}. Alarms [demo-nccl-errors] entered ALARM state. Initiating auto-rollback."
    )
    begun = f"UpdateClusterSoftware failed for {where}. Initiating rollback."
    at_rest = {name: ("InService", COUNTS[name]) for name in COUNTS}
    texts = (
        (6800, "Instance {id} in IG workers failed to update. Rollback initiated.", "Error"),
        (7220, "Instance lifecycle script execution for EC2 Instance {id} has Started", "Info"),
        (7480, "Instance lifecycle script execution for EC2 Instance {id} has Succeeded", "Info"),
        (7540, "Instance {id} in IG workers rolled back successfully to previous AMI.", "Info"),
    )
    return [
        Delivery([group(6760, WORKERS, alarm, "Error")]),
        Delivery([group(6765, WORKERS, begun, "Error")]),
        Delivery([status(6770, "RollingBack", {**at_rest, WORKERS: ("SystemUpdating", 4)}, NEWER)]),
        *(
            Delivery([node(at + place, nodes[place], text, level) for place in pair], form)
            for at, text, level in texts
            for pair, form in (((0, 1), "sqs"), ((2, 3), "array"))
        ),
        Delivery([status(7600, "InService", at_rest)]),
    ]


ACTS: tuple[Act, ...] = (
    Act(
        f"{NAME} has been created: {COUNTS[SYSTEM]} system instances, {COUNTS[WORKERS]} workers",
        [*_creation(), *_noise()],
    ),
    Act(f"{W3.instance} becomes unhealthy", _fault()),
    Act(f"{W3.instance} is replaced by {W3B.instance}", _replacement()),
    Act("workers gets a software update, two instances at a time", _rollout()),
    Act("an alarm goes off, and workers rolls back", _rollback()),
)


def sample() -> str:
    """The incident as the shipped file: one Kafka value a line, in the order of delivery."""
    clock = Clock(SAMPLE_BORN_MS)
    values = [encode(delivery, clock) for act in ACTS for delivery in act.deliveries]
    return "".join(f"{value.decode()}\n" for value in values)
