"""What is to be said to one sink now: the difference between what is wrong and what it was told.  Pure.

Knows: folding under incidents, handing pages over, in which order things are said.
Must not know: services, Kafka, clocks (`now_ms` is given).

Nothing is remembered here: the same picture and the same pages give the same messages, so a restart changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from models.public_anomaly import Anomaly, AnomalyStatus, Severity
from streams.alerts.filters import Filter
from streams.alerts.picture import Picture

SHOWN_MEMBERS = 10
COUNTS = re.compile(r"\b\d+ (?=instances with |replacements, )| \(\d+[ times)]*$")
"""What of a title only grows: how many, and how often (which may be cut off, as the longest titles are)."""


class Action(StrEnum):
    """What a message does to a page."""

    OPEN = "open"
    UPDATE = "update"
    CLOSE = "close"


@dataclass(frozen=True)
class Page:
    """What a sink was told: `key` is its dedup key for good, `anomaly` what it is known to have taken, if any."""

    key: str
    anomaly: Anomaly
    tried: Action | None = None
    """What was to be said when the page was last written down: it may have been taken, or not."""
    began_ms: int = 0
    """When it was first to be opened: tells it from others that had the key before."""
    goal: str | None = None
    """Another anomaly that it was to stand for when it was last written down: it may stand for either."""

    @property
    def sure(self) -> bool:
        """Whether nothing was under way."""
        return self.tried is None

    @property
    def told(self) -> bool:
        """Whether the sink has it in any case: it was opened, and its end was not tried."""
        return self.tried in (None, Action.UPDATE)


@dataclass(frozen=True)
class Message:
    """One thing to say about a page, and the page as it was before (None: there was none)."""

    action: Action
    key: str
    anomaly: Anomaly
    before: Page | None
    why: str = ""
    members: int = 0
    """Open anomalies that are folded under this one."""
    named: tuple[str, ...] = field(default=())
    """The first of them, by the name of what they concern."""
    began_ms: int = 0
    """Of the page."""

    @property
    def claimed(self) -> Page:
        """What is written down before anything is sent: from then on nobody knows whether there is such a page."""
        last = self.before.anomaly if self.before else self.anomaly
        other = self.anomaly.anomaly_id if self.anomaly.anomaly_id != last.anomaly_id else None
        goal = self.before.goal if self.before and self.action is Action.CLOSE else other
        return Page(self.key, last, self.action, self.began_ms, goal)

    @property
    def after(self) -> Page | None:
        """The page once it was sent."""
        return None if self.action is Action.CLOSE else Page(self.key, self.anomaly, began_ms=self.began_ms)


@dataclass(frozen=True)
class Heard:
    """What stands by itself for a sink, and which anomaly each member is folded under."""

    alone: Mapping[str, Anomaly]
    folded: Mapping[str, Anomaly]
    members: Mapping[str, list[Anomaly]]


def heard(picture: Picture, rule: Filter) -> Heard:
    """Members of an incident that the sink hears of, or would but for a silence, are not told by themselves."""
    alone: dict[str, Anomaly] = {}
    folded: dict[str, Anomaly] = {}
    members: dict[str, list[Anomaly]] = {}
    for anomaly in picture.opened():
        over = [each for each in picture.ancestors(anomaly) if rule.covers(each)]
        if over:
            folded[anomaly.anomaly_id] = over[-1]
            members.setdefault(over[-1].anomaly_id, []).append(anomaly)
        elif rule.hears(anomaly):
            alone[anomaly.anomaly_id] = anomaly
    return Heard(alone, folded, members)


def due(
    picture: Picture, known: Heard, pages: Mapping[str, Page], rule: Filter, now_ms: int, patience_ms: int
) -> list[Message]:
    """Everything to say, in its order; an empty list once the sink knows all there is.

    A page whose anomaly was superseded by one that is not on the topic yet is kept for `patience_ms`: what a late event
    may explain is published later.
    """
    kept: set[str] = set()
    goals: set[str | None] = set()
    sure = _sure(pages)
    opens, closes = [], []
    for page in sorted(pages.values(), key=lambda each: (not each.sure, each.key)):
        goals.add(page.goal)
        now = _standing(picture, known, page, sure, kept)
        if now is not None:
            kept.add(now.anomaly_id)
            if _differs(page, now):
                opens.append(_told(Action.UPDATE if page.told else Action.OPEN, page.key, now, page, known, now_ms))
        elif not _waits(picture, known, page, sure, now_ms, patience_ms):
            closes.append(_close(picture, known, page, rule))
    for anomaly_id, anomaly in known.alone.items():
        if anomaly_id not in kept and anomaly_id not in goals:
            opens.append(_told(Action.OPEN, _free(anomaly, pages), anomaly, None, known, now_ms))
    return sorted([*opens, *closes], key=_turn)


def again(pages: Iterable[Page], known: Heard, found: Iterable[Message]) -> list[Message]:
    """What the sink has, as it took it, to be said again: nothing that may be new to it, or that is to close."""
    ending = {each.key for each in found if each.action is Action.CLOSE}
    told = (page for page in pages if page.told and page.key not in ending)
    return [_told(Action.OPEN, page.key, _counted(page.anomaly, known), page, known, page.began_ms) for page in told]


def _counted(told: Anomaly, known: Heard) -> Anomaly:
    """As it was told, but for what its title counts by now."""
    now = known.alone.get(told.anomaly_id)
    return told.model_copy(update={"title": now.title}) if now is not None and _news(now) == _news(told) else told


def _sure(pages: Mapping[str, Page]) -> dict[str, bool]:
    """The anomalies that have pages, and whether one of these is sure."""
    found: dict[str, bool] = {}
    for page in pages.values():
        found[page.anomaly.anomaly_id] = page.sure or found.get(page.anomaly.anomaly_id, False)
    return found


def _standing(picture: Picture, known: Heard, page: Page, sure: Mapping[str, bool], kept: set[str]) -> Anomaly | None:
    """The anomaly that the page is to stand for: its own, or the heir of its own if that has no page yet."""
    own = page.anomaly.anomaly_id
    if own in known.alone:
        return None if own in kept else known.alone[own]
    heirs = [each for each in (page.goal, picture.heir(own)) if each and each not in kept and each not in sure]
    return next((known.alone[each] for each in heirs if each in known.alone), None)


def _waits(picture: Picture, known: Heard, page: Page, sure: Mapping[str, bool], now_ms: int, patience_ms: int) -> bool:
    """Whether the page has to stay for now, although its anomaly is not to be told by itself."""
    own = page.anomaly.anomaly_id
    heir = picture.heir(own)
    over = known.folded.get(heir or own)
    if over is not None and over.anomaly_id in known.alone:  # no moment without any page
        return not sure.get(over.anomaly_id, False)
    return heir is not None and picture.get(heir) is None and now_ms - picture.written_ms(own) < patience_ms


def _differs(page: Page, now: Anomaly) -> bool:
    """Whether it is worth a message: counts and evidence are not."""
    return not page.sure or _news(page.anomaly) != _news(now)


def _news(anomaly: Anomaly) -> tuple[str, Severity, str]:
    """What people are told of when it changes."""
    return anomaly.anomaly_id, anomaly.severity, COUNTS.sub("", anomaly.title)


def _told(action: Action, key: str, anomaly: Anomaly, before: Page | None, known: Heard, now_ms: int) -> Message:
    members = sorted(known.members.get(anomaly.anomaly_id, ()), key=lambda each: (each.opened_at, each.anomaly_id))
    named = list(dict.fromkeys(place(each) for each in members))[:SHOWN_MEMBERS]
    why = ""
    if before is not None and before.anomaly.anomaly_id != anomaly.anomaly_id:
        why = f"takes the place of {before.anomaly.anomaly_id}"
    elif action is Action.UPDATE and before is not None and before.anomaly.severity is not anomaly.severity:
        why = f"it was {before.anomaly.severity} before"
    began_ms = now_ms if before is None or before.tried is Action.CLOSE else before.began_ms
    return Message(action, key, anomaly, before, why, len(members), tuple(named), began_ms)


def _close(picture: Picture, known: Heard, page: Page, rule: Filter) -> Message:
    own = page.anomaly.anomaly_id
    now = picture.get(own)
    over = known.folded.get(own)
    if now is None:
        return Message(Action.CLOSE, page.key, page.anomaly, page, "it is not known any more", began_ms=page.began_ms)
    if now.status is AnomalyStatus.RESOLVED:
        why = "resolved"
    elif now.status is AnomalyStatus.RETRACTED:
        why = f"superseded by {now.superseded_by}" if now.superseded_by else "retracted"
    elif over is not None:
        why = f"part of {over.anomaly_id}: {over.title}"
    elif own in known.alone:
        why = "told elsewhere"
    else:
        why = rule.why_not(now)
    return Message(Action.CLOSE, page.key, now, page, why, began_ms=page.began_ms)


def _free(anomaly: Anomaly, pages: Mapping[str, Page]) -> str:
    """The anomaly's id; where an heir still holds the page of that name, one of its own."""
    if anomaly.anomaly_id not in pages:
        return anomaly.anomaly_id
    return next(name for name in _names(anomaly) if name not in pages)


def _names(anomaly: Anomaly) -> Iterator[str]:
    number = anomaly.revision
    while True:
        yield f"{anomaly.anomaly_id}.{number}"
        number += 1


def _turn(message: Message) -> tuple[int, int, str, str]:
    """First what may stand for something else than we know, then what is new, the worst first; last what closes."""
    closes, unsure = message.action is Action.CLOSE, message.before is not None and not message.before.sure
    part = (0 if closes else 1) if unsure else 3 if closes else 2
    return (part, -message.anomaly.severity.rank, message.anomaly.opened_at, message.key)


def place(anomaly: Anomaly) -> str:
    """What it concerns, in one word: the instance, else the group, else the cluster."""
    own = anomaly.instance_id or anomaly.node_logical_id
    return own or anomaly.instance_group or anomaly.cluster_name or anomaly.cluster_arn
