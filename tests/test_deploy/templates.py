"""CloudFormation's YAML as data: `!GetAtt A.Arn` is {"Fn::GetAtt": "A.Arn"}; parameters have their defaults."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[2] / "deploy" / "cloudformation"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


class _Loader(yaml.SafeLoader):
    """Knows CloudFormation's tags."""


def _function(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _function)


@dataclass(frozen=True)
class Template:
    """One of deploy/cloudformation."""

    data: dict[str, Any]

    @classmethod
    def load(cls, name: str) -> Template:
        return cls(yaml.load((FOLDER / f"{name}.yaml").read_text(), _Loader))

    def properties(self, resource: str) -> dict[str, Any]:
        found: dict[str, Any] = self.data["Resources"][resource]["Properties"]
        return found

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Properties by the resource's name."""
        resources = self.data["Resources"].items()
        return {name: each["Properties"] for name, each in resources if each["Type"] == kind}

    def value(self, word: Any) -> Any:
        """A property's value where it is a parameter's default."""
        return self.data["Parameters"][word["Ref"]]["Default"] if isinstance(word, dict) else word
