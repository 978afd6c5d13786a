"""The page of figures: rows say what was measured, and a run replaces only what it ran."""

from __future__ import annotations

from pathlib import Path

from tests.broker.figures import Figure, Run, read, rows_of, write


def run(number: int, *seconds: float, passed: bool = True, most: float = 5) -> Run:
    found = Run(number, "a fault", passed)
    for each in seconds:
        found.seconds("ready after", each, at_most=most)
    return found


def test_a_row_has_the_span_the_median_and_the_mark() -> None:
    [row] = rows_of([run(1, 2.0, 4.04), run(1, 3.5)], "today")
    assert row == "| 1 | a fault | 2 | ready after 2–4, median 3.5 s (≤ 5) | yes | today |"


def test_a_missed_mark_and_a_failed_run_are_said() -> None:
    rows = rows_of([run(2, 7.0), run(1, passed=False)], "today")
    assert "| 1 | none asked for | 1 runs failed |" in rows[0]
    assert "| missed: ready after |" in rows[1]
    assert Figure("lines", 100, "lines", 100).missed is False


def test_one_part_of_the_page_is_written_and_the_other_kept(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    write(page, "soak", "## Soak\n")
    write(page, "faults", "## Faults\n")
    write(page, "faults", "## Faults anew\n")
    assert read(page).startswith("# Reliability")
    assert read(page).index("## Faults anew") < read(page).index("## Soak")
    assert "## Faults\n" not in read(page)
