"""The catalogue of event texts: what HyperPod's sentences mean.

Knows: every text of AWS's event reference and of the field, in which order they are judged, and how to recognise them.
Must not know: wire forms, machines, rows, Kafka.
"""

from __future__ import annotations

from models.catalogue.entries import BY_CODE, CATALOGUE, FIELD
from models.catalogue.field import EVENT_CODES, EventCode
from models.catalogue.matching import (
    BUT_CLUSTER,
    BUT_GROUP,
    BUT_INSTANCE,
    Names,
    Reading,
    Sentence,
    classify,
    recognise,
)
from models.catalogue.operations import OPERATIONS, normalise_operation
from models.catalogue.ranks import RANKS, rank_of
from models.catalogue.shapes import shape
from models.catalogue.template import Template

__all__ = [
    "BUT_CLUSTER",
    "BUT_GROUP",
    "BUT_INSTANCE",
    "BY_CODE",
    "CATALOGUE",
    "EVENT_CODES",
    "FIELD",
    "OPERATIONS",
    "RANKS",
    "EventCode",
    "Names",
    "Reading",
    "Sentence",
    "Template",
    "classify",
    "normalise_operation",
    "rank_of",
    "recognise",
    "shape",
]
