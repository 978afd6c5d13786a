"""`history [KIND] NAME`: the story of one instance, slot, instance group or cluster, as a worker keeps it.

Knows: what a name may be of, the columns of a change.
Must not know: how the worker found it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from streams.cli import nouns, output, table
from streams.cli.ask import Incomplete, client_of, known
from streams.cli.errors import PROBLEMS, CliError, named, usage
from streams.cli.manner import Manner, present
from streams.cli.names import with_history
from streams.cli.options import DEFAULT_SERVER, AtWorker, Cluster, Kind, NoColor, Output, Server, StaleOk, Watch
from streams.cli.output import Format
from streams.cli.query import Query
from streams.cli.table import Cell, text
from streams.cli.views import Column, Item
from streams.cli.watch import Key, Subject, check, watch
from streams.client import Listing

if TYPE_CHECKING:
    from streams.client import Client


def _kinds(incomplete: str) -> list[str]:
    return nouns.beginning(Kind, incomplete)


Called = Annotated[
    list[str],
    typer.Argument(
        metavar="[KIND] NAME",
        autocompletion=with_history,
        help="An EC2 id, a slot's logical id, a group's or cluster's name, or an ARN; its kind may be left out.",
    ),
]
KindOption = Annotated[
    Kind | None,
    typer.Option(
        "--kind",
        metavar="KIND",
        parser=nouns.reader(Kind),
        autocompletion=_kinds,
        help="Of what, where a name is that of several: instance, group or cluster.",
    ),
]
ELSEWHERE: dict[str | None, str] = {"anomaly": "describe anomaly ID", "rollout": "get rollouts"}
"""What is to be read of the kinds that have none."""
PATHS = {Kind.instance: "instances", Kind.group: "instance-groups", Kind.cluster: "clusters"}


def history(
    called: Called,
    kind: KindOption = None,
    cluster: Cluster = [],  # noqa: B006 - Typer copies it
    watch_: Watch = False,
    at: AtWorker = None,
    stale_ok: StaleOk = False,
    form: Output = Format.table,
    query: Query = None,
    no_color: NoColor = False,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Tell what happened to an instance, group or cluster, oldest first: each step, the event behind it, and its id."""
    manner = Manner(form, query, no_color)
    kind, name = _named(called, kind)
    if watch_:
        check(manner, at)
    client = client_of(server, at, stale_ok=stale_ok)
    path, answer = _meant(client, name, [kind] if kind else list(Kind), cluster)
    if watch_:
        watch(client, _subject(client, (path, name, cluster), manner), _listing(answer), manner)
        return
    items = [with_words(change) for change in answer["items"]]
    present(
        manner,
        {**answer, "items": items},
        lambda: changes(items, manner.screen, manner.wide),
        none=lambda: f"No event of {name} is kept.",
    )


def _named(words: list[str], kind: Kind | None) -> tuple[Kind | None, str]:
    """The kind, where one is said, and the name: `history instance i-1` as `describe` has it, or the name alone."""
    *before, name = map(named, words)
    if not before:
        return kind, name
    said = [nouns.noun(word) for word in before]
    of = said[0].one if said[0] else None
    if len(before) == 1 and of in ELSEWHERE:
        raise usage(f"{before[0]!r} is no kind that has a history", f"see `hyperpod-state {ELSEWHERE[of]}`")
    if len(before) > 1 or of not in list(Kind):
        raise usage(f"{' '.join(words)!r} is more than one name", "give one: `hyperpod-state history [KIND] NAME`")
    if kind is not None and kind != of:
        raise usage(f"{before[0]!r} and --kind {kind} are different kinds", "say one of them")
    return Kind(of), name


def _meant(client: Client, name: str, kinds: list[Kind], clusters: list[str]) -> tuple[str, dict[str, Any]]:
    """What is called so, and its history."""
    those: dict[Kind, dict[str, Any]] = {}
    unsure: Incomplete | None = None
    for each in kinds:
        try:
            if (answer := told(client, PATHS[each], name, clusters)) is not None:
                those[each] = answer
        except Incomplete as error:
            unsure = error
    if not those and unsure is not None:
        raise unsure
    if not those:
        what = " and no ".join(kinds)
        listed = " or ".join(f"`hyperpod-state get {each}s`" for each in kinds)
        raise CliError(f"no {what} is called {name!r}", f"list them with {listed}", PROBLEMS)
    if len(those) > 1:
        raise usage(f"{name!r} is the name of {' and '.join(f'a {each}' for each in those)}", "say which with --kind")
    ((only, answer),) = those.items()
    return PATHS[only], answer


def _subject(client: Client, asked: tuple[str, str, list[str]], manner: Manner) -> Subject:
    return Subject(
        ask=lambda: _listing(_still(client, asked)),
        columns=lambda _: _columns(manner.screen, manner.wide),
        key=_key,
        gone=_withdrawn,
        bare=True,
    )


def _key(item: Item) -> Key:
    return tuple(item[part] for part in ("time", "event_id", "machine", "from", "to"))


def _withdrawn(lost: list[Item], before: Sequence[Item], now: Sequence[Item]) -> list[Item]:
    """A worker keeps the newest: where the list is full, what came before all that is still there was pushed out."""
    from models.rows import HISTORY

    if len(now) < HISTORY:
        return lost
    there = {_key(item) for item in now}
    pushed_out = next((place for place, item in enumerate(before) if _key(item) in there), len(before))
    return lost[pushed_out:]


def _still(client: Client, asked: tuple[str, str, list[str]]) -> dict[str, Any]:
    """The history; ends the command where the worker has forgotten whose it is."""
    answer = told(client, *asked)
    if answer is None:
        raise CliError(f"{asked[1]!r} is no longer known", "the worker has forgotten it", PROBLEMS)
    return answer


def _listing(answer: dict[str, Any]) -> Listing:
    missing = tuple(answer.get("missing", ()))
    return Listing([with_words(change) for change in answer["items"]], answer["as_of"], answer["lag"], missing)


def told(client: Client, kind: str, name: str, clusters: list[str]) -> dict[str, Any] | None:
    """The history of that name; None where no such thing is called so."""
    return known(client, f"{kind}/{quote(name, safe='')}/history", clusters)


def with_words(change: dict[str, Any]) -> dict[str, Any]:
    """A change of the API, with AWS's name and text of its event."""
    from models.catalogue import BY_CODE
    from models.explain import event_of

    code = change["code"]
    return {**change, "event": event_of(code), "text": BY_CODE[code].text if code in BY_CODE else None}


def changes(items: list[dict[str, Any]], screen: output.Screen, wide: bool = False) -> str:
    """Changes as a table; those of several instances say whose they are."""
    columns = _columns(screen, wide)
    if items and "instance" in items[0]:
        columns.insert(1, ("INSTANCE", lambda item: text(item["instance"])))
    rows = [[cell(item) for _, cell in columns] for item in items]
    return table.render([title for title, _ in columns], rows, screen)


def _columns(screen: output.Screen, wide: bool) -> list[Column]:
    return [
        ("TIME", lambda item: text(item["time"])),
        ("MACHINE", lambda item: text(item["machine"])),
        ("CHANGE", lambda item: Cell(_step(item, screen))),
        ("CAUSE", lambda item: text(item["code"])),
        ("EVENT ID", lambda item: text(item["event_id"])),
        ("IN WORDS", lambda item: text((item.get("text") if wide else None) or item["event"])),
    ]


def _step(item: dict[str, Any], screen: output.Screen) -> str:
    if item["machine"] is None:
        return "-"
    return f"{item['from'] or '?'} {'→' if screen.unicode else '->'} {item['to']}"
