"""`python -m streams.reference.site FOLDER`: the sources of the documentation site, for Zensical to build.

Knows: which page stands where in the navigation, which links have to change as the README moves in with the pages.
Must not know: what a page says.

Pages are written to be read in the repository; the site has the same files.  One that the navigation does not name is
listed under "More", so that none gets lost.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from streams.runbooks.pages import GUIDES

REPOSITORY = "https://github.com/hyperpod-state/hyperpod-state/blob/main/"
Section = tuple[str, tuple[str, ...]]
NAVIGATION: tuple[Section, ...] = (
    ("Start", ("readme.md", "tutorial.md", "dashboard.md")),
    (
        "Concepts",
        (
            "concepts/README.md",
            "concepts/events.md",
            "concepts/states.md",
            "concepts/anomalies.md",
            "concepts/time.md",
        ),
    ),
    ("Runbooks", ("runbooks/README.md", *(f"runbooks/{kind}.md" for kind in GUIDES))),
    (
        "Operations",
        (
            "operations.md",
            "workers.md",
            "scale.md",
            "upgrading.md",
            "feed.md",
            "backfill.md",
            "reconcile.md",
            "alerts.md",
            "monitoring.md",
            "silences.md",
            "security.md",
            "reliability.md",
            "performance.md",
            "fuzzing.md",
        ),
    ),
    (
        "Reference",
        (
            "reference/cli.md",
            "reference/settings.md",
            "reference/api.md",
            "programs.md",
            "reference/anomalies.md",
            "reference/machines.md",
            "reference/catalogue.md",
            "reference/alerts.md",
            "reference/silences.md",
            "reference/report.md",
            "reference/store.md",
        ),
    ),
    ("Design", ("architecture.md", "limits.md", "contributing.md", "releasing.md", "decisions/README.md")),
)
"""Pages that are not there (yet) are left out."""
NOT_PAGES = ("index.md",)
"""The repository's own list of pages; the site's is the navigation."""


def main(words: list[str] | None = None) -> int:
    """Writes `zensical.toml` and the pages; 2 outside the repository."""
    parser = argparse.ArgumentParser(prog="python -m streams.reference.site", description=__doc__)
    parser.add_argument("folder", type=Path, help="it is emptied first")
    folder = parser.parse_args(words).folder
    if not Path("docs/index.md").is_file():
        print("error: run it in the root of the repository", file=sys.stderr)
        return 2
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree("docs", folder / "pages", ignore=shutil.ignore_patterns(*NOT_PAGES))
    shutil.copy("README.md", folder / "pages/readme.md")
    for path in (folder / "pages").rglob("*.md"):
        path.write_text(moved(path.read_text(encoding="utf-8"), path.relative_to(folder / "pages")), encoding="utf-8")
    (folder / "pages/index.md").write_text(moved(Path("README.md").read_text(encoding="utf-8"), Path("readme.md")))
    (folder / "pages/readme.md").unlink()
    (folder / "zensical.toml").write_text(_settings(folder / "pages"), encoding="utf-8")
    return 0


def moved(text: str, page: Path) -> str:
    """The page with its links as they are on the site: the README beside the pages, the rest of the repository far."""
    return re.sub(r"\]\(([^()\s:#]+)(#[^()\s]*)?\)", lambda found: _link(page, found[1], found[2] or ""), text)


def _link(page: Path, link: str, anchor: str) -> str:
    root = Path() if page == Path("readme.md") else Path("docs") / page.parent
    target = _flat(root / link)
    up = "../" * len(page.parent.parts)
    if target == "README.md" or target == "docs/index.md":
        return f"]({up}index.md{anchor})"
    if target.startswith("docs/"):
        return f"]({up}{target.removeprefix('docs/')}{anchor})"
    return f"]({REPOSITORY}{target}{anchor})"


def _flat(path: Path) -> str:
    """Without `..`, whatever is there."""
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def navigation(pages: Path) -> list[Section]:
    """The sections with the pages that there are, and last what no section names."""
    named = {name for _, names in NAVIGATION for name in names}
    there = {str(path.relative_to(pages)) for path in pages.rglob("*.md")}
    there = {"readme.md" if name == "index.md" else name for name in there}
    decisions = tuple(sorted(name for name in there - named if name.startswith("decisions/")))
    sections = [
        (title, tuple(name for name in (*names, *(decisions if title == "Design" else ())) if name in there))
        for title, names in NAVIGATION
    ]
    more = tuple(sorted(there - named - set(decisions)))
    return [*sections, ("More", more)] if more else sections


def _settings(pages: Path) -> str:
    """Everything that Zensical needs; nothing is loaded from elsewhere."""
    lines = [
        "[project]",
        'site_name = "hyperpod-state"',
        'site_description = "What happens to Amazon SageMaker HyperPod clusters, reconstructed from their events"',
        'docs_dir = "pages"',
        'site_dir = "site"',
        "use_directory_urls = false",
        f"nav = {_toml(navigation(pages))}",
        "[project.theme]",
        "font = false",
        'language = "en"',
        'features = ["navigation.sections", "navigation.top", "content.code.copy", "search.highlight"]',
        *_palette(),
        "[project.markdown_extensions.toc]",
        "permalink = true",
        *(f"[project.markdown_extensions.{name}]" for name in ("tables", "pymdownx.highlight", "pymdownx.superfences")),
    ]
    return "\n".join(lines) + "\n"


def _palette() -> Iterator[str]:
    for scheme, name in (("default", "light"), ("slate", "dark")):
        yield "[[project.theme.palette]]"
        yield f'media = "(prefers-color-scheme: {name})"'
        yield f'scheme = "{scheme}"'


def _toml(sections: list[Section]) -> str:
    """The navigation as arrays and inline tables."""
    inner = (f"{{ {json.dumps(title)} = {json.dumps([_file(name) for name in names])} }}" for title, names in sections)
    return f"[{', '.join(inner)}]"


def _file(name: str) -> str:
    return "index.md" if name == "readme.md" else name


if __name__ == "__main__":
    sys.exit(main())
