"""Logging of the worker: structlog over the standard library, on standard error.

Knows: formats, levels, which libraries talk too much.
Must not know: events.  No payload ever reaches a log; callers pass names, offsets and counts.

Even so nothing that came from outside can act in a log: names are in events too, and libraries quote what they met.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog

from streams.cli.text import json_for_terminal, printable
from streams.settings import PlainError

NOISY = ("aiokafka", "kafka", "faust", "mode", "uvicorn", "boto3", "botocore", "urllib3")
RATE = 5
"""Records per second that one logger of a library may write; the rest is counted."""
TRACES = ("exception", "stack")
LONGEST = 8_000
"""Characters of one text in a record, or of a traceback."""


class RateLimit(logging.Filter):
    """At most `rate` records a second from one logger; what was left out is said with the next one let through."""

    def __init__(self, rate: int = RATE, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._rate, self._clock = rate, clock
        self._windows: dict[str, tuple[float, int, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Standard library's hook.  Our own records (structlog's, which are dicts) always pass."""
        if isinstance(record.msg, dict):
            return True
        now = self._clock()
        began, passed, dropped = self._windows.get(record.name, (now, 0, 0))
        if now - began >= 1.0:
            began, passed = now, 0
        if passed >= self._rate and record.levelno < logging.CRITICAL:
            self._windows[record.name] = (began, passed, dropped + 1)
            return False
        if dropped:
            record.msg, record.args = f"{record.getMessage()} (and {dropped} records left out)", ()
        self._windows[record.name] = (began, passed + 1, 0)
        return True


class NoChatter(logging.Filter):
    """Drops what libraries say of a matter that is settled here, and what they say in our name below a warning."""

    SETTLED = (
        "Topic creation disabled",
        "Group Coordinator Request failed",
        "Error while stopping child",
        "We experienced a crash",
        "not found in cluster metadata",
    )

    def filter(self, record: logging.LogRecord) -> bool:
        """Standard library's hook."""
        if isinstance(record.msg, dict):
            return True
        ours = record.name.startswith("streams.") and record.levelno < logging.WARNING
        plain = record.exc_info is not None and isinstance(record.exc_info[1], PlainError)
        # Of a transaction that was lost while nobody waited for it any more: the lane has said so, or is gone.
        late = record.name == "asyncio" and record.exc_info is not None and _is_kafkas(record.exc_info[1])
        return not ours and not plain and not late and not any(text in record.getMessage() for text in self.SETTLED)


def _is_kafkas(error: BaseException | None) -> bool:
    return type(error).__module__ == "aiokafka.errors"


def setup(level: str = "info", style: str = "text") -> None:
    """Send everything to standard error.  `level` is ours; libraries speak from warning on.  `style`: text or json."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(NoChatter())
    handler.addFilter(RateLimit(rate=RATE))
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_render(style)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    # It warns of every send it repeats, and Kafka makes it repeat the first ones of many a transaction.
    logging.getLogger("aiokafka.producer.sender").setLevel(logging.ERROR)


def _render(style: str) -> list[structlog.typing.Processor]:
    last: structlog.typing.Processor
    meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if style == "json":
        last = structlog.processors.JSONRenderer(serializer=_json)
        return [meta, structlog.processors.format_exc_info, last]
    last = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
    return [meta, structlog.processors.format_exc_info, harmless, last]


def harmless(_: object, __: str, record: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The record with every text on one line, and nothing in it that a terminal would act on.

    The lines of a traceback stay, each behind a mark, so that none can pass for a record.
    """
    return {printable(str(name)): _harmless(name, value) for name, value in record.items()}


def _harmless(name: str, value: Any) -> Any:
    return _traceback(value) if name in TRACES else _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return printable(_cut(value))
    return value if isinstance(value, int | float | None) else printable(_cut(repr(value)))


def _traceback(value: object) -> str:
    return "\n".join(f"  | {printable(line)}" for line in _cut(str(value)).split("\n"))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text) - LONGEST} characters more)"


def _json(record: dict[str, Any], **more: Any) -> str:
    """JSON escapes control characters by itself, but for DEL; here it is ASCII throughout."""
    short = {name: _cut(value) if isinstance(value, str) else value for name, value in record.items()}
    return json_for_terminal(json.dumps(short, **more))


def get(name: str) -> structlog.stdlib.BoundLogger:
    """A logger with key-value arguments."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def place(error: BaseException) -> str:
    """An error's type and the line it came from; never its message, which may quote a payload."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = "" if trace is None else f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
    return f"{type(error).__name__}{where}"
