"""`/metrics`: what is told of a fleet and of the pipeline, that it adds up, and that asking is cheap."""

from __future__ import annotations

import asyncio
import gc
import time
import weakref
from collections import Counter
from collections.abc import Iterator
from urllib.request import urlopen

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from models import public
from streams.alerts import tally
from streams.metrics import fleet, pipeline
from streams.metrics.collector import SERIES, Metrics
from streams.metrics.series import PREFIX
from streams.metrics.workings import BOUNDS, Checkpoints, Workings
from streams.web.provider import Readiness
from tests.test_streams.serving import ARN, NOW_MS, OTHER, Held, anomaly, cluster, group, instance, minutes_ago, served

Samples = dict[tuple[str, ...], float]
LOST = (("forgotten", "Degraded"), ("never", "InService"))
"""Groups without members or instances: one is short of them, of the other nobody has said that it ever had any."""


@pytest.fixture(scope="module")
def worker() -> Iterator[str]:
    with served(Held()) as address:
        yield address


def families(address: str) -> list[Metric]:
    with urlopen(f"{address}/metrics", timeout=10) as answer:
        return list(text_string_to_metric_families(answer.read().decode()))


def of(found: list[Metric], name: str, *labels: str) -> dict[tuple[str, ...], float]:
    """The samples of one metric by the values of these labels, summed over all others."""
    sums: Counter[tuple[str, ...]] = Counter()
    for family in found:
        for sample in family.samples:
            if sample.name == f"{PREFIX}_{name}":
                sums[tuple(sample.labels[label] for label in labels)] += sample.value
    return dict(sums)


def made(shown: public.Picture) -> list[Metric]:
    return list(fleet.fleet(shown))


def test_what_was_read_is_what_became_of_it(worker: str) -> None:
    found = families(worker)
    assert of(found, "values_read_total") == of(found, "values_total") == {(): 10}
    assert of(found, "values_total", "outcome") == {
        ("applied",): 6, ("duplicate",): 2, ("ignored",): 1, ("dead_lettered",): 1
    }  # fmt: skip
    assert of(found, "dead_letters_total", "topic", "reason") == {("raw", "not_json"): 1}


def test_the_fleet_is_counted_by_phase_and_group(worker: str) -> None:
    found = families(worker)
    assert of(found, "instances", "phase") == {("InService",): 6, ("Failed",): 1, ("Provisioning",): 1}
    assert of(found, "instances_health", "cluster", "health") == {("ml-prod", "Healthy"): 6, ("ml-dev", "Healthy"): 1}
    assert of(found, "clusters", "cluster", "phase") == {("ml-prod", "InService"): 1, ("ml-dev", "Updating"): 1}
    assert of(found, "group_target_instances", "cluster", "group")["ml-prod", "p5-train"] == 4
    assert of(found, "group_in_service_instances", "cluster", "group")["ml-prod", "p5-train"] == 2
    assert of(found, "groups", "cluster", "group", "phase")["ml-prod", "cpu", "InService"] == 1


def test_open_anomalies_say_whether_they_are_planned_or_silenced() -> None:
    loud, planned = anomaly("a1", "critical"), anomaly("a2").model_copy(update={"planned": True, "cause": None})
    hushed, over = anomaly("a3").model_copy(update={"silenced_by": "s1"}), anomaly("a4", status="resolved")
    found = made(public.Picture(clusters=(cluster(),), anomalies=(loud, planned, hushed, over)))
    assert of(found, "open_anomalies", "severity", "cause", "planned", "silenced") == {
        ("critical", "lifecycle_script", "false", "false"): 1,
        ("error", "", "true", "false"): 1,
        ("error", "lifecycle_script", "false", "true"): 1,
    }


def test_the_oldest_in_a_phase_is_told_and_terminated_ones_are_not() -> None:
    def since(instance_id: str, phase: str, minutes: float) -> public.InstanceItem:
        return instance(instance_id, phase).model_copy(update={"since": minutes_ago(minutes)})

    items = [since("i-1", "Replacing", 5), since("i-2", "Replacing", 50), since("i-3", "Terminated", 900)]
    found = made(public.Picture(clusters=(cluster(),), instances=tuple(items)))
    assert of(found, "phase_oldest_timestamp_seconds", "phase") == {("Replacing",): NOW_MS / 1000 - 3000}
    assert of(found, "instances", "phase")["Terminated",] == 1
    assert sum(of(found, "instances_health").values()) == 2


def test_the_newest_event_is_of_everything_in_the_cluster() -> None:
    late = instance("i-1").model_copy(update={"last_event_time": minutes_ago(1)})
    found = made(public.Picture(clusters=(cluster(), cluster(OTHER, "ml-dev")), instances=(late,)))
    assert of(found, "newest_event_timestamp_seconds", "cluster_arn") == {
        (ARN,): NOW_MS / 1000 - 60, (OTHER,): NOW_MS / 1000 - 300
    }  # fmt: skip


def test_a_group_of_which_nothing_is_known_has_no_samples() -> None:
    unknown = group(phase="Unknown").model_copy(update={"target_count": None, "members": {}})
    gone = group("old", phase="Deleted")
    found = made(public.Picture(clusters=(cluster(),), instance_groups=(unknown, gone)))
    assert of(found, "group_target_instances") == of(found, "group_in_service_instances") == {}
    assert of(found, "group_current_instances", "group") == {("p5-train",): 3}


def test_a_group_that_has_lost_every_instance_has_none_in_service() -> None:
    empty = {"members": {}}
    lost = group("lost", phase="InService").model_copy(update=empty)
    forgotten, never = (group(name, phase=phase).model_copy(update=empty) for name, phase in LOST)
    over = instance("i-1", "Terminated").model_copy(update={"instance_group": "lost"})
    elsewhere = instance("i-2", arn=OTHER).model_copy(update={"instance_group": "never"})
    shown = public.Picture(
        clusters=(cluster(), cluster(OTHER, "ml-dev")),
        instance_groups=(lost, forgotten, never),
        instances=(over, elsewhere),
    )
    assert of(made(shown), "group_in_service_instances", "group") == {("lost",): 0, ("forgotten",): 0}


def test_progress_feeds_and_work_are_told_of_a_worker_that_is_not_ready() -> None:
    held = Held(state=Readiness(ready=False, message="tables are restored to 43 %"))
    held.worked = Workings(
        partitions={"raw": 4, "events": 4},
        watermarks={2: NOW_MS},
        heartbeats={("123456789012", "us-west-2"): NOW_MS},
        restored=0.43,
    )
    with served(held) as address:
        found = families(address)
    assert of(found, "ready") == {(): 0}
    assert of(found, "restored_ratio") == {(): 0.43}
    assert of(found, "partitions", "topic") == {("raw",): 4, ("events",): 4}
    assert of(found, "lag_records", "topic", "partition") == {("events", "0"): 3}
    assert of(found, "as_of_timestamp_seconds", "partition") == {("0",): NOW_MS / 1000}
    assert of(found, "watermark_timestamp_seconds", "partition") == {("2",): NOW_MS / 1000}
    assert of(found, "feed_heartbeat_timestamp_seconds", "account", "region") == {
        ("123456789012", "us-west-2"): NOW_MS / 1000
    }
    assert not of(found, "instances")


def test_checkpoints_are_a_histogram() -> None:
    checkpoints = Checkpoints()
    for seconds in (0.01, 0.02, 0.3, 120.0):
        checkpoints.took(seconds)
    checkpoints.lost += 1
    found = list(pipeline.work(Workings(checkpoints={"events": checkpoints})))
    buckets = of(found, "checkpoint_seconds_bucket", "le")
    assert [buckets[bound,] for bound in ("0.01", "0.025", "0.5", "60.0", "+Inf")] == [1, 2, 3, 3, 4]
    assert (of(found, "checkpoint_seconds_count"), len(buckets)) == ({(): 4}, len(BOUNDS) + 1)
    assert of(found, "checkpoint_seconds_sum")[()] == pytest.approx(120.33)
    assert of(found, "transactions_lost_total", "topic") == {("events",): 1}


def test_the_fleet_is_counted_once_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[public.Picture] = []

    def counting(shown: public.Picture) -> Iterator[Metric]:
        counted.append(shown)
        return iter(())

    held = Held()
    held.shown = public.Picture(clusters=(cluster(),))
    monkeypatch.setattr("streams.metrics.collector.fleet.fleet", counting)
    monkeypatch.setattr(held, "picture", lambda: held.shown)
    metrics = Metrics(held)

    async def scraped() -> None:
        await metrics.scrape()
        held.as_of = minutes_ago(-1)
        await metrics.scrape()
        held.shown = public.Picture()
        await metrics.scrape()

    asyncio.run(scraped())
    assert len(counted) == 2


def test_a_picture_that_the_worker_has_let_go_is_kept_by_nobody_whose_answer_was_made_of_it() -> None:
    held = Held()
    shown = weakref.ref(held.shown)
    with served(held) as address:
        for path in ("/metrics", "/api/v1/fleet", "/api/v1/summary", "/api/v1/states"):
            with urlopen(f"{address}{path}", timeout=10) as answer:
                assert answer.read()
        held.shown = public.Picture()
        deadline = time.monotonic() + 10
        while shown() is not None and time.monotonic() < deadline:  # the server may be busy with its last answer
            gc.collect()
            time.sleep(0.01)
        assert shown() is None


def test_every_metric_is_documented_and_exposed_as_the_table_says(worker: str) -> None:
    found = {family.name: family for family in families(worker) if family.name.startswith(PREFIX)}
    assert set(found) == {f"{PREFIX}_{name}" for name in SERIES}
    for name, series in SERIES.items():
        family = found[f"{PREFIX}_{name}"]
        assert (family.type, family.documentation) == (series.kind, series.text)
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        assert labels <= set(series.labels)


@pytest.mark.parametrize("series", [*SERIES.values(), *tally.SERIES.values()], ids=lambda each: each.name)
def test_names_are_as_prometheus_wants_them(series: fleet.Series) -> None:
    assert series.text.endswith(".")
    assert not series.name.endswith("_total")  # counters get it when they are exposed
    assert "instance_id" not in series.labels
    assert not series.name.endswith(("_ms", "_minutes", "_hours"))
    assert ("age" in series.name.split("_")) is False  # a moment is told, not how long ago it was


def test_alerts_tell_what_the_table_says() -> None:
    told = tally.Tally(["pager"])
    told.sent.labels("pager", "open").inc()
    exposed = {family.name: family.type for family in told.registry.collect() if family.name.startswith(PREFIX)}
    assert exposed == {f"{PREFIX}_{name}": series.kind for name, series in tally.SERIES.items()}
    assert [line["sent"] for line in told.lines()] == [1]
