"""One poll of one cluster: ask, say what is news, remember it once it has arrived.

Knows: the order of questions, what a failure of each leaves of the others.
Must not know: when polls are due, signals, logs.

A question that fails says nothing: that there is no answer means nothing about the cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from streams.aws import AwsError
from streams.backfill.control_plane import PAGE
from streams.reconcile.answers import Json
from streams.reconcile.asking import Questions, is_continuous
from streams.reconcile.events import BEFORE_SECONDS, MOST_ASKED, Events, Found, is_error, listing
from streams.reconcile.news import CONFIRM_SECONDS, Memory, NodeAnswer, Poll, tell
from streams.reconcile.out import Out
from streams.settings import PlainError


@dataclass
class Target:
    """One cluster, and what is known of it from poll to poll."""

    name: str
    """As it was asked for: a name or an ARN."""
    arn: str = ""
    due: float = 0.0
    failures: int = 0
    """Polls in a row that failed, wholly or in part."""
    memory: Memory = field(default_factory=Memory)
    found: Found | None = None

    def is_now(self, arn: str) -> None:
        """Which cluster it is.  One that was made anew under the name of another is told of from its beginning."""
        if arn != self.arn:
            self.arn, self.memory, self.found = arn, Memory(), None


@dataclass(frozen=True)
class Done:
    """What came of a poll."""

    records: int
    troubles: Sequence[PlainError] = ()


@dataclass(frozen=True)
class Poller:
    """What all clusters share."""

    questions: Questions
    out: Out
    clock: Callable[[], float]
    events: Events = Events.errors
    confirm_seconds: float = CONFIRM_SECONDS

    def poll(self, target: Target) -> Done:
        """Never raises for what AWS or Kafka refuse: that is in `troubles`."""
        troubles: list[PlainError] = []
        try:
            poll = self.questions.cluster(target.name)
        except AwsError as error:
            return Done(0, [error])
        target.is_now(poll.arn)
        poll = replace(poll, nodes=self._nodes(poll, troubles))
        records, memory = tell(target.memory, poll, self.confirm_seconds)
        more, handed, all_handed = self._look(target, poll, troubles)
        try:
            self.out.send(poll.arn, [*records, *more])
        except PlainError as error:
            target.memory = Memory()
            return Done(0, [*troubles, error])
        target.memory = memory
        if target.found is not None:
            target.found.note(handed)
            if all_handed:
                target.found.move_on(self.clock())
        return Done(len(records) + len(more), troubles)

    def _nodes(self, poll: Poll, troubles: list[PlainError]) -> NodeAnswer | None:
        try:
            return self.questions.nodes(poll)
        except AwsError as error:
            troubles.append(error)
            return None

    def _look(self, target: Target, poll: Poll, troubles: list[PlainError]) -> tuple[list[Json], list[Json], bool]:
        """Records of events that are new, which these are, and whether that is all."""
        if self.events is Events.none or not is_continuous(poll):
            return [], [], False
        if target.found is None:
            target.found = Found(self.clock() - BEFORE_SECONDS)
        try:
            new = target.found.new(self.questions.events(poll.arn, target.found.after))
        except AwsError as error:
            troubles.append(error)
            return [], [], False
        errors, others = [each for each in new if is_error(each)], [each for each in new if not is_error(each)]
        records = []
        if self.events is Events.all:
            records = [listing(others[at : at + PAGE]) for at in range(0, len(others), PAGE)]
        answers, asked = self._asked(errors, troubles)
        return records + answers, [*others, *asked], len(asked) == len(errors)

    def _asked(self, errors: Sequence[Json], troubles: list[PlainError]) -> tuple[list[Json], list[Json]]:
        """Answers to as many as one poll asks for, and for which events they are; the next poll goes on."""
        answers: list[Json] = []
        for number, event in enumerate(errors[:MOST_ASKED]):
            try:
                answers.append(self.questions.event(event))
            except AwsError as error:
                troubles.append(error)
                return answers, list(errors[:number])
        return answers, list(errors[:MOST_ASKED])
