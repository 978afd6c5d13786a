"""Figures as pictures: bars with a line from the lowest to the highest run, as SVG.

Knows: SVG.
Must not know: what the figures mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, LEFT, RIGHT, TOP, ROW, BAR = 800, 240, 90, 46, 30, 18
SPAN = WIDTH - LEFT - RIGHT
OURS, THEIRS, INK, FAINT, PAPER = "#0b6e99", "#9aa5b1", "#1f2933", "#52606d", "#ffffff"
STYLE = f"text {{ font: 13px system-ui, sans-serif; fill: {INK} }} .faint {{ fill: {FAINT}; font-size: 12px }}"


@dataclass(frozen=True)
class Bar:
    """One contender: median, lowest and highest; `ours` gives it its colour."""

    label: str
    value: float
    low: float
    high: float
    ours: bool = False


def bars(title: str, unit: str, given: Sequence[Bar]) -> str:
    """A picture of horizontal bars in the order given; the same figures give the same bytes."""
    most = max((bar.high for bar in given), default=0.0) or 1.0
    height = TOP + ROW * len(given) + 14
    body = [_bar(bar, TOP + ROW * number, most) for number, bar in enumerate(given)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
            f' role="img" aria-label="{escape(title)}">',
            f"<style>{STYLE}</style>",
            f'<rect width="{WIDTH}" height="{height}" fill="{PAPER}"/>',
            f'<text x="12" y="24" font-weight="600">{escape(title)} <tspan class="faint">{escape(unit)}</tspan></text>',
            *body,
            "</svg>\n",
        ]
    )


def _bar(bar: Bar, y: int, most: float) -> str:
    end, low, high = (round(LEFT + SPAN * value / most, 1) for value in (bar.value, bar.low, bar.high))
    middle, colour = y + BAR / 2, OURS if bar.ours else THEIRS
    return (
        f'<text x="{LEFT - 10}" y="{y + 14}" text-anchor="end">{escape(bar.label)}</text>'
        f'<rect x="{LEFT}" y="{y}" width="{round(end - LEFT, 1)}" height="{BAR}" fill="{colour}"/>'
        f'<line x1="{low}" y1="{middle}" x2="{high}" y2="{middle}" stroke="{INK}" stroke-width="1.5"/>'
        f'<text x="{round(max(end, high) + 8, 1)}" y="{y + 14}">{number(bar.value)}</text>'
    )


def number(value: float) -> str:
    """For people: three or more digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}" if value >= 10 else f"{value:,.2f}"
