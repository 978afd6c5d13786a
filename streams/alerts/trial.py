"""One page to try a sink with: opened, and closed after a while.

Knows: what such a page says.
Must not know: Kafka; nothing of it is written down.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Sequence

from models.public_anomaly import Anomaly, AnomalyKind, AnomalyStatus, Severity
from models.timestamps import format_ms
from streams.alerts.courier import Sink
from streams.alerts.due import Action, Message, Page
from streams.alerts.post import Later, Refused
from streams.secret_files import BadSecret

TITLE = "A test of hyperpod-state: nothing is wrong"


async def trial(sinks: Sequence[Sink], seconds: float) -> AsyncIterator[dict[str, str | None]]:
    """Opens a page everywhere, waits, and closes it; what came of each.  A page that was not opened is not closed."""
    key = f"test-{uuid.uuid4().hex[:12]}"
    page = Page(key, _anomaly(key))
    opened = []
    for sink in sinks:
        why = await _send(sink, Message(Action.OPEN, key, page.anomaly, None))
        yield {"sink": sink.name, "action": "open", "page": key, "error": why}
        if why is None:
            opened.append(sink)
    if opened:
        await asyncio.sleep(seconds)
    ended = _anomaly(key).model_copy(update={"status": AnomalyStatus.RESOLVED, "opened_at": page.anomaly.opened_at})
    ended = ended.model_copy(update={"resolved_at": ended.updated_at})
    for sink in opened:
        why = await _send(sink, Message(Action.CLOSE, key, ended, page, "resolved"))
        yield {"sink": sink.name, "action": "close", "page": key, "error": why}


async def _send(sink: Sink, message: Message) -> str | None:
    """None, or what is wrong."""
    try:
        await sink.post.send(sink.form.request(message, _now()))
    except (Later, Refused, BadSecret) as error:
        return str(error)
    return None


def _anomaly(key: str) -> Anomaly:
    now = format_ms(_now())
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
