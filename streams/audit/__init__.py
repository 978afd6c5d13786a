"""Whether what the worker keeps and says is what the events say: read from Kafka by an outsider, record by record.

Three checks, partition by partition: `values` (every raw value went exactly one way), `rows` (the tables equal a replay
of the events), `anomalies` (the published records equal the judgement of those rows).

Knows: topics, the pure core of `models`.
Must not know: lanes, transactions, Faust: what it shares with the worker cannot find the worker's mistakes.
"""

from streams.audit.findings import Difference, Report, Tally
from streams.audit.log import AuditError
from streams.audit.partition import Window
from streams.audit.run import audit

__all__ = ["AuditError", "Difference", "Report", "Tally", "Window", "audit"]
