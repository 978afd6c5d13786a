"""The pages about commands: one for the documentation, and a manual page each; all from the commands themselves.

Knows: Typer's commands, the macros of manual pages.
Must not know: what a command does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import Any

from streams.reference.markdown import block, page

WIDTH = 100
"""Columns of the printed help."""
MAN = "docs/man"
SECTION = "1"
STATUS = (
    ("0", "All went well; also where nobody reads the output any more."),
    ("1", "Problems were found: see --fail-on, audit, doctor and topics; or what was named does not exist."),
    ("2", "The command was not used as it is meant: standard error says how it is."),
    ("3", "A worker, Kafka or a file is not there, or does not answer."),
    ("130", "Ctrl-C."),
)
ENVIRONMENT = (
    ("HYPERPOD_STATE_SERVER", "The worker to ask, as --server."),
    (
        "HYPERPOD_STATE_HTTP_TOKEN, HYPERPOD_STATE_HTTP_TOKEN_FILE",
        "The token of the worker, or a file with it.",
    ),
    ("HYPERPOD_STATE_BROKERS", "Kafka's bootstrap servers, as --brokers."),
    ("HYPERPOD_STATE_CONFIG", "A TOML file with any settings, as --config of worker."),
    ("HYPERPOD_STATE_...", "Every other setting of the worker: docs/reference/settings.md."),
    ("HYPERPOD_STATE_TRACE", "Where something should not have happened: print where it did."),
    ("NO_COLOR", "No colours. There are none in pipes and files anyway."),
    ("COLUMNS", "The width of tables. In pipes and files they are as wide as they need."),
)


def cli() -> str:
    """The help of every command, as it is printed on a terminal of 100 columns."""
    parts = (part for words, _, help_ in _every() for part in (f"## {' '.join(words)}", block("text", help_)))
    return page("Commands", *parts)


def man_pages() -> Mapping[str, Callable[[], str]]:
    """By the path of each, what prints it."""
    return {f"{MAN}/{'-'.join(words)}.{SECTION}": partial(_manual, words) for words, _, _ in _every()}


@cache
def _every() -> tuple[tuple[tuple[str, ...], Any, str], ...]:
    """Each command's words, the command, its help; those that have others below them first."""
    from typer.main import get_command

    from streams.cli import PROGRAM
    from streams.cli.app import app

    def below(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any, str]]:
        with _context(command, words) as context:
            yield words, command, command.get_help(context)
        for name, each in getattr(command, "commands", {}).items():
            yield from below(each, (*words, name))

    return tuple(below(get_command(app), (PROGRAM,)))


def _context(command: Any, words: tuple[str, ...]) -> Any:
    return command.make_context(" ".join(words), [], resilient_parsing=True, terminal_width=WIDTH)


def _manual(words: tuple[str, ...]) -> str:
    from streams.cli import PROGRAM

    command = next(each for known, each, _ in _every() if known == words)
    name, top = "-".join(words), len(words) == 1
    first, *rest = (command.help or "").split("\n\n")
    lines = [f'.TH "{name.upper()}" "{SECTION}" "" "{PROGRAM}" "User Commands"', ".SH NAME"]
    lines += [f"{_text(name)} \\- {_text(first).rstrip('.')}", ".SH SYNOPSIS", *_synopsis(command, words)]
    if rest:
        lines += [".SH DESCRIPTION", *(line for each in rest for line in (".PP", _text(each)))]
    with _context(command, words) as context:
        lines += _parameters(command, context)
    if commands := getattr(command, "commands", {}):
        named = {"-".join([*words, each]): made.get_short_help_str(200) for each, made in commands.items()}
        lines += [".SH COMMANDS", *_list((f"{each}({SECTION})", said) for each, said in named.items())]
    lines += [".SH EXIT STATUS", *_list(STATUS)]
    if top:
        lines += [".SH ENVIRONMENT", *_list(ENVIRONMENT)]
    return "\n".join([*lines, ".SH SEE ALSO", *_see(words)]) + "\n"


def _synopsis(command: Any, words: tuple[str, ...]) -> Iterator[str]:
    with _context(command, words) as context:
        yield f".B {_text(' '.join(words))}"
        yield _text(" ".join(command.collect_usage_pieces(context)))


def _parameters(command: Any, context: Any) -> Iterator[str]:
    for title, kind in (("ARGUMENTS", "argument"), ("OPTIONS", "option")):
        found = [each for each in command.get_params(context) if each.param_type_name == kind]
        records = [record for each in found if (record := each.get_help_record(context)) is not None]
        if records:
            yield f".SH {title}"
            yield from _list(records)


def _list(items: Any) -> Iterator[str]:
    for term, said in items:
        yield from (".TP", f"\\fB{_text(term)}\\fR", _text(said) or "\\&")


def _see(words: tuple[str, ...]) -> Iterator[str]:
    """What is above it, or for the first all that it is made of; and the page of the documentation."""
    every = ["-".join(known) for known, _, _ in _every()]
    others = ["-".join(words[:-1])] if len(words) > 1 else every[1:]
    for name in others:
        yield f".BR {_text(name)} ({SECTION}),"
    yield "docs/reference/cli.md"


def _text(words: str) -> str:
    """Words as they are, each line no request, and hyphens that can be copied into a shell."""
    joined = re.sub(r"\s*\n\s*", " ", words).strip()
    safe = joined.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{safe}" if safe.startswith((".", "'")) else safe
