"""What a command raises to end with a message, and how any failure becomes one.

Knows: exit codes 0 ok, 1 problems found, 2 usage, 3 unavailable; how a message looks.
Must not know: any command.
"""

from __future__ import annotations

import os
import sys
import traceback

from streams.cli.text import printable

PROBLEMS, USAGE, UNAVAILABLE = 1, 2, 3
EXIT_CODES = "Exit codes: 0 ok, 1 problems found, 2 usage, 3 unavailable."
TRACE = "HYPERPOD_STATE_TRACE"


class CliError(Exception):
    """Ends the command: what is wrong, what to do next, and the exit code."""

    def __init__(self, message: str, hint: str | None = None, code: int = UNAVAILABLE) -> None:
        super().__init__(message)
        self.hint = hint
        self.code = code


def note(message: str) -> None:
    """A line beside the data, on standard error."""
    _print([printable(message)])


def aside(sentence: str | None) -> None:
    """What the data does not say of itself, as `note: …` on standard error; None: there is nothing to say."""
    if sentence:
        note(f"note: {sentence}")


def usage(message: str, hint: str | None = None) -> CliError:
    """The caller asked for something that cannot be meant."""
    return CliError(message, hint, USAGE)


def readable(words: list[str]) -> list[str]:
    """The words of a command line, where they are text: nothing has a name of other bytes."""
    for word in words:
        if not word.isprintable() and any("\ud800" <= c <= "\udfff" for c in word):
            raise usage(f"{word} is not UTF-8", "the terminal may send another encoding: see `locale`")
    return words


def named(name: str) -> str:
    """A name that can be asked for: an empty one is a variable that is not set."""
    if not name.strip():
        raise usage("the name is empty", "is a variable of your shell not set?")
    return name


def report(error: BaseException) -> int:
    """Prints any failure as `error: …` with the way out, never a traceback; returns the exit code."""
    if isinstance(error, CliError):
        return _say(str(error), error.hint, error.code)
    if isinstance(error, OSError):
        return _say(_of_system(error), None, UNAVAILABLE)
    if os.environ.get(TRACE):
        traceback.print_exception(error)
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return _say(text, f"this should not happen: run it again with {TRACE}=1 and report what it prints", UNAVAILABLE)


def _of_system(error: OSError) -> str:
    why = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {why}" if error.filename else why


def _say(message: str, hint: str | None, code: int) -> int:
    _print([_indented(f"error: {message}")] + ([_indented(f"  {hint}")] if hint else []))
    return code


def _indented(text: str) -> str:
    """Lines stay lines, but none of them can pass for a message of its own."""
    return printable(text, keep_newlines=True).replace("\n", "\n  ")


def _print(lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, AttributeError, ValueError):
        return  # nobody listens on standard error: the exit code has to do
