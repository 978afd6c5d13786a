"""`python -m models.schemas > models/schemas/anomaly.v1.json`: prints the schema that is shipped."""

from __future__ import annotations

import json

from models.public_anomaly import anomaly_schema

print(json.dumps(anomaly_schema(), indent=2))
