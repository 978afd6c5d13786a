"""The end of a producer of kafka-python.

Knows: what it does where brokers are away.
Must not know: what is produced, settings.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from kafka.errors import KafkaError

SECONDS = 5.0


def let_go(producer: Any, seconds: float = SECONDS) -> None:
    """Close it; what no broker has taken by then is given up.  Never raises: whoever sent has waited for the answers.

    The library raises instead of giving up, leaves its thread running, and says so once more, with a traceback, when
    the object goes.  Nothing public ends that.
    """
    try:
        producer.close(timeout=seconds)
    except KafkaError:
        producer._sender.force_close()
        producer._sender.join(seconds)
        with suppress(KafkaError):
            producer.close(timeout=0)
