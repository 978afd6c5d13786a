"""Where a worker has the runbook of an anomaly, with the names that its commands then have.

Knows: the address, which names may stand in a command.
Must not know: what a runbook says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from streams.runbooks.guide import NAME

PATH = "/runbooks"


def address(anomaly: Mapping[str, Any]) -> str:
    """Path and query on any worker, as the dashboard links it (`dashboard/src/url.ts`)."""
    return f"{PATH}/{anomaly['kind']}?{query(anomaly)}"


def query(anomaly: Mapping[str, Any]) -> str:
    """Its names as parameters.  One that no command should have, as it is none of AWS's, is left out."""
    told = {
        "cluster": anomaly["cluster_name"],
        "cluster_id": anomaly["cluster_arn"].rpartition("/")[2],
        "group": anomaly["instance_group"],
        "instance": anomaly["instance_id"],
        "event": next(iter(anomaly["evidence"]), None),
        "anomaly": anomaly["anomaly_id"],
    }
    return urlencode({name: value for name, value in told.items() if value and re.fullmatch(NAME, value)})
