"""The runbook of each kind of anomaly: what it is, what to look at, what to do, when to page AWS, when it is over.

Knows: how a page is put together from the tables of `models` and the texts beside this module.
Must not know: how an anomaly is found, where a page is read: `streams.reference` prints them, `streams.web` serves them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import ModuleType

from models.explain.words import CHECK
from models.judge.texts import EXPECTED, SEVERITY
from models.public import AnomalyKind as K
from streams.reference.markdown import block, code, table
from streams.runbooks import faults, feed, patterns, updates
from streams.runbooks.guide import EXAMPLES, Guide, filled

GUIDES: Mapping[K, Guide] = {**faults.GUIDES, **updates.GUIDES, **patterns.GUIDES, **feed.GUIDES}
SECTIONS: tuple[tuple[str, ModuleType], ...] = (
    ("What fails", faults),
    ("Software updates", updates),
    ("Patterns", patterns),
    ("The feed", feed),
)


def severity(kind: K) -> str:
    """How bad it is, as a page begins."""
    slowly = " (critical once the second deadline has passed)" if kind is K.STUCK else ""
    return f"Severity **{SEVERITY[kind]}**{slowly}."


def parts(kind: K, names: Mapping[str, str] = EXAMPLES) -> Iterator[str]:
    """The page of a kind as Markdown, without title and severity; commands have these names."""
    guide = GUIDES[kind]
    yield "## What it is"
    yield filled(guide.means, names)
    yield "## What you see"
    yield filled(guide.shows, names)
    yield "## Check first"
    yield "\n".join(f"- {line}" for line in CHECK[kind])
    yield block("sh", f"hyperpod-state get anomalies --kind {kind}{_status(kind)}\n" + filled(guide.look, names))
    yield "## Do"
    yield block("sh", filled(guide.act, names))
    yield "## Page AWS when"
    yield filled(guide.page_aws, names)
    yield "## Over when"
    end = EXPECTED.get(kind)
    yield f"{end[0].upper()}{end[1:]}. {guide.over}".strip() if end else "At once: it is a note."


def _status(kind: K) -> str:
    return "" if kind in EXPECTED else " --status all"


def index() -> Iterator[str]:
    """All of them by section, with their severities; without a title."""
    yield (
        "One page for each kind of anomaly. Names in the commands are examples: cluster `ml-prod`, group `p5-train`. AWS"
        " Support wants the cluster's ARN, the instance and the event ids: `hyperpod-state get anomalies ID -o json` has them."
    )
    for title, module in SECTIONS:
        guides: Mapping[K, Guide] = module.GUIDES
        yield f"## {title}"
        rows = [(f"[{kind}]({kind}.md)", code(str(SEVERITY[kind])), _sentence(guide)) for kind, guide in guides.items()]
        yield table(("kind", "severity", "what it is"), rows)


def _sentence(guide: Guide) -> str:
    """The first one, on one line."""
    text = " ".join(filled(guide.means).split())
    first = text.split(". ")[0].rstrip(".")
    return f"{first}."
