"""docs/performance.md and its pictures, out of the results and nothing else.

Knows: what each part and each contender is called, what a reader must know to believe a figure.
Must not know: how anything is measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

from benchmarks.measure import Run, middle, values_of
from benchmarks.plots import Bar, bars, number
from benchmarks.results import Part, Results
from benchmarks.targets import Verdict
from benchmarks.words import HEAD, LABELS, PARTS, TAIL

DOCS = Path(__file__).resolve().parent.parent / "docs"
FINDINGS = Path(__file__).parent / "findings.md"
"""What profiles say of targets that are missed; written by hand, of one run."""
PICTURES = "performance"
COLUMNS: dict[str, tuple[str, ...]] = {
    "events/processor second": ("cpu_us", "peak_mb"),
    "events/s": ("cpu_us",),
    "ms (p99)": ("p50", "p99_9", "max", "rate", "heard"),
    "MB": ("events",),
    "rows/s": ("last_seconds",),
}


def write(found: Results, docs: Path = DOCS) -> None:
    """The page, and a picture for each part that has been measured."""
    folder = docs / PICTURES
    folder.mkdir(exist_ok=True)
    for name, part in found.parts.items():
        for unit in _units(part.runs):
            (folder / _file(name, unit, part.runs)).write_text(_picture(name, unit, part.runs))
    (docs / "performance.md").write_text(text(found))


def text(found: Results) -> str:
    """The page."""
    parts = [_part(name, found.parts[name]) for name in PARTS if name in found.parts]
    missing = [name for name in PARTS if name not in found.parts]
    gaps = [f"Not measured yet: {', '.join(missing)}.\n"] if missing else []
    return "\n".join([HEAD, _targets(found.targets), *gaps, FINDINGS.read_text(), *parts, _surroundings(found), TAIL])


def _targets(verdicts: Sequence[Verdict]) -> str:
    lines = ["## Targets", "", "| target | at least | measured | spread | |", "|---|---|---|---|---|"]
    for each in verdicts:
        if each.ratio is None or each.spread is None:
            lines.append(f"| {each.name} | {each.at_least:g} | not measured | | |")
            continue
        low, high = each.spread
        mark = "✔ met" if each.met else "✘ missed"
        lines.append(f"| {each.name} | {each.at_least:g} | **{each.ratio:.2f}** | {low:.2f}–{high:.2f} | {mark} |")
    return "\n".join([*lines, ""])


def _part(name: str, part: Part) -> str:
    title, words = PARTS[name]
    lines = [f"## {title}", "", fill(words, 118), ""]
    for unit in _units(part.runs):
        runs = [run for run in part.runs if run.unit == unit]
        lines += [f"![{title}, {unit}]({PICTURES}/{_file(name, unit, part.runs)})", "", *_table(name, unit, runs), ""]
    before, after = part.load
    lines.append(f"Measured at {part.at} of commit `{part.commit}`; load average {before} before, {after} after.")
    lines += [f"- {note}" for note in part.notes]
    return "\n".join([*lines, "", "```sh", part.command, "```", ""])


def _table(name: str, unit: str, runs: Sequence[Run]) -> list[str]:
    more = [column for column in COLUMNS.get(unit, ()) if any(_extra(column, [run]) for run in runs)]
    titles = [MORE.get(column, column) for column in more]
    head = ["", unit, "lowest", "highest", *titles, "runs"]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for contender in _order(runs):
        found = values_of(runs, contender)
        mine = [run for run in runs if run.contender == contender]
        cells = [number(middle(runs, contender) or 0.0), number(min(found)), number(max(found))]
        cells += [_extra(column, mine) for column in more]
        lines.append(f"| {label(name, contender)} | {' | '.join(cells)} | {len(found)} |")
    return lines


MORE = {
    "cpu_us": "processor µs an event",
    "peak_mb": "MB at most",
    "last_seconds": "seconds",
    "p99_9": "p99.9",
    "rate": "events/s sent",
    "heard": "events heard of",
}


def _extra(column: str, runs: Sequence[Run]) -> str:
    """The median of one more figure; the processor time of an event is a quotient of two."""
    if column == "cpu_us":
        found = [
            1e6 * run.figures["cpu_seconds"] / run.figures["events"] for run in runs if "cpu_seconds" in run.figures
        ]
    else:
        found = [float(run.figures[column]) for run in runs if column in run.figures]
    if not found:
        return ""
    return number(sorted(found)[len(found) // 2])


def _order(runs: Sequence[Run]) -> list[str]:
    """As they took turns."""
    return list(dict.fromkeys(run.contender for run in runs))


def _units(runs: Sequence[Run]) -> list[str]:
    return list(dict.fromkeys(run.unit for run in runs))


def _file(name: str, unit: str, runs: Sequence[Run]) -> str:
    """One picture for each unit of a part: figures of different kinds share no axis."""
    place = _units(runs).index(unit)
    return f"{name}.svg" if not place else f"{name}-{place + 1}.svg"


def _picture(name: str, unit: str, runs: Sequence[Run]) -> str:
    same = [run for run in runs if run.unit == unit]
    given = [
        Bar(
            label(name, each),
            middle(same, each) or 0.0,
            min(values_of(same, each)),
            max(values_of(same, each)),
            _ours(each),
        )
        for each in _order(same)
    ]
    return bars(PARTS[name][0], unit, given)


def _ours(contender: str) -> bool:
    return not contender.startswith(("bare", "quix", "kafka", "faust", "parse", "file_parse"))


def label(part: str, contender: str) -> str:
    """What a contender is called on the page."""
    return LABELS.get(f"{part}/{contender}") or LABELS.get(contender) or contender.replace("_", " ")


def _surroundings(found: Results) -> str:
    """A column for all parts that have machine and versions in common."""
    places: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for name in PARTS:
        if (part := found.parts.get(name)) is not None:
            places.setdefault((*part.machine.items(), *part.versions.items()), []).append(name)
    columns, names = [dict(place) for place in places], [", ".join(parts) for parts in places.values()]
    rows = [
        f"| {key} | {' | '.join(column.get(key, '') for column in columns)} |"
        for key in dict.fromkeys(key for column in columns for key in column)
    ]
    head = [f"| | {' | '.join(names)} |", "|---|" + "---|" * len(columns)]
    return "\n".join(["## Machine and versions", "", *head, *rows, ""])
