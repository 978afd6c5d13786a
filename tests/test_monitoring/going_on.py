"""A scrape as a test of promtool: what the rules say if everything stays as it is."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.test_monitoring.prometheus import RULES

MINUTES = 90
LOOKS = ("1m", "6m", "20m", "45m", "89m")
MOVING = ("as_of_timestamp_seconds", "figures_timestamp_seconds", "read_timestamp_seconds")
"""What goes on with the clock."""
PLACE = {"job": "hyperpod-state", "instance": "demo"}


def quiet(scrape: str, now: float) -> dict[str, Any]:
    """`/metrics` of `now`: none of the rules may fire within an hour and a half."""
    names = [
        rule["alert"]
        for path in RULES
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
    ]
    expected = [{"alertname": name, "eval_time": look, "exp_alerts": []} for name in names for look in LOOKS]
    series = [{"series": f"up{_labels(PLACE)}", "values": f"1x{MINUTES}"}, *_series(scrape, now)]
    test = {"interval": "1m", "input_series": series, "alert_rule_test": expected}
    return {"rule_files": [str(path) for path in RULES], "evaluation_interval": "1m", "tests": [test]}


def _series(scrape: str, now: float) -> Iterator[dict[str, str]]:
    for family in text_string_to_metric_families(scrape):
        for sample in family.samples:
            if not math.isfinite(sample.value):
                continue
            clock = sample.name.endswith("_timestamp_seconds")
            start = sample.value - (now if clock else 0)  # a test of promtool begins in 1970
            step = 60 if sample.name.endswith(MOVING) else 0
            values = f"{start:.6f}+{step}x{MINUTES}"
            yield {"series": f"{sample.name}{_labels({**sample.labels, **PLACE})}", "values": values}


def _labels(labels: dict[str, str]) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels.items()) + "}"
