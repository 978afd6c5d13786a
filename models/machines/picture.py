"""A machine drawn as SVG: its states one below the other, steps ahead on the right, steps back on the left.

Knows: how to place and draw.  Must not know: which machines there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

Edge = tuple[str, str, str]
"""From, to, and the signals that lead there."""

_WIDTH, _HEIGHT, _STEP, _MARGIN = 160, 34, 66, 24
_REACH = 36
"""How much farther out an edge runs for each state that it passes by."""
_STYLE = (
    "text{font:14px sans-serif;text-anchor:middle;fill:#1d2733}"
    "rect{fill:#fff;stroke:#445}"
    ".final{stroke-width:3}"
    "path{fill:none;stroke:#7a8699;stroke-width:1.3}"
    ".bad{stroke:#c0392b}"
    ".dot{fill:#445}"
)


def svg(name: str, states: Sequence[str], start: str, edges: Sequence[Edge]) -> str:
    """The picture as text; every edge says on hovering what it is called."""
    order = [start, *(state for state in states if state != start)]
    drawn = [(order.index(origin), order.index(target), label) for origin, target, label in edges if origin != target]
    left = _reach([a - b for a, b, _ in drawn if a > b])
    right = _reach([b - a for a, b, _ in drawn if b > a + 1])
    width, height = left + _WIDTH + right, 2 * _MARGIN + (len(order) - 1) * _STEP + _HEIGHT + _MARGIN
    finals = {state for state in order if all(origin != state for origin, _, _ in edges)}
    body = [*_edges(drawn, order, left), *_boxes(order, finals, left)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' role="img" aria-label="{escape(name)}">\n<title>{escape(name)}</title>\n<style>{_STYLE}</style>\n'
        f"<defs>{_tip('tip', '#7a8699')}{_tip('tip-bad', '#c0392b')}</defs>\n"
        f'<rect width="{width}" height="{height}" rx="10" style="stroke:none;fill:#fbfcfe"/>\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )


def _reach(lengths: Sequence[int]) -> int:
    """Room beside the boxes: a cubic curve gets three quarters of the way to its control points."""
    return _MARGIN + (30 + _REACH * max(lengths)) * 3 // 4 if lengths else _MARGIN


def _tip(name: str, colour: str) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        f'<path d="M0,0 L8,4 L0,8 z" style="stroke:none;fill:{colour}"/></marker>'
    )


def _top(place: int) -> int:
    return 2 * _MARGIN + place * _STEP


def _boxes(order: Sequence[str], finals: set[str], x: int) -> Iterator[str]:
    yield f'<circle class="dot" cx="{x + _WIDTH // 2}" cy="{_MARGIN - 6}" r="5"/>'
    yield f'<path d="M{x + _WIDTH // 2},{_MARGIN} V{_top(0)}" marker-end="url(#tip)"/>'
    for place, state in enumerate(order):
        final = ' class="final"' if state in finals else ""
        yield (
            f'<g><rect{final} x="{x}" y="{_top(place)}" width="{_WIDTH}" height="{_HEIGHT}" rx="8"/>'
            f'<text x="{x + _WIDTH // 2}" y="{_top(place) + 22}">{escape(state)}</text></g>'
        )


def _edges(drawn: Sequence[tuple[int, int, str]], order: Sequence[str], x: int) -> Iterator[str]:
    """The long ones first, so that the short ones are on top."""
    for origin, target, label in sorted(drawn, key=lambda edge: -abs(edge[0] - edge[1])):
        bad = order[target] in ("Failed", "Unhealthy")
        kind = ' class="bad" marker-end="url(#tip-bad)"' if bad else ' marker-end="url(#tip)"'
        title = f"{order[origin]} to {order[target]}: {label}"
        yield f'<path d="{_curve(origin, target, x)}"{kind}><title>{escape(title)}</title></path>'


def _curve(origin: int, target: int, x: int) -> str:
    if target == origin + 1:
        return f"M{x + _WIDTH // 2},{_top(origin) + _HEIGHT} V{_top(target)}"
    ahead = target > origin
    side = x + _WIDTH if ahead else x
    out = (1 if ahead else -1) * (30 + _REACH * abs(target - origin))
    leaves, arrives = (_HEIGHT * 3 // 4, _HEIGHT // 4) if ahead else (_HEIGHT // 4, _HEIGHT * 3 // 4)
    begin, end = _top(origin) + leaves, _top(target) + arrives
    return f"M{side},{begin} C{side + out},{begin} {side + out},{end} {side},{end}"
