"""`python -m streams.reference [--check]`: write the pages, or say which are stale.

Knows: where each page lives, relative to the repository's root, which is the working folder.
Must not know: what a page says.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from streams.demo import incident
from streams.reference import (
    alerts,
    chart,
    commands,
    contracts,
    domain,
    examples,
    figures,
    history,
    metrics,
    operation,
    runbooks,
)
from streams.reference.boards import BOARDS

PAGES: Mapping[str, Callable[[], str]] = {
    "docs/reference/catalogue.md": domain.catalogue,
    "docs/reference/machines.md": domain.machines,
    **domain.pictures(),
    "docs/reference/anomalies.md": domain.anomalies,
    "docs/reference/silences.md": domain.silences,
    "docs/reference/report.md": figures.figures,
    "docs/reference/metrics.md": metrics.metrics,
    "docs/reference/store.md": history.store,
    "docs/reference/settings.md": operation.settings,
    "docs/reference/alerts.md": alerts.alerts,
    "docs/reference/cli.md": commands.cli,
    **runbooks.pages(),
    "streams/demo/data/incident.jsonl": incident.sample,
    "streams/web/examples.json": examples.examples,
    "docs/reference/openapi.json": contracts.openapi,
    "docs/reference/api.md": contracts.api,
    "docs/reference/asyncapi.yaml": contracts.topics,
    **contracts.SCHEMAS,
    chart.SCHEMA: chart.schema,
    **BOARDS,
    **commands.man_pages(),
}
SHOWN_LINES = 12
STALE, USAGE = 1, 2


def main(words: list[str] | None = None) -> int:
    """Returns 0, 1 where `--check` found stale pages, 2 outside the repository."""
    parser = argparse.ArgumentParser(prog="python -m streams.reference", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where a page is stale")
    check = parser.parse_args(words).check
    if not Path("streams/reference").is_dir():
        print("error: run it in the root of the repository", file=sys.stderr)
        return USAGE
    stale = 0
    for name, render in PAGES.items():  # one after the other: some are printed from files that others are
        try:
            text = render()
        except contracts.Breaking as error:
            print(f"error: {error}", file=sys.stderr)
            return STALE
        if _present(name) == text:
            continue
        stale += 1
        if check:
            print(f"{name} is stale:\n{_difference(_present(name), text)}", file=sys.stderr)
        else:
            operation.write(Path(name), text)
            print(f"{name} written")
    if check and stale:
        print("Run `python -m streams.reference` and commit what it writes.", file=sys.stderr)
    left = _left_over()
    for name in left:
        print(f"{name} is of a command that there is no more{': remove it' if check else ', removed'}", file=sys.stderr)
        if not check:
            Path(name).unlink()
    return STALE if check and (stale or left) else 0


def _left_over() -> list[str]:
    """Manual pages that nothing prints."""
    return sorted(str(path) for path in Path(commands.MAN).glob("*") if str(path) not in PAGES)


def _present(name: str) -> str:
    path = Path(name)
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _difference(before: str, after: str) -> str:
    """The first changed lines, shortened."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), "the file", "the tables", lineterm="", n=0)
    changed = [line if len(line) <= 160 else f"{line[:157]}..." for line in lines]
    more = [f"... and {len(changed) - SHOWN_LINES} lines more"] if len(changed) > SHOWN_LINES else []
    return "\n".join([*changed[:SHOWN_LINES], *more])


if __name__ == "__main__":
    sys.exit(main())
