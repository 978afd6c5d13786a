"""One page for each kind of anomaly: what it is, what to look at, what to do, when to page AWS, when it is over.

Knows: how a page is put together from the tables of `models` and the texts beside this module.
Must not know: how an anomaly is found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from models.explain.topics import RUNBOOKS
from models.explain.words import CHECK
from models.judge.texts import EXPECTED, SEVERITY
from models.public import AnomalyKind as K
from streams.reference.markdown import block, code, page, table
from streams.reference.runbooks import faults, feed, patterns, updates
from streams.reference.runbooks.guide import Guide, filled

GUIDES: Mapping[K, Guide] = {**faults.GUIDES, **updates.GUIDES, **patterns.GUIDES, **feed.GUIDES}
SECTIONS = (("What fails", faults), ("Software updates", updates), ("Patterns", patterns), ("The feed", feed))


def pages() -> dict[str, Callable[[], str]]:
    """Every page by its path, the index first."""
    kinds = {f"{RUNBOOKS}/{kind}.md": _page(kind) for kind in GUIDES}
    return {f"{RUNBOOKS}/README.md": _index, **kinds}


def _page(kind: K) -> Callable[[], str]:
    return lambda: page(str(kind), *_parts(kind))


def _parts(kind: K) -> Iterator[str]:
    guide = GUIDES[kind]
    slowly = " (critical once the second deadline has passed)" if kind is K.STUCK else ""
    listed = f"[In the reference](../reference/anomalies.md#{kind})"
    yield f"Severity **{SEVERITY[kind]}**{slowly}. {listed} · `hyperpod-state explain {kind}` · [all runbooks](README.md)"
    yield "## What it is"
    yield filled(guide.means)
    yield "## What you see"
    yield filled(guide.shows)
    yield "## Check first"
    yield "\n".join(f"- {line}" for line in CHECK[kind])
    yield block("sh", f"hyperpod-state get anomalies --kind {kind}{_status(kind)}\n" + filled(guide.look))
    yield "## Do"
    yield block("sh", filled(guide.act))
    yield "## Page AWS when"
    yield filled(guide.page_aws)
    yield "## Over when"
    end = EXPECTED.get(kind)
    yield f"{end[0].upper()}{end[1:]}. {guide.over}".strip() if end else "At once: it is a note."


def _status(kind: K) -> str:
    return "" if kind in EXPECTED else " --status all"


def _index() -> str:
    """All of them by section, with their severities."""
    intro = (
        "One page for each kind of anomaly. Names in the commands are examples: cluster `ml-prod`, group `p5-train`. AWS"
        " Support wants the cluster's ARN, the instance and the event ids: `hyperpod-state get anomalies ID -o json` has them."
    )
    return page("Runbooks", intro, *(part for title, module in SECTIONS for part in _section(title, module.GUIDES)))


def _section(title: str, guides: Mapping[K, Guide]) -> tuple[str, str]:
    rows = [(f"[{kind}]({kind}.md)", code(str(SEVERITY[kind])), _sentence(guide)) for kind, guide in guides.items()]
    return f"## {title}", table(("kind", "severity", "what it is"), rows)


def _sentence(guide: Guide) -> str:
    """The first one, on one line."""
    text = " ".join(filled(guide.means).split())
    first = text.split(". ")[0].rstrip(".")
    return f"{first}."
