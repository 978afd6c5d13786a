"""Metrics over OTLP: what a receiver gets is what Prometheus is told; nothing is sent unless somebody asks for it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality
from prometheus_client.parser import text_string_to_metric_families

from streams.metrics.collector import Metrics
from streams.metrics.series import PREFIX
from streams.push import Pusher, pusher, wanted
from tests.test_streams.otlp import Receiver, attributes
from tests.test_streams.serving import Held

SECONDS = 30.0


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the service logs."""
    lines: list[str] = []
    log = SimpleNamespace(info=lambda text, **_: lines.append(text), warning=lambda text, **_: lines.append(text))
    monkeypatch.setattr("streams.push.log", log)
    return lines


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with Receiver().up() as up:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", up.url)
        monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "100")
        yield up


def pushed(metrics: Metrics, receiver: Receiver, times: int = 1) -> None:
    """A worker's service from start to stop, which has pushed so often."""

    async def run() -> None:
        service = pusher(metrics, "worker-1")
        assert isinstance(service, Pusher)
        async with service:
            async with asyncio.timeout(SECONDS):
                while len(receiver.got) < times:
                    await asyncio.sleep(0.01)

    asyncio.run(run())


def test_what_arrives_is_what_prometheus_is_told(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20secret")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=prod")
    held = Held()
    held.worked.checkpoints["events"].took(0.02)
    metrics = Metrics(held)
    pushed(metrics, receiver, 2)
    path, headers, request = receiver.got[0]
    assert (path, headers["authorization"]) == ("/v1/metrics", "Bearer secret")
    [resource] = request.resource_metrics
    told = attributes(resource.resource.attributes)
    assert (told["service.name"], told["service.instance.id"]) == ("hyperpod-state", "worker-1")
    assert told["deployment.environment.name"] == "prod"

    [scope] = resource.scope_metrics
    ours = [each for each in scope.metrics if each.name.startswith(PREFIX)]
    text = asyncio.run(metrics.scrape()).decode()
    families = [each for each in text_string_to_metric_families(text) if each.name.startswith(PREFIX) and each.samples]
    assert {each.name: each.description for each in ours} == {each.name: each.documentation for each in families}
    for metric, family in zip(ours, families, strict=True):
        kind = metric.WhichOneof("data")
        if family.type == "histogram":
            continue
        assert kind == {"counter": "sum", "gauge": "gauge"}[family.type]
        points = getattr(metric, kind).data_points
        assert [(attributes(each.attributes), each.as_double or each.as_int) for each in points] == [
            (each.labels, each.value) for each in family.samples
        ]
    read = next(each for each in ours if each.name == f"{PREFIX}_values_read").sum
    assert read.is_monotonic
    assert read.aggregation_temporality == AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE


def test_buckets_hold_what_lies_between_two_bounds(receiver: Receiver) -> None:
    held = Held()
    for seconds in (0.02, 0.02, 0.3, 120.0):
        held.worked.checkpoints["events"].took(seconds)
    pushed(Metrics(held), receiver)
    metrics = receiver.got[0][2].resource_metrics[0].scope_metrics[0].metrics
    [point] = next(each for each in metrics if each.name == f"{PREFIX}_checkpoint_seconds").histogram.data_points
    assert attributes(point.attributes) == {"topic": "events"}
    assert list(point.bucket_counts) == [0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1]
    assert (point.count, list(point.explicit_bounds)[:2]) == (4, [0.01, 0.025])
    assert point.sum == pytest.approx(120.34)


def test_the_service_goes_on_while_nobody_takes_it(receiver: Receiver, said: list[str]) -> None:
    receiver.status = 400
    pushed(Metrics(Held()), receiver, 2)
    assert said == ["metrics are pushed over OTLP", "metrics cannot be pushed over OTLP"]


@pytest.mark.parametrize(
    ("environ", "asked"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "x"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://c:4318/v1/metrics"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_SDK_DISABLED": "TRUE"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_METRICS_EXPORTER": "none"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_METRICS_EXPORTER": "console, otlp"}, True),
    ],
)
def test_it_is_off_unless_an_endpoint_is_set(environ: dict[str, str], asked: bool) -> None:
    assert wanted(environ) is asked
    if not asked:
        assert pusher(Metrics(Held()), "w", environ) is None


ASKED = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "over http/protobuf only"),
        ({"OTEL_METRIC_EXPORT_INTERVAL": "soon"}, "an OTEL_ variable is not to be understood"),
    ],
)
def test_what_cannot_be_done_is_said_and_stops_no_worker(said: list[str], more: dict[str, str], words: str) -> None:
    assert pusher(Metrics(Held()), "w", ASKED | more) is None
    assert words in said[0]


def test_without_the_extra_a_sentence_says_what_to_install(said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "streams.metrics.otlp", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.metric_exporter", None)
    assert pusher(Metrics(Held()), "w", ASKED) is None
    assert "pip install 'hyperpod-state[otel]'" in said[0]
