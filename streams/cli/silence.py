"""`silence add|list|expire`: anomalies that somebody expects for a while.

Knows: the options that make matchers, how silences are shown.
Must not know: Kafka (`streams.silence_topic`), how a silence matches.
"""

from __future__ import annotations

import getpass
import re
import time
import uuid
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

import typer

from models.public_anomaly import AnomalyKind, Severity
from models.public_silence import Silence
from models.timestamps import iso
from streams import times
from streams.cli import names, output, table, words
from streams.cli.errors import EXIT_CODES, PROBLEMS, CliError, usage
from streams.cli.kafka import Brokers, kafka_failures, settings_of
from streams.cli.manner import Manner, present
from streams.cli.options import NoColor, Output
from streams.cli.output import Format
from streams.cli.query import Query
from streams.cli.table import text
from streams.cli.text import printable
from streams.cli.times import age

app = typer.Typer(no_args_is_help=True, help="Say which anomalies are expected for a while.", epilog=EXIT_CODES)
ID_LENGTH = 12


class State(StrEnum):
    """Where a silence is in its life."""

    active = "active"
    pending = "pending"
    expired = "expired"


def _pattern(help_: str, complete: Callable[..., words.Found] | None = None) -> Any:
    return typer.Option(metavar="PATTERN", autocompletion=complete, help=help_)


@app.command("add", epilog=EXIT_CODES)
def add(
    until: Annotated[str, typer.Option(metavar="TIME|DURATION", help="When it ends: a time, or 2h, 30m, 7d.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, for whoever meets it.")],
    cluster: Annotated[str | None, _pattern("Clusters, by name or ARN.", names.clusters)] = None,
    group: Annotated[str | None, _pattern("Instance groups.", names.groups)] = None,
    instance: Annotated[str | None, _pattern("Instances, by EC2 id or logical id.", names.instances)] = None,
    kind: Annotated[str | None, _pattern("Kinds of anomalies, such as stuck or '*_failed'.", words.kinds)] = None,
    severity: Annotated[str | None, _pattern("Severities.", words.severities)] = None,
    cause: Annotated[str | None, _pattern("Causes.", words.causes)] = None,
    anomaly: Annotated[str | None, _pattern("Anomalies, by id.", names.anomalies)] = None,
    begins: Annotated[
        str, typer.Option("--from", metavar="TIME", help="When it begins: a time, or a distance from now.")
    ] = "now",
    by: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who wants it.  [default: who you are logged in as]")
    ] = None,
    brokers: Brokers = None,
) -> None:
    """Silence the anomalies that fit every pattern given; prints the silence's id.

    Patterns are those of a shell; quote them.  Silenced anomalies stay visible and carry the id in silenced_by.
    """
    given = {"cluster": cluster, "group": group, "instance": instance, "kind": kind, "severity": severity}
    given |= {"cause": cause, "anomaly": anomaly}
    matchers = {name: pattern for name, pattern in given.items() if pattern is not None}
    _check(matchers)
    now = time.time()
    starts = _moment(begins, now, "--from")
    made = Silence(
        silence_id=uuid.uuid4().hex[:ID_LENGTH],
        matchers=matchers,
        starts_at=iso(starts),
        until=iso(_end(until, starts, now)),
        created_by=_me() if by is None else by,
        reason=reason,
        created_at=iso(int(now * 1000)),
    )
    _write([made], brokers)
    output.write(f"{made.silence_id}\n")


@app.command("list", epilog=EXIT_CODES)
def list_(
    expired: Annotated[bool, typer.Option("--expired", help="Those that have ended as well.")] = False,
    brokers: Brokers = None,
    form: Output = Format.table,
    query: Query = None,
    no_color: NoColor = False,
) -> None:
    """Silences that hold now or will."""
    now = iso(int(time.time() * 1000))
    known = _known(brokers)
    shown = [each for each in known if expired or _state(each, now) is not State.expired]
    items = [{**each.model_dump(mode="json"), "state": _state(each, now).value} for each in shown]
    manner = Manner(form, query, no_color)
    present(manner, {"items": items}, lambda: _table(items, now, manner), none=lambda: _none(len(known)))


@app.command("expire", epilog=EXIT_CODES)
def expire(
    ids: Annotated[list[str], typer.Argument(metavar="ID", help="As add printed them, and as list shows them.")],
    brokers: Brokers = None,
) -> None:
    """End silences now; their anomalies are heard of again."""
    now = iso(int(time.time() * 1000))
    there = {each.silence_id: each for each in _known(brokers)}
    missing = [name for name in ids if name not in there]
    if missing:
        raise CliError(f"not found: {', '.join(missing)}", "list them with `hyperpod-state silence list`", PROBLEMS)
    ended = [each for name in ids if _state(each := there[name], now) is not State.expired]
    _write([_ended(each, now) for each in ended], brokers)
    for name in ids:
        output.write(f"{printable(name)}{' expired' if there[name] in ended else ' had expired before'}\n")


def _none(ended: int) -> str:
    if not ended:
        return "No silences."
    return f"No silence holds now or will; {ended} ended: `hyperpod-state silence list --expired`."


def _ended(silence: Silence, now: str) -> Silence:
    """One that has not begun yet never will."""
    return silence.model_copy(update={"until": now, "starts_at": min(silence.starts_at, now)})


def _check(matchers: dict[str, str]) -> None:
    """Words of a closed vocabulary that are no patterns must be in it: a typing error would silence nothing."""
    if not matchers:
        raise usage("nothing says what to silence", "give --cluster, --kind or another; --cluster '*' is everything")
    for name, allowed in (("kind", AnomalyKind), ("severity", Severity)):
        word = matchers.get(name, "*")
        if not re.search(r"[*?\[]", word) and word not in [str(each) for each in allowed]:
            raise usage(f"no {name} is called {word!r}", f"one of {', '.join(allowed)}")


def _moment(word: str, now: float, option: str) -> int:
    try:
        return times.parse(word, now)
    except ValueError as error:
        raise usage(f"{option}: {error}") from None


def _end(word: str, starts: int, now: float) -> int:
    """A bare duration counts from the beginning."""
    if times.RELATIVE.fullmatch(f"+{word}"):
        return _moment(f"+{word}", starts / 1000, "--until")
    ends = _moment(word, now, "--until")
    if ends <= starts:
        raise usage("--until: it would end before it begins", "give a later time, or a duration such as 2h")
    return ends


def _me() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise usage("nobody knows who you are", "say so with --by NAME") from None


def _state(silence: Silence, now: str) -> State:
    if silence.until <= now:
        return State.expired
    return State.active if silence.starts_at <= now else State.pending


def _known(brokers: str | None) -> list[Silence]:
    settings = settings_of({"brokers": brokers})
    from streams import silence_topic

    with kafka_failures():
        return silence_topic.known(settings)


def _write(silences: list[Silence], brokers: str | None) -> None:
    settings = settings_of({"brokers": brokers})
    from streams import silence_topic

    with kafka_failures():
        silence_topic.write(settings, silences)


def _table(items: list[dict[str, Any]], now: str, manner: Manner) -> str:
    titles = ["ID", "STATE", "MATCHERS", "LEFT", "BY", "REASON"] + (["FROM", "UNTIL", "CREATED"] if manner.wide else [])
    rows = []
    for item in items:
        matchers = ", ".join(f"{name}={pattern}" for name, pattern in item["matchers"].items())
        left = "-" if item["state"] == State.expired else age(now, item["until"])
        row = [item["silence_id"], item["state"], matchers, left, item["created_by"], item["reason"]]
        rows.append(
            [
                text(cell)
                for cell in row + ([item["starts_at"], item["until"], item["created_at"]] if manner.wide else [])
            ]
        )
    return table.render(titles, rows, manner.screen)
