"""A question to the whole fleet: passed on to every worker that owns a part of it, and put together again.

Knows: plans, parts, what a failure of one part means for the whole.
Must not know: which routes exist, how a part is found, Faust, Kafka.

Two rounds: first every worker says what it holds, then each is asked for its share, which it gives only while it holds
exactly that.  So an answer is of the whole fleet, or says what it lacks (`stale=ok`), or is 503.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import msgspec
from fastapi import Request, Response
from pydantic import BaseModel, ValidationError

from models.public import Picture, Time, iso
from streams.web.answers import ApiError, Fresh, GoneError, GoneProblem, packed
from streams.web.lookup import Asked, View, gone_error, look_back, moment
from streams.web.peers import Peers, Reply, Unreachable
from streams.web.plan import OWN, Heard, Incomplete, Plan, whatever, whole
from streams.web.provider import Holdings, Provider
from streams.web.share import HOLDINGS, Part, Share, earliest, header_of, share_of

HOLDINGS_SECONDS, PART_SECONDS, PAST_SECONDS = 3.0, 8.0, 110.0
"""How long another worker is waited for; less than a client waits (`streams.client`)."""
PAUSE = 0.3
"""Partitions that are just being handed over may be whole after it."""
QUICK = 2.5
"""Seconds: what took longer to fail is not tried again, as the client waits."""
PASSED_ON = frozenset({400, 409, 414})
"""What is wrong with the question is wrong for every worker."""
TOOK_TOO_LONG = "history_behind"
"""It would take as long again."""
NOT_LET_IN = frozenset({401, 403})

Find = Callable[[View], Awaitable[Part]]
Merge = Callable[["Whole"], Awaitable[Response]]


@dataclass(frozen=True)
class Whole:
    """The parts of all workers, and how fresh they are together."""

    parts: Sequence[Part]
    fresh: Fresh


class Router:
    """One per application."""

    def __init__(self, provider: Provider, peers: Peers) -> None:
        self._provider, self._peers = provider, peers

    async def answer(
        self,
        request: Request,
        query: Asked,
        find: Find,
        merge: Merge,
        name: str | None = None,
        *,
        every: bool = False,
    ) -> Response:
        """`find` makes a part of one worker's view, `merge` the answer of all parts.

        `name`: of one instance only.  `every`: of all workers, also of those that hold nothing of the fleet.
        """
        share = share_of(request.headers)
        if share is not None:
            part = await self._own(share, query, find, name)
            return Response(msgspec.json.encode(part), media_type="application/json")
        whole = await self._twice(_Question(request, query, find, name, every))
        return await packed(await merge(whole), request)

    async def _twice(self, question: _Question) -> Whole:
        """What failed quickly may do after a pause."""
        began = time.monotonic()
        try:
            return await self._gather(question)
        except Incomplete:
            if time.monotonic() - began > QUICK:
                raise
            await asyncio.sleep(PAUSE)
            return await self._gather(question)

    def holdings(self) -> Holdings:
        """What this worker can tell of."""
        return self._provider.holdings()

    async def _gather(self, question: _Question) -> Whole:
        plan = await self._plan(question)
        at = None if question.query.at is None else moment(question.query.at, plan.as_of)
        addresses = list(plan.shares)
        asked = (self._part(address, plan.shares[address], question, at) for address in addresses)
        found = dict(zip(addresses, await asyncio.gather(*asked, return_exceptions=True), strict=True))
        failures = [each for each in found.values() if isinstance(each, BaseException)]
        if question.stale:
            lost = [address for address, each in found.items() if isinstance(each, Incomplete)]
            plan = _without(plan, lost)
            failures = [each for each in failures if not isinstance(each, Incomplete)]
        if failures or not plan.shares:
            raise _worst(failures, at)
        told = {address: each for address, each in found.items() if isinstance(each, Part)}
        as_of = earliest([part.as_of for address, part in told.items() if plan.shares[address].partitions])
        partial = bool(plan.missing or plan.stale or plan.lost)
        fresh = Fresh(as_of=as_of, lag=plan.lag, partial=partial, missing=plan.missing, stale=plan.stale)
        return Whole(list(told.values()), fresh)

    async def _plan(self, question: _Question) -> Plan:
        """Who answers for what.  ApiError 503 where that is not the whole fleet, and a part of it will not do."""
        own, members = self._provider.holdings(), self._peers.members()
        if not (own.ready or question.stale):
            raise ApiError(503, "not_ready", own.message, "ask again later; /readyz says how far it is")
        heard = Heard(members, {OWN: own})
        found = await asyncio.gather(*map(self._holdings, members.others), return_exceptions=True)
        for address, each in zip(members.others, found, strict=True):
            if isinstance(each, Holdings):
                heard.said[address] = each
            elif isinstance(each, ApiError):
                heard.failed[address] = str(each)
            else:
                raise each
        if question.stale:
            return whatever(heard, question.query.at is not None, question.every)
        return whole(heard, question.every)

    async def _holdings(self, address: str) -> Holdings:
        reply = await self._ask(address, HOLDINGS, {}, HOLDINGS_SECONDS)
        try:
            return Holdings.model_validate_json(reply.body)
        except ValidationError:
            raise Incomplete(f"{address} answers, but not as a worker of this version") from None

    async def _part(self, address: str, share: Share, question: _Question, at: int | None) -> Part:
        if address == OWN:
            return await self._own(share, question.at(at), question.find, question.name)
        seconds = PART_SECONDS if at is None else PAST_SECONDS
        reply = await self._ask(address, question.target(at), dict(header_of(share)), seconds)
        try:
            return msgspec.json.decode(reply.body, type=Part)
        except msgspec.MsgspecError:
            raise Incomplete(f"{address} answers, but not as a worker of this version") from None

    async def _ask(self, address: str, target: str, headers: dict[str, str], seconds: float) -> Reply:
        try:
            reply = await self._peers.ask(address, target, headers, seconds)
        except Unreachable as error:
            raise Incomplete(str(error)) from None
        if reply.status == 200:
            return reply
        raise _failure(address, reply)

    async def _own(self, share: Share, query: Asked, find: Find, name: str | None) -> Part:
        """This worker's part, out of exactly the partitions that are asked for."""
        as_of = self._check(share)
        part = await find(await self._view(share, query, self._shown(share), name))
        if query.at is not None or part.as_of is None:
            part.as_of = as_of if query.at is None else iso(moment(query.at, share.as_of))
        self._check(share)
        return part

    def _shown(self, share: Share) -> Picture:
        """The picture of these partitions: the present one is made once, what was last known is joined each time."""
        held = self._provider.holdings()
        present = {each.partition for each in held.partitions if each.fresh}
        if not share.stale or (held.ready and present == set(share.partitions)):
            return self._provider.picture()
        return self._provider.last(share.partitions)

    async def _view(self, share: Share, query: Asked, picture: Picture, name: str | None) -> View:
        if query.at is None:
            return View(picture, share.as_of, picture)
        at = moment(query.at, share.as_of)
        view = View(picture, iso(at), picture)
        wanted = view.arns(query.cluster)
        if share.stale:
            here = {item.cluster_arn for item in picture.clusters}
            wanted = here if wanted is None else here & wanted
        return View(await look_back(self._provider, at, wanted, name, picture), iso(at), picture)

    def _check(self, share: Share) -> Time | None:
        """The moment of these partitions.  Incomplete where they are not here, or not as they are wanted."""
        held = self._provider.holdings()
        found = {each.partition: each for each in held.partitions if share.stale or each.fresh}
        same = (held.fleet, held.generation) == (share.fleet, share.generation)
        if share.stale and same and found.keys() >= set(share.partitions):
            return earliest([found[number].as_of for number in share.partitions])
        if not (held.ready and same and found.keys() == set(share.partitions)):
            raise Incomplete(f"partitions are being shared out: {held.message}")
        return earliest([each.as_of for each in found.values()])


@dataclass(frozen=True)
class _Question:
    """What a client asked, and how a part of the answer is found here."""

    request: Request
    query: Asked
    find: Find
    name: str | None
    every: bool

    @property
    def stale(self) -> bool:
        return self.query.stale == "ok"

    def at(self, at: int | None) -> Asked:
        """The same question of one moment, whatever it was relative to."""
        assert isinstance(self.query, BaseModel)
        return self.query if at is None else self.query.model_copy(update={"at": iso(at)})

    def target(self, at: int | None) -> str:
        """Path and query for another worker."""
        given = self.request.query_params.multi_items()
        pairs = [(name, value) for name, value in given if name != "at"]
        pairs += [] if at is None else [("at", iso(at))]
        path = self.request.scope["raw_path"].decode("ascii")
        # No longer than what the client sent, which was within the bound: an ARN has many a colon and slash.
        return f"{path}?{urlencode(pairs, safe=':/,')}" if pairs else path


def _failure(address: str, reply: Reply) -> ApiError:
    """What another worker's refusal means for the whole."""
    if reply.status in NOT_LET_IN:
        need = "all need one HYPERPOD_STATE_HTTP_TOKEN, and certificates that all believe"
        return Incomplete(f"{address} does not let this worker in: {need}")
    try:
        body = msgspec.json.decode(reply.body)["error"]
        code, message, hint = str(body["code"]), str(body["message"]), str(body["hint"])
    except (msgspec.MsgspecError, LookupError, TypeError):
        return Incomplete(f"{address} answers {reply.status}, not as a worker of this version would")
    if reply.status == 410:
        return GoneError(message, hint, body.get("oldest_at"))
    if reply.status in PASSED_ON or code == TOOK_TOO_LONG:
        return ApiError(reply.status, code, message, hint)
    return Incomplete(f"{address}: {message}")


def _without(plan: Plan, lost: Sequence[str]) -> Plan:
    """What is left when some of the workers did not answer after all."""
    gone = {number for address in lost for number in plan.shares[address].partitions}
    return Plan(
        {address: share for address, share in plan.shares.items() if address not in lost},
        plan.as_of,
        plan.lag,
        tuple(sorted({*plan.missing, *gone})),
        tuple(each for each in plan.stale if each.partition not in gone),
        plan.lost or any(not plan.shares[address].partitions for address in lost),
    )


def _worst(failures: Sequence[BaseException], at: int | None) -> BaseException:
    """The one failure that stands for all: what is not whole may be so later, what is gone is gone for all."""
    for kind in (Incomplete, ApiError):
        for each in failures:
            if isinstance(each, kind) and not isinstance(each, GoneError):
                return each
    gone = [each.problem for each in failures if isinstance(each, GoneError)]
    if not gone:
        return failures[0] if failures else Incomplete("no worker answered")
    known = [each.oldest_at for each in gone if isinstance(each, GoneProblem) and each.oldest_at is not None]
    return gone_error(at or 0, max(known, default=None))
