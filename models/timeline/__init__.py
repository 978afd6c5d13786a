"""Many instances over time, in as many columns as a screen has.

Knows: public items at one cut.  Must not know: rows, folding, Kafka, HTTP, the clock, how it is drawn.
"""

from __future__ import annotations

from models.timeline.lanes import Known, Window, timeline
from models.timeline.records import Lane, Piece, Timeline

__all__ = ["Known", "Lane", "Piece", "Timeline", "Window", "timeline"]
