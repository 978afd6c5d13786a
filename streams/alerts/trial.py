"""One page to try a sink with: opened, and closed after a while.

Knows: what such a page says.
Must not know: Kafka; nothing of it is written down.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Sequence

from models.public_anomaly import Anomaly, AnomalyKind, AnomalyStatus, Severity
from models.timestamps import iso
from streams.alerts.courier import Sink
from streams.alerts.due import Action, Message, Page
from streams.alerts.post import Later, Refused, Unheard
from streams.secret_files import BadSecret

TITLE = "A test of hyperpod-state: nothing is wrong"


async def trial(sinks: Sequence[Sink], seconds: float) -> list[dict[str, str | None]]:
    """Opens a page everywhere, waits, and closes it, also if it is interrupted; what came of each.

    A page that cannot have been opened is not closed.
    """
    key = f"test-{uuid.uuid4().hex[:12]}"
    page = Page(key, _anomaly(key))
    results, opened = [], list[Sink]()
    try:
        for sink in sinks:
            opened.append(sink)
            error = await _send(sink, Message(Action.OPEN, key, page.anomaly, None))
            results.append(_result(sink, Action.OPEN, key, error))
            if isinstance(error, (Unheard, Refused, BadSecret)):
                opened.remove(sink)
        if any(each["error"] is None for each in results):
            await asyncio.sleep(seconds)
    finally:
        for sink in opened:
            error = await _send(sink, Message(Action.CLOSE, key, _ended(page.anomaly), page, "resolved"))
            results.append(_result(sink, Action.CLOSE, key, error))
    return results


async def _send(sink: Sink, message: Message) -> Exception | None:
    """None, or what is wrong."""
    try:
        await sink.post.send(sink.form.request(message, _now()))
    except (Later, Refused, BadSecret) as error:
        return error
    return None


def _result(sink: Sink, action: Action, key: str, error: Exception | None) -> dict[str, str | None]:
    return {"sink": sink.name, "action": action.value, "page": key, "error": None if error is None else str(error)}


def _ended(opened: Anomaly) -> Anomaly:
    now = iso(_now())
    return opened.model_copy(update={"status": AnomalyStatus.RESOLVED, "updated_at": now, "resolved_at": now})


def _anomaly(key: str) -> Anomaly:
    now = iso(_now())
    return Anomaly(
        anomaly_id=key,
        revision=1,
        kind=AnomalyKind.OPERATION_FAILED,
        severity=Severity.CRITICAL,
        status=AnomalyStatus.OPEN,
        cluster_arn="arn:aws:sagemaker:us-east-1:000000000000:cluster/test",
        cluster_name="test",
        resource_type="Cluster",
        title=TITLE,
        expected="this test closes it itself",
        opened_at=now,
        updated_at=now,
    )


def _now() -> int:
    return round(time.time() * 1000)
