"""`python -m streams.cli`, where the console script is not on the path.

Knows: the entry point.
Must not know: anything else.
"""

from __future__ import annotations

import sys

from streams.cli import main

sys.exit(main())
