"""How hard Hypothesis looks: `HYPOTHESIS_PROFILE=fuzz` for a long search, `ci` for the same examples every time.

A plugin, so that it holds for every folder, whichever are run: a busy machine is no failure.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example)

settings.register_profile("default", max_examples=40, deadline=None, suppress_health_check=_SLOW)
settings.register_profile("ci", settings.get_profile("default"), derandomize=True, print_blob=True)
settings.register_profile(
    "fuzz", settings.get_profile("default"), max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "1000"))
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "default"))
