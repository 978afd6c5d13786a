"""docs/runbooks: a page for each kind of anomaly, and their index.

Knows: where a page is, what leads on from it.
Must not know: what it says (`streams.runbooks`).
"""

from __future__ import annotations

from collections.abc import Callable

from models.judge.runbooks import FOLDER, page_of
from models.public import AnomalyKind
from streams.reference.markdown import page
from streams.runbooks import pages as texts


def pages() -> dict[str, Callable[[], str]]:
    """Every page by its path, the index first."""
    kinds = {page_of(kind): _page(kind) for kind in texts.GUIDES}
    return {f"{FOLDER}/README.md": lambda: page("Runbooks", *texts.index()), **kinds}


def _page(kind: AnomalyKind) -> Callable[[], str]:
    terminal = f"`hyperpod-state explain {kind}`"
    links = f"[In the reference](../reference/anomalies.md#{kind}) · {terminal} · [all runbooks](README.md)"
    return lambda: page(str(kind), f"{texts.severity(kind)} {links}", *texts.parts(kind))
