"""Figures of reliability: failures, repairs, time in states, lost node-hours, capacity, repeat offenders.

Knows: public items at one cut.  Must not know: rows, folding, Kafka, HTTP, the clock.
"""

from __future__ import annotations

from models.report.definitions import DEFINITIONS, Definition
from models.report.figures import KEEP_MS, Counted, counted, report, summed
from models.report.records import Figures, Offender, Report, StateFigures

__all__ = [
    "DEFINITIONS",
    "KEEP_MS",
    "Counted",
    "Definition",
    "Figures",
    "Offender",
    "Report",
    "StateFigures",
    "counted",
    "report",
    "summed",
]
