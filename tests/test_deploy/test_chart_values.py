"""What the chart may be told, and what it says of values that cannot work."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from tests.markdown import blocks, commands, pages
from tests.test_deploy.chart import CHART, RELEASE, ROOT, SETS, helm, sets

SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())
VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
FREE = {"settings", "global"}
"""Of which values.yaml has no list."""
ENOUGH = ("image.repository=r/i", "kafka.brokers=k:9092", "http.token.existingSecret=t")


def names(schema: dict[str, Any], path: str = "") -> Iterator[str]:
    for name, each in schema.get("properties", {}).items():
        if name not in FREE:
            yield f"{path}{name}"
            yield from names(each, f"{path}{name}.")


def told(values: dict[str, Any], known: set[str], path: str = "") -> Iterator[str]:
    for name, value in values.items():
        if f"{path}{name}" in known or path == "":
            yield f"{path}{name}"
            if isinstance(value, dict):
                yield from told(value, known, f"{path}{name}.")


def test_every_value_is_in_the_schema_and_has_its_default_and_comment() -> None:
    known = set(names(SCHEMA))
    assert set(told(VALUES, known)) - FREE == known
    text = (CHART / "values.yaml").read_text()
    assert all(f"{path.rpartition('.')[2]}:" in text for path in known)


@pytest.mark.parametrize("name", [None, *SETS])
def test_values_that_are_shipped_fit_the_schema(name: str | None) -> None:
    more = yaml.safe_load(SETS[name].read_text()) if name else {}
    jsonschema_rs.validator_for(SCHEMA).validate(merged(VALUES, more))


def merged(one: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    result = dict(one)
    for key, value in more.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both else value
    return result


@pytest.mark.parametrize(
    "wrong",
    [
        {"replica": 2},
        {"replicas": -1},
        {"replicas": "2"},
        {"kafka": {"broker": "k:1"}},
        {"kafka": {"sasl": {"mechanism": "SCRAM"}}},
        {"settings": {"cache": 1}},
        {"settings": {"cache_mb": "many"}},
        {"settings": {"brokers": "k:1"}},
        {"settings": {"kafka_password": "canary"}},
        {"http": {"token": {"value": "short"}}},
        {"storage": {"accessMode": "ReadWriteMany"}},
        {"storage": {"size": "10 GB"}},
        {"image": {"repository": "r/i@sha256:0"}},
        {"times": {"restore": 10}},
    ],
    ids=str,
)
def test_a_value_that_is_none_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validator_for(SCHEMA).validate(merged(VALUES, wrong))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ((), "image.repository: say where the image is"),
        (("image.repository=r/i",), "kafka.brokers: give the bootstrap servers"),
        (("image.repository=r/i", "kafka.brokers=k"), 'kafka.brokers: "k" has no port'),
        (ENOUGH[:2], "kubectl --namespace default create secret generic hyperpod-state-token"),
        ((*ENOUGH, "http.token.value=0123456789abcdef"), "not both"),
        ((*ENOUGH, "http.tls.clientCa.existingSecret=c"), "give http.tls.existingSecret as well"),
        ((*ENOUGH, "replicas=5"), "5 workers share 4 partitions"),
        ((*ENOUGH, "kafka.sasl.mechanism=PLAIN"), "set kafka.tls.enabled=true"),
        ((*ENOUGH, "kafka.tls.ca.existingSecret=c"), "set kafka.tls.enabled=true"),
        ((*ENOUGH, "kafka.tls.enabled=true", "kafka.sasl.mechanism=PLAIN"), "needs a username"),
        ((*ENOUGH, "kafka.sasl.username=u"), "of no use without a mechanism"),
        ((*ENOUGH, "alerts.enabled=true"), "alerts.config: give the TOML"),
        ((*ENOUGH, "replica=5"), "replica"),
        ((*ENOUGH, "settings.cache=5"), "cache"),
    ],
)
def test_what_cannot_work_is_refused_with_the_way_out(more: tuple[str, ...], said: str) -> None:
    done = helm("template", RELEASE, CHART, *sets(*more))
    assert done.returncode != 0
    assert said in done.stderr


def test_enough_is_enough() -> None:
    assert helm("template", RELEASE, CHART, *sets(*ENOUGH)).returncode == 0


@pytest.mark.parametrize("name", SETS)
def test_helm_finds_nothing_to_complain_of(name: str) -> None:
    done = helm("lint", "--strict", CHART, "--values", SETS[name])
    assert done.returncode == 0, done.stdout + done.stderr


def set_in_the_pages() -> Iterator[Any]:
    for path in pages():
        for block in blocks(path):
            if block.language == "sh":
                for words in commands(block):
                    if words[0] == "helm":
                        given = [after for word, after in pairwise(words) if word == "--set"]
                        yield from (pytest.param(each, id=f"{path.name}: {each}") for each in given)


@pytest.mark.parametrize("given", list(set_in_the_pages()))
def test_the_pages_set_values_that_there_are(given: str) -> None:
    name, _, value = given.partition("=")
    known = {*names(SCHEMA), *(f"settings.{each}" for each in SCHEMA["properties"]["settings"]["properties"])}
    assert name in known
    assert value


def test_values_in_the_pages_fit_the_schema() -> None:
    found = [block.text for name in ("kubernetes.md", "maintenance.md") for block in blocks(ROOT / "docs" / name)
             if block.language == "yaml"]  # fmt: skip
    assert len(found) > 5
    for text in found:
        jsonschema_rs.validator_for(SCHEMA).validate(merged(VALUES, yaml.safe_load(text)))


def test_a_second_fleet_tells_and_asks_nothing_until_it_takes_over(tmp_path: Path) -> None:
    """Else each cluster is counted twice by the rules, and each account asked twice."""
    (beside,) = [block.text for block in blocks(ROOT / "docs" / "maintenance.md") if "app_id:" in block.text]
    present = merged(
        yaml.safe_load(SETS["three-workers"].read_text()),
        {"reconcile": yaml.safe_load(SETS["msk-iam"].read_text())["reconcile"]},
    )
    (tmp_path / "present.yaml").write_text(yaml.safe_dump(present))
    (tmp_path / "eight.yaml").write_text(beside)
    files = [word for name in ("present", "eight") for word in ("--values", tmp_path / f"{name}.yaml")]
    done = helm("template", f"{RELEASE}-8", CHART, *files)
    assert done.returncode == 0, done.stderr
    assert {item["kind"] for item in yaml.safe_load_all(done.stdout) if item} & {
        "Deployment",
        "ServiceMonitor",
        "PrometheusRule",
    } == set()


def test_it_says_what_to_type_next() -> None:
    done = helm("install", RELEASE, CHART, "--dry-run=client", "--namespace", "fleet", "--values", SETS["msk-iam"])
    assert done.returncode == 0, done.stderr
    notes = done.stdout.partition("\nNOTES:\n")[2]
    assert f"rollout status statefulset/{RELEASE}\n" in notes
    assert f"exec {RELEASE}-0 -- hyperpod-state get clusters\n" in notes
    assert "get secret hyperpod-state-token --output 'go-template={{ index .data \"token\" | base64decode }}'" in notes
    assert "networkPolicy.from" in notes


def test_chart_and_program_have_one_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert chart["version"] == chart["appVersion"] == project["version"]
