"""`deadletter list`, `show`, `replay`: values that could not be read, and the way back for them.

Knows: options, tables, the question before anything is written.
Must not know: how letters lie in Kafka (`streams.deadletter`).
"""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.errors import EXIT_CODES, PROBLEMS, CliError, aside, note, usage
from streams.cli.kafka import Brokers, kafka_failures, settings_of
from streams.cli.letters import by_reason, fed_table, no_letters, shown, story, tables
from streams.cli.manner import Manner, present
from streams.cli.options import NoColor, Output, Since
from streams.cli.output import Format
from streams.cli.progress import Progress
from streams.cli.query import Query
from streams.cli.words import reasons

if TYPE_CHECKING:
    from streams.deadletter.letters import Letter
    from streams.deadletter.refeed import Fed
    from streams.settings import Settings

SHOWN = 4000
"""Characters of a value that `show` prints in a table; `-o wide` prints all of them."""
Keys = Annotated[list[str] | None, typer.Argument(metavar="KEY", help="Letters, as `deadletter list` names them.")]
Reasons = Annotated[
    list[str], typer.Option("--reason", metavar="REASON", autocompletion=reasons, help="Only this reason; repeatable.")
]

app = typer.Typer(
    no_args_is_help=True, help="Values that could not be read: list, show, feed again.", epilog=EXIT_CODES
)


@app.command("list", epilog=EXIT_CODES)
def list_(
    reason: Reasons = [],  # noqa: B006 - Typer copies it
    since: Since = None,
    limit: Annotated[int, typer.Option(min=0, max=10_000, help="At most so many letters, the newest first.")] = 20,
    skip: Annotated[int, typer.Option(min=0, help="Leave out so many of the newest: the next page.")] = 0,
    form: Output = Format.table,
    query: Query = None,
    no_color: NoColor = False,
    brokers: Brokers = None,
) -> None:
    """Count dead letters by reason, and list the newest."""
    settings = settings_of({"brokers": brokers})
    known = _letters(settings, since)
    found = [letter for letter in known if not reason or letter.reason in reason]
    found.sort(key=lambda letter: (letter.written_ms, letter.partition, letter.offset), reverse=True)
    page = found[skip : skip + limit]
    reasons = list(by_reason(found))
    manner = Manner(form, query, no_color)
    body = {"total": len(found), "reasons": reasons, "items": [letter.item() for letter in page]}
    none = None if reasons else partial(no_letters, known, reason, since)
    present(manner, body, lambda: tables(reasons, page, manner.screen, manner.wide), none=none)
    if manner.tables and len(found) > skip + len(page) and limit:
        aside(f"{len(page)} of {len(found)}; the next page: --skip {skip + limit}")


@app.command("show", epilog=EXIT_CODES)
def show(
    key: Annotated[str, typer.Argument(metavar="KEY", help="The letter, as `deadletter list` names it.")],
    form: Output = Format.table,
    query: Query = None,
    no_color: NoColor = False,
    brokers: Brokers = None,
) -> None:
    """Show one dead letter: the value, where it came from, what is wrong with it and what to do."""
    from streams.deadletter.letters import data_of
    from streams.reader import reader

    settings = settings_of({"brokers": brokers})
    meant = [letter for letter in _letters(settings, None) if key in (letter.key, letter.id)]
    if not meant:
        raise _not_found([key])
    with kafka_failures(), reader(settings) as asked:
        data = data_of(asked, settings, meant[-1])
    item = shown(meant[-1], data or b"")
    present(Manner(form, query, no_color), item, lambda: story(item, None if form is Format.wide else SHOWN), [item])


@app.command("replay", epilog=EXIT_CODES)
def replay(
    keys: Keys = None,
    reason: Reasons = [],  # noqa: B006
    all_: Annotated[bool, typer.Option("--all", help="Every dead letter that feeding again may help.")] = False,
    since: Since = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be fed again.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    form: Output = Format.table,
    query: Query = None,
    no_color: NoColor = False,
    brokers: Brokers = None,
) -> None:
    """Feed dead letters into the raw topic again, after what broke them is mended.

    Each value once, with the time that it had. What is applied already counts as a duplicate; what is still broken
    becomes a dead letter again, which names this one.
    """
    if not (keys or reason or all_):
        raise usage("nothing is chosen", "give KEYs, --reason REASON or --all")
    if all_ and (keys or reason):
        raise usage("--all leaves nothing to choose", "leave out KEYs and --reason, or --all")
    from streams.deadletter.refeed import choose

    settings = settings_of({"brokers": brokers})
    found = _letters(settings, since)
    known = {name for letter in found for name in (letter.key, letter.id)}
    if missing := [key for key in keys or () if key not in known]:
        raise _not_found(missing)
    chosen = choose(found, keys or (), reason)
    if chosen and not dry_run and not yes:
        _ask(f"Feed {len(chosen)} values into {settings.raw_topic} at {settings.brokers} again?")
    fed = _feed(settings, chosen, dry_run)
    items = [each.item(settings.raw_topic) for each in fed]
    manner = Manner(form, query, no_color)
    present(manner, {"items": items}, lambda: fed_table(items, manner.screen), none=lambda: None)
    done = sum(each.left_out is None for each in fed)
    left = f"; {len(fed) - done} left out" if len(fed) > done else ""
    note(f"{done} values {'would be' if dry_run else 'were'} fed into {settings.raw_topic} again{left}.")


def _letters(settings: Settings, since: int | None) -> list[Letter]:
    from streams.deadletter.letters import letters
    from streams.reader import reader

    with kafka_failures(), reader(settings) as asked:
        return list(letters(asked, settings, since))


def _not_found(keys: list[str]) -> CliError:
    return CliError(f"not found: {', '.join(keys)}", "list them with `hyperpod-state deadletter list`", PROBLEMS)


def _ask(question: str) -> None:
    """Ends the command where the answer is no; where nobody can be asked, that is misuse."""
    if not sys.stdin.isatty():
        raise usage("this writes to Kafka, and nobody can be asked here", "add --yes, or look first with --dry-run")
    if not typer.confirm(question, err=True):
        raise CliError("nothing was fed", code=PROBLEMS)


def _feed(settings: Settings, chosen: list[Letter], dry_run: bool) -> list[Fed]:
    from streams.deadletter.refeed import Fed, copies, feed
    from streams.reader import reader

    with kafka_failures(), reader(settings) as asked:
        prepared = copies(asked, settings, chosen)
        if dry_run:
            return [each if isinstance(each, Fed) else Fed(each.letter, None) for each in prepared]
        fed: list[Fed] = []
        with Progress("feeding", unit="values") as progress:
            for each in feed(settings, prepared) if chosen else ():
                fed.append(each)
                progress(len(fed), len(chosen))
        return fed
