"""`reconcile`: clusters polled for ever, or once.

Knows: the loop, signals, what is logged.
Must not know: what is asked and said (`streams.reconcile.polling`).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from streams import logs
from streams.aws import Account, Aws
from streams.interrupt import Ended, ended_by_signals
from streams.reconcile.asking import Questions
from streams.reconcile.events import Events
from streams.reconcile.news import CONFIRM_SECONDS
from streams.reconcile.out import FileOut, KafkaOut, Out
from streams.reconcile.polling import Done, Poller, Target
from streams.reconcile.schedule import next_due
from streams.settings import PlainError, Settings

LINE_SECONDS = 60.0
LOOK_SECONDS = 300.0
"""How often new clusters are looked for."""
log = logs.get(__name__)


@dataclass
class Troubles:
    """What is wrong, told once: when it begins, and when it is over."""

    say: Callable[[str, str], None]
    """Level and message."""
    _of: dict[str, frozenset[str]] = field(default_factory=dict)
    _counts: Counter[str] = field(default_factory=Counter)

    def note(self, name: str, errors: Sequence[PlainError]) -> None:
        """What is wrong with one cluster now; nothing, where it is well."""
        before, now = self._of.get(name, frozenset()), frozenset(_key(each) for each in errors)
        for key in now - before:
            self._counts[key] += 1
            if self._counts[key] == 1:
                self.say("error", next(str(each) for each in errors if _key(each) == key))
        for key in before - now:
            self._counts[key] -= 1
            if not self._counts[key]:
                del self._counts[key]
                self.say("info", f"over: {key}")
        self._of[name] = now

    def forget(self, name: str) -> None:
        """A cluster that is asked no more."""
        self.note(name, ())
        del self._of[name]

    @property
    def failing(self) -> int:
        """Clusters with something wrong."""
        return sum(bool(each) for each in self._of.values())


def _key(error: PlainError) -> str:
    """One missing permission is one trouble, whichever cluster it is refused for."""
    return str(error).partition(" It says:")[0]


@dataclass
class Desk:
    """The clusters of one process."""

    poller: Poller
    interval: float
    named: Sequence[str] = ()
    """Clusters to ask; without any those that there are."""
    clock: Callable[[], float] = time.time
    wait: Callable[[float], None] = time.sleep
    targets: dict[str, Target] = field(default_factory=dict)
    troubles: Troubles = field(default_factory=lambda: Troubles(_say))
    all_records: int = 0
    records: int = 0
    """Since the last line."""
    late: float = 0.0

    def once(self) -> list[PlainError]:
        """Asks every cluster once; what went wrong."""
        self.look()
        return [error for target in self.targets.values() for error in self._poll(target).troubles]

    def work(self) -> None:
        """For ever.  Raises PlainError where nothing at all could be asked at the start."""
        failed = self.once()
        if failed and all(each.failures for each in self.targets.values()):
            raise failed[0]
        log.info("polling", clusters=len(self.targets), failing=self.troubles.failing, interval=self.interval)
        line, look = self.clock() + LINE_SECONDS, self.clock() + LOOK_SECONDS
        while True:
            now = self.clock()
            if now >= line:
                self._line()
                line = now + LINE_SECONDS
            if now >= look:
                self._look_again()
                look = now + LOOK_SECONDS
            target = min(self.targets.values(), key=lambda each: each.due, default=None)
            due = target.due if target else look
            if target is not None and due <= now:
                self.late = max(self.late, now - due)
                self._poll(target)
            else:
                self.wait(max(0.0, min(due, line, look) - now))

    def look(self) -> None:
        """Which clusters there are.  Raises PlainError."""
        names = list(self.named) or self.poller.questions.clusters()
        for name in [name for name in self.targets if name not in names]:
            del self.targets[name]
            self.troubles.forget(name)
        for name in names:
            self.targets.setdefault(name, Target(name))

    def _look_again(self) -> None:
        try:
            self.look()
        except PlainError as error:
            self.troubles.note("", [error])
        else:
            self.troubles.note("", ())

    def _poll(self, target: Target) -> Done:
        done = self.poller.poll(target)
        self.records, self.all_records = self.records + done.records, self.all_records + done.records
        self.troubles.note(target.name, done.troubles)
        target.failures = target.failures + 1 if done.troubles else 0
        target.due = next_due(target.arn or target.name, self.clock(), self.interval, target.failures)
        return done

    def _line(self) -> None:
        told: dict[str, Any] = {"clusters": len(self.targets), "failing": self.troubles.failing}
        log.info("polled", **told, records=self.records, late_seconds=round(self.late, 1))
        self.records, self.late = 0, 0.0


def _say(level: str, message: str) -> None:
    (log.error if level == "error" else log.info)(message)


@dataclass(frozen=True)
class Options:
    """What a user may choose."""

    clusters: tuple[str, ...] = ()
    once: bool = False
    interval: float = 60.0
    confirm: float = CONFIRM_SECONDS
    events: Events = Events.errors
    output: Path | None = None
    """Files instead of Kafka."""


@dataclass(frozen=True)
class Ran:
    """What came of it; of `once` also what went wrong."""

    clusters: int
    records: int
    failures: Sequence[PlainError] = ()


def run(settings: Settings, account: Account, options: Options) -> Ran:
    """Until SIGTERM or Ctrl-C, or once.  Raises PlainError where it cannot begin."""
    logs.setup(settings.log_level, settings.log_format)
    api = Aws(account).api("sagemaker")
    out: Out = KafkaOut(settings) if options.output is None else FileOut(options.output)
    poller = Poller(Questions(api, time.time), out, time.time, options.events, options.confirm)
    desk = Desk(poller, options.interval, options.clusters)
    failures: list[PlainError] = []
    try:
        if options.once:
            failures = desk.once()
        else:
            # It may come anywhere, as AWS may let a question wait for minutes: half a list makes nobody vanish.
            with suppress(Ended), ended_by_signals():
                desk.work()
    finally:
        out.close()
    return Ran(len(desk.targets), desk.all_records, failures)
