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
from streams.reference import alerts, api, domain, figures, history, operation, runbooks

PAGES: Mapping[str, Callable[[], str]] = {
    "docs/reference/catalogue.md": domain.catalogue,
    "docs/reference/machines.md": domain.machines,
    **domain.pictures(),
    "docs/reference/anomalies.md": domain.anomalies,
    "docs/reference/silences.md": domain.silences,
    "docs/reference/report.md": figures.figures,
    "docs/reference/store.md": history.store,
    "docs/reference/settings.md": operation.settings,
    "docs/reference/alerts.md": alerts.alerts,
    "docs/reference/cli.md": operation.cli,
    "docs/reference/api.md": api.api,
    **runbooks.pages(),
    "streams/demo/data/incident.jsonl": incident.sample,
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
    stale = {name: text for name, text in _printed().items() if _present(name) != text}
    for name, text in stale.items():
        if check:
            print(f"{name} is stale:\n{_difference(_present(name), text)}", file=sys.stderr)
        else:
            operation.write(Path(name), text)
            print(f"{name} written")
    if check and stale:
        print("Run `python -m streams.reference` and commit what it writes.", file=sys.stderr)
    return STALE if check and stale else 0


def _printed() -> dict[str, str]:
    return {name: render() for name, render in PAGES.items()}


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
