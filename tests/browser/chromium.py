"""Which browser looks at the pages: the Chromium of this machine; none is downloaded.

Knows: where systems put it.  Must not know: pages.
"""

from __future__ import annotations

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = f"there is no Chromium here (looked for {', '.join(NAMES)}; on Debian: apt-get install chromium)"


def found() -> str | None:
    """Its path."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)
