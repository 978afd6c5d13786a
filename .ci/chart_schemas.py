"""Whether rendered objects are what Kubernetes takes: `chart_schemas.py FILE…`, with what .deploy/venv has installed.

Knows: the oldest and the newest Kubernetes that the chart is looked at for.
Must not know: what an object is for.
"""

from __future__ import annotations

import sys
from pathlib import Path

import kubernetes_validate
import yaml

OLDEST, NEWEST = "1.27", kubernetes_validate.latest_version()
OPERATOR = "monitoring.coreos.com/"
"""Prometheus' operator: its schemas are not to be had here."""


def main(paths: list[str]) -> int:
    """0 where every object fits, strictly; else 1."""
    wrong = left = 0
    objects = [(path, item) for path in paths for item in yaml.safe_load_all(Path(path).read_text("utf-8")) if item]
    for path, item in objects:
        if item["apiVersion"].startswith(OPERATOR):
            left += 1
            continue
        for version in (OLDEST, NEWEST):
            try:
                kubernetes_validate.validate(item, version, strict=True)
            except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
                wrong += 1
                place = f"{Path(path).name}: {item['kind']} {item['metadata']['name']}"
                print(f"{place}, Kubernetes {version}: {error.message}", file=sys.stderr)
    print(f"{len(objects)} objects for Kubernetes {OLDEST} and {NEWEST}: {wrong} wrong, {left} of {OPERATOR} left out")
    return 1 if wrong or len(objects) == left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
