"""The Helm chart as helm renders it, where helm can be had (`.ci/helm`)."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from streams.cli.app import app

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "hyperpod-state"
SETS = {path.name.removesuffix("-values.yaml"): path for path in sorted((CHART / "ci").glob("*-values.yaml"))}
RELEASE, NAMESPACE = "hyperpod-state", "fleet"
Item = dict[str, Any]


@cache
def _found() -> tuple[str | None, str]:
    done = subprocess.run([ROOT / ".ci" / "helm"], capture_output=True, text=True, timeout=60, check=False)
    return (done.stdout.strip(), "") if done.returncode == 0 else (None, done.stderr.strip())


def helm(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """The test is skipped where there is no helm."""
    program, why = _found()
    if program is None:
        pytest.skip(why)
    away = {**os.environ, "KUBECONFIG": os.devnull, "HELM_CACHE_HOME": str(ROOT / ".run" / "helm" / "cache")}
    return subprocess.run(
        [program, *map(str, words)], env=away, capture_output=True, text=True, timeout=120, check=False
    )


@dataclass(frozen=True)
class Rendered:
    """The manifests of one set of values."""

    items: tuple[Item, ...]

    def of(self, kind: str) -> list[Item]:
        return [item for item in self.items if item["kind"] == kind]

    def one(self, kind: str, name: str = RELEASE) -> Item:
        (found,) = [item for item in self.of(kind) if item["metadata"]["name"] == name]
        return found

    def templates(self) -> Iterator[Item]:
        """Of pods, with their labels."""
        for item in self.items:
            if item["kind"] == "Pod":
                yield item
            elif "template" in item.get("spec", {}):
                yield item["spec"]["template"]

    def worker(self) -> Item:
        found: Item = self.one("StatefulSet")["spec"]["template"]
        return found


@cache
def rendered(name: str, *more: str) -> Rendered:
    """A set of values of the chart's folder ci/, and further ones as `--set` takes them."""
    done = helm("template", RELEASE, CHART, "--namespace", NAMESPACE, "--values", SETS[name], *sets(*more))
    assert done.returncode == 0, done.stderr
    return Rendered(tuple(item for item in yaml.safe_load_all(done.stdout) if item))


def sets(*more: str) -> list[str]:
    return [word for each in more for word in ("--set", each)]


def container(template: Item) -> Item:
    (found,) = template["spec"]["containers"]
    return dict(found)


def variables(template: Item, pod: str = f"{RELEASE}-0") -> dict[str, str]:
    """As the kubelet makes them: those that name others are filled in."""
    known: dict[str, str] = {}
    for each in container(template)["env"]:
        if "valueFrom" in each:
            assert each["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}
            known[each["name"]] = pod
        else:
            known[each["name"]] = re.sub(r"\$\((\w+)\)", lambda found: known[found[1]], each["value"])
    return known


def parses(words: list[str]) -> None:
    """As the command line does, with all options and arguments; raises where it would not."""
    command: Any = get_command(app)
    context = command.make_context("hyperpod-state", list(words))
    while hasattr(command, "resolve_command"):
        _, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        context = command.make_context(command.name, rest, parent=context)


def selects(labels: Mapping[str, str], template: Item) -> bool:
    own = template["metadata"]["labels"]
    return all(own.get(key) == value for key, value in labels.items())
