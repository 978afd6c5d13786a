"""Writes the API's description for the types that the dashboard is checked against: `python dashboard/openapi.py FILE`.

Knows: the application.  Must not know: any worker; the routes are described, none is asked.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import orjson

from streams.web.api import create_api

if __name__ == "__main__":
    nobody: Any = None
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(orjson.dumps(create_api(nobody).openapi(), option=orjson.OPT_INDENT_2))
