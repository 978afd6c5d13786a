"""The driver of stories: it shows events to the program as files would, answers in the public words, and ends every
story by checking what must hold of any.

Knows: `streams.replay.Replay`, the public document.  Must not know: rows, machines, how anything is judged.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.deadlines import Thresholds
from models.fold import Limits
from models.public import Anomaly, ClusterItem, Document, GroupItem, InstanceItem, Picture, RolloutItem, dumps
from models.public_silence import Silence
from models.report.ground import stand
from streams.replay import Replay
from tests import published
from tests.stories import ARN, NAME, WORKERS, ClusterEvent, Event

EPOCH = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
"""When every story begins."""


def moment(ms: int) -> datetime:
    """The time of so many milliseconds after the story's beginning."""
    return EPOCH + timedelta(milliseconds=ms)


class Fleet:
    """What the program knows of the events seen so far."""

    def __init__(self, limits: Limits | None = None, thresholds: Thresholds | None = None) -> None:
        self.limits = limits
        self.thresholds = thresholds
        self.values: list[tuple[str, bytes]] = []
        self.ids: set[str] = set()
        self.clock = 0
        self.order_matters = False
        """Set by stories about lateness: there the order of arrival changes the answer."""

    # What happens

    def sees(self, *events: Event | Iterable[Event]) -> None:
        """Let events arrive, each a minute after the one before unless it has its own time."""
        for event in _flat(events):
            ms = event.moment if event.moment is not None else self.clock + 60_000
            self.clock = max(self.clock, ms)
            name = event.name or f"e-{len(self.values) + 1:03}"
            self.ids.add(name)
            self.values.append((name, json.dumps(wire(event, name, ms)).encode()))

    def gets(self, raw: bytes) -> None:
        """Let raw bytes arrive."""
        self.values.append(("raw", raw))

    def waits(self, minutes: float) -> None:
        """Let time pass before the next event."""
        self.clock += int(minutes * 60_000)

    # What is known

    def document(self, now: int | None = None, silences: Sequence[Silence] = ()) -> Document:
        """Everything, judged `now` ms after the beginning (default: the newest event)."""
        return self._replayed(self.values, silences).document(None if now is None else _epoch_ms(now))

    def picture(self, now: int | None = None) -> Picture:
        """The same with what is beside the document."""
        return self._replayed(self.values).picture(None if now is None else _epoch_ms(now))

    def rollouts(self, now: int | None = None, name: str = WORKERS) -> list[RolloutItem]:
        """The ledger of one group, the newest rollout first."""
        return [item for item in self.picture(now).rollouts if item.instance_group == name]

    def instance(self, name: str) -> InstanceItem:
        """An instance by its id, or by its slot."""
        items = self.document().instances
        return next(item for item in items if name in (item.instance_id, item.instance_id or item.node_logical_id))

    def group(self, name: str = WORKERS) -> GroupItem:
        """A group by its name."""
        return next(item for item in self.document().instance_groups if item.instance_group == name)

    def cluster(self) -> ClusterItem:
        """The cluster of the story."""
        return next(item for item in self.document().clusters if item.cluster_arn == ARN)

    def phase(self, name: str) -> str:
        """The phase of an instance, a slot, a group, or of the cluster by its name."""
        document = self.document()
        for item in document.instances:
            if name in (item.instance_id, item.node_logical_id if item.instance_id is None else None):
                return item.phase
        phases = {item.instance_group: item.phase for item in document.instance_groups}
        return phases[name] if name != NAME else self.cluster().phase

    def machine(self, name: str, machine: str) -> str:
        """The state of one machine of an instance, a slot or a group."""
        if name.startswith(("i-", "s-")):
            return self.instance(name).machines[machine]
        return self.cluster().machines[machine] if name == NAME else self.group(name).machines[machine]

    def anomalies(self, kind: str | None = None, status: str | None = None) -> list[Anomaly]:
        """All anomalies, of one kind, or of one status."""
        found = self.document().anomalies
        return [a for a in found if kind in (None, a.kind) and status in (None, a.status)]

    def kinds(self, status: str | None = None) -> list[str]:
        """The kinds of all anomalies, sorted, each as often as it is there."""
        return sorted(a.kind.value for a in self.anomalies(status=status))

    def only(self, kind: str) -> Anomaly:
        """The one anomaly of a kind."""
        found = self.anomalies(kind)
        assert len(found) == 1, f"{len(found)} of {kind}: {self.kinds()}"
        return found[0]

    def story(self, name: str) -> str:
        """The history of an instance as lines: time, machine, from, to, cause."""
        return "\n".join(
            f"{item.time[11:19]}  {item.machine or '-':16} {item.from_ or ''} → {item.to or ''}  {item.code}"
            for item in self.instance(name).history
        )

    # What must hold of every story

    def check(self) -> None:
        """Assert every invariant of the whole document."""
        if not self.values:
            return
        document = self.document()
        published.document(document)
        _counts_add_up(document)
        _histories_chain(document)
        _members_agree(document)
        rollouts_are_sound(self.picture())
        times_add_up(self.picture())
        _anomalies_are_sound(document, self.ids)
        if not self.order_matters:
            self._arrival_is_nothing(document)

    def _arrival_is_nothing(self, document: Document) -> None:
        """The same values backwards, and twice over, give the same picture to the byte."""
        wanted, ledger = _picture(document), self.picture().rollouts
        twice = [value for value in self.values[1::2] + self.values[::2] for _ in range(2)]
        for values, how in ((self.values[::-1], "backwards"), (twice, "doubled and dealt")):
            job = self._replayed(values)
            assert _picture(job.document()) == wanted, f"{how} it is another picture"
            assert job.picture().rollouts == ledger, f"{how} it is another ledger of rollouts"

    def _replayed(self, values: Iterable[tuple[str, bytes]], silences: Sequence[Silence] = ()) -> Replay:
        job = Replay(limits=self.limits, thresholds=self.thresholds, silences=silences)
        for origin, raw in values:
            job.feed(origin, raw)
        return job


def wire(event: Event, name: str, ms: int) -> dict[str, Any]:
    """The event as it is sent."""
    stamp = moment(ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if not event.detail_type:
        return {**event.detail, "ObservedAt": stamp}
    detail = event.detail
    if isinstance(event, ClusterEvent):
        told = {"EventId": name, "EventTime": _epoch_ms(ms), **event.detail}
        if event.metadata is not None:
            told["EventDetails"] = {"EventMetadata": event.metadata}
        detail = {"EventDetails": told}
    return {
        "version": "0",
        "id": "0bd4a141-0a02-9d8a-f977-3924c3fb259c",
        "detail-type": event.detail_type,
        "source": "aws.sagemaker",
        "account": "111122223333",
        "time": stamp,
        "region": "us-west-2",
        "resources": [ARN],
        "detail": detail,
        **event.envelope,
    }


def _flat(events: Iterable[Event | Iterable[Event]]) -> Iterator[Event]:
    for event in events:
        if isinstance(event, Event):
            yield event
        else:
            yield from _flat(event)


def _epoch_ms(ms: int) -> int:
    return int(EPOCH.timestamp() * 1000) + ms


def _picture(document: Document) -> bytes:
    return dumps(document.model_copy(update={"summary": type(document.summary)(), "dead_letters": ()}))


def _counts_add_up(document: Document) -> None:
    summary = document.summary
    parts = summary.applied + summary.duplicate + sum(summary.ignored.values()) + summary.dead_lettered
    assert summary.read == parts, summary
    assert max(summary.late, summary.unrecognized) <= summary.applied, summary
    assert len(document.dead_letters) == summary.dead_lettered


def _histories_chain(document: Document) -> None:
    """What a machine left is what it had entered before, and where it is now is what it entered last."""
    for item in document.instances:
        place: dict[str, str | None] = {}
        for change in item.history:
            if change.machine is None:
                continue
            assert change.from_ != change.to, (item.instance_id, change)
            assert place.get(change.machine, change.from_) == change.from_, (item.instance_id, change)
            place[change.machine] = change.to
        assert place.items() <= item.machines.items(), item.instance_id


def _members_agree(document: Document) -> None:
    for group in document.instance_groups:
        own = [
            i
            for i in document.instances
            if (i.cluster_arn, i.instance_group) == (group.cluster_arn, group.instance_group)
        ]
        phases = Counter(i.phase for i in own if i.instance_id is not None and i.phase != "Terminated")
        assert dict(group.members) == dict(phases), group.instance_group


def rollouts_are_sound(picture: Picture) -> None:
    """Each member is in one list; what is over has a residue and an end, what is not has an estimate or a reason."""
    for item in picture.rollouts:
        ids = [name for names in item.instances.model_dump().values() for name in names]
        assert len(ids) == len(set(ids)) == item.total, item
        assert (item.residue is None) != (item.estimate is None), item
        if item.estimate is not None:
            assert (item.estimate.ends_at is None) == (item.estimate.reason is not None), item
        if item.residue is not None:
            assert set(item.residue.instances) <= set(ids), item


def times_add_up(picture: Picture) -> None:
    """Every machine of an instance, and its phase, is in exactly one state at any time of its life."""
    ground = stand(picture, None, None, ())
    for life in ground.lives:
        for machine in {stay.machine for stay in life.stays}:
            spans = sorted((stay.begun, stay.ended) for stay in life.stays if stay.machine == machine)
            edges = [life.begun, *(edge for span in spans for edge in span), life.ended]
            assert edges[::2] == edges[1::2], (life.item.instance_id, machine, edges)
    for place in ground.places:
        up, lost = place.hours(place.begun, place.ended)
        assert up + sum(lost.values()) <= place.ended - place.begun, place


def _anomalies_are_sound(document: Document, ids: set[str]) -> None:
    names = [a.anomaly_id for a in document.anomalies]
    assert len(names) == len(set(names)), "an anomaly_id is there twice"
    for a in document.anomalies:
        assert a.status in ("open", "resolved"), a
        assert (a.status == "open") == (a.resolved_at is None), a
        assert a.opened_at <= a.updated_at <= (a.resolved_at or a.updated_at), a
        assert a.evidence, a
        assert len(set(a.evidence)) == len(a.evidence), a
        assert a.parent_id is None or a.parent_id in names, a
        assert a.revision == 1, a
        if ids >= set(a.evidence):
            assert a.count <= len(a.evidence) or len(a.evidence) == 50, a


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    """A fleet of which nothing is known yet; the end of the test checks every invariant."""
    driver = Fleet()
    yield driver
    driver.check()
