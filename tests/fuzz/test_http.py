"""Everything that the OpenAPI document allows is answered as it says, and everything that it forbids is refused.

Knows: schemathesis, a worker's address.  Must not know: routes.

Bounded and the same every time; `make fuzz-http` asks far more (SCHEMATHESIS_EXAMPLES).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from models import public
from models.explain.times import milliseconds
from streams.store.file import NAME, opened
from streams.web.provider import Readiness
from streams.web.sql import Asked
from tests.broker.lab import Lab, event
from tests.builders import raw
from tests.properties.fixed import three_clusters
from tests.test_streams.serving import Held, served
from tests.test_streams.test_store import Kept, put, told, transition
from tests.test_streams.told import OLD, OVER, Told, picture_at

if TYPE_CHECKING:
    from tests.kafka import Broker

EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "8")
EXAMPLE_ID = "i-0123456789abcdef0"
"""The instance that the OpenAPI document gives as its example."""
BY_SEED = [] if "SCHEMATHESIS_EXAMPLES" in os.environ else ["--seed", "1"]
ENDLESS = ("--exclude-path", "/api/v1/stream")
"""A stream ends after minutes; tests/test_streams/test_stream.py has its own."""
NOT_SAID = "positive_data_acceptance"
"""Left out: no schema says which texts are times, tokens of a list or SELECTs, so some that fit are refused."""


def ask(address: str, folder: Path, *options: str) -> None:
    """All checks of schemathesis on all routes."""
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json", "--no-color", *BY_SEED]
    command += ["--max-examples", EXAMPLES, "--checks", "all", "--exclude-checks", NOT_SAID, *ENDLESS, *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=3600, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    print(done.stdout[done.stdout.rfind("API Operations:") :])


def known() -> public.Picture:
    """The incident, in which one instance has the example's id."""
    return public.Picture.model_validate_json(picture_at(OVER).model_dump_json().replace(OLD, EXAMPLE_ID))


def test_a_worker_that_knows_a_fleet(tmp_path: Path) -> None:
    held = Told(shown=known(), earlier={milliseconds(OVER) - 3 * 3_600_000: known()}, as_of=OVER)
    with opened(tmp_path / NAME, {"transitions": "t", "anomalies": "a"}) as store:
        put(store, "transitions", transition("x"), transition("y"))
        put(store, "anomalies", told("z", 1), told("z", 2, "resolved"))
        kept: Asked = Kept(store)
        with served(held, kept) as address:
            ask(address, tmp_path)


def test_a_worker_that_is_not_ready_and_keeps_no_store(tmp_path: Path) -> None:
    held = Held(state=Readiness(ready=False, message="tables are restored to 43 %"))
    with served(held) as address:
        ask(address, tmp_path, "--exclude-checks", f"{NOT_SAID},not_a_server_error")


@pytest.mark.kafka
def test_a_running_worker(kafka: Broker, tmp_path: Path) -> None:
    lab = Lab(kafka.bootstrap, tmp_path, settle_seconds=0, store="true")
    try:
        lab.start()
        lab.wait_ready()
        lives = [event(1, instance, step) for instance in range(9) for step in range(3)]
        lives = [life.replace(b"i-00010000000000000", EXAMPLE_ID.encode()) for life in lives]
        lab.produce([*raw(three_clusters()), *lives])
        lab.wait_done()
        ask(f"http://127.0.0.1:{lab.port}", tmp_path)
        lab.wait_done()
        log = lab.log()
        assert "Traceback" not in log
        assert lab.get("/readyz")["ready"]
    finally:
        lab.stop()
