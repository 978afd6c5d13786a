"""What looks at the pages: the Chromium of this machine, and axe-core as npm put it there; neither is downloaded here.

Knows: where they are.  Must not know: pages.
"""

from __future__ import annotations

import shutil
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
AXE = Path(__file__).parents[2] / "dashboard" / "node_modules" / "axe-core" / "axe.min.js"


def found() -> str | None:
    """The browser's path."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def missing() -> str | None:
    """Why pages cannot be looked at, and the way out."""
    if found() is None:
        return f"there is no Chromium here (looked for {', '.join(NAMES)}; on Debian: apt-get install chromium)"
    return None if AXE.exists() else "axe-core is not here (make dashboard fetches it)"
