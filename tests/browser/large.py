"""Fleets as large as the dashboard is made for, by hand: no simulator is fast enough for a test.

Knows: public items.  Must not know: pages.
"""

from __future__ import annotations

import random
import time

from models import public
from models.rows import HISTORY
from tests.test_streams.serving import ARN, cluster, group, instance

DAY_MS = 86_400_000
ROUND = (
    *(("health", "Unknown", "Unhealthy"), ("reboot", "None", "Rebooting"), ("reboot", "Rebooting", "Rebooted")),
    *(("health", "Unhealthy", "Healthy"), ("patch", "None", "Prepared"), ("patch", "Prepared", "ReplacingRootVolume")),
    *(("lifecycle_script", "Succeeded", "Running"), ("lifecycle_script", "Running", "Succeeded")),
    ("patch", "ReplacingRootVolume", "Updated"),
)
"""What happens to an instance again and again."""


def arn(number: int) -> str:
    return ARN if number == 0 else f"{ARN}-{number}"


def fleet(instances: int, clusters: int = 1, days: float = 7, changes: int = HISTORY) -> public.Picture:
    """Instances of that many clusters, each group of 100, each instance with as many changes as a row keeps."""
    rolled, now = random.Random(7), int(time.time() * 1000)
    each = instances // clusters
    items = [
        _one(n, arn(n // each), f"group-{n % each // 100}", now - int(days * DAY_MS), now, changes, rolled)
        for n in range(each * clusters)
    ]
    names = sorted({(item.cluster_arn, item.instance_group or "") for item in items})
    return public.Picture(
        clusters=public.sort_clusters(cluster(arn(n), f"cluster-{n}") for n in range(clusters)),
        instance_groups=public.sort_groups(group(name, of, "InService") for of, name in names),
        instances=public.sort_instances(items),
    )


def _one(
    number: int, of: str, name: str, begun: int, ended: int, changes: int, rolled: random.Random
) -> public.InstanceItem:
    times = sorted(rolled.randrange(begun, ended) for _ in range(changes))
    history = [
        public.HistoryItem(
            time=public.iso(at), event_id=f"e-{number}-{n}", code="X", machine=machine, from_=origin, to=to
        )
        for n, (at, (machine, origin, to)) in enumerate(
            zip(times, (ROUND * (changes // len(ROUND) + 1))[:changes], strict=True)
        )
    ]
    phase = "Failed" if number % 97 == 0 else "InService"
    made = instance(f"i-{number:017x}", phase, arn=of)
    return made.model_copy(update={"instance_group": name, "history": tuple(history), "since": history[-1].time})
