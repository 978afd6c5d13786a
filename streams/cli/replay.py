"""`replay FILE…`: the reconstruction from files, no broker needed.

Knows: its options, what misuse is.
Must not know: how files are read or states are found (`streams.replay`), how the document is printed.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from models.deadlines import Thresholds
from models.public import iso
from models.public_silence import Silence
from streams import config_file, garbage
from streams.cli.document import dicts, show
from streams.cli.errors import EXIT_CODES, UNAVAILABLE, USAGE, CliError
from streams.cli.fail_on import FailOn, fail_if
from streams.cli.manner import Manner
from streams.cli.options import At, NoColor, Now, Output
from streams.cli.output import Format
from streams.cli.progress import Progress
from streams.cli.query import Query
from streams.files import FilesError
from streams.silences import NotASilence, read_file

Files = Annotated[
    list[str],
    typer.Argument(metavar="FILE", help="JSON, JSONL or either gzipped, in any wrapping; - is standard input."),
]

Config = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="TOML with deadlines and windows, or a worker's file that has them."),
]

Jobs = Annotated[
    int | None,
    typer.Option(
        min=1, max=256, help="Processes that share the clusters, where there is much to read.  [default: one a core]"
    ),
]

SilenceFile = Annotated[
    Path | None,
    typer.Option("--silences", metavar="FILE", help="Silences, one JSON record a line, as `silence list -o jsonl`."),
]


def replay(
    files: Files,
    now: Now = None,
    at: At = None,
    fail_on: FailOn = [],  # noqa: B006 - Typer copies it
    form: Output = Format.table,
    query: Query = None,
    no_color: NoColor = False,
    config: Config = None,
    silences: SilenceFile = None,
    jobs: Jobs = None,
) -> None:
    """Reconstruct state and anomalies from files of events.

    TIME is ISO 8601, epoch seconds or milliseconds, or a distance from now such as -10m.
    """
    from streams.replay import CrewError, Terms, reconstruct

    thresholds = None if config is None else _thresholds(config)
    terms = Terms(at, thresholds=thresholds, silences=() if silences is None else _silences(silences))
    garbage.look_rarely()
    try:
        with ExitStack() as until:
            with Progress("reading", unit="bytes") as reading, Progress("judging") as judging:
                made = reconstruct(files, terms, now_ms=now, jobs=jobs, reading=reading, judging=judging)
                document = until.enter_context(made)
            clock = at if at is not None else now
            show(document, Manner(form, query, no_color), document.summary.watermark if clock is None else iso(clock))
            fail_if(dicts(document.items("anomalies")), fail_on)
    except (OSError, FilesError) as error:
        raise unreadable(error, files) from None
    except CrewError as error:
        raise CliError(str(error)) from None


replay.__epilog__ = EXIT_CODES  # type: ignore[attr-defined]


def _thresholds(path: Path) -> Thresholds:
    """The file's own, or of a file of the worker's settings the part that is called so."""
    try:
        told = config_file.read(path)
        return Thresholds.model_validate(told.get("thresholds", told))
    except ValidationError as error:
        words = "; ".join(f"{'.'.join(map(str, wrong['loc']))}: {wrong['msg']}" for wrong in error.errors())
        raise CliError(f"{path}: {words}", code=USAGE) from None
    except config_file.BadFile as error:
        raise CliError(str(error), code=USAGE) from None


def _silences(path: Path) -> list[Silence]:
    try:
        return read_file(path)
    except NotASilence as error:
        raise CliError(str(error), code=USAGE) from None
    except OSError as error:
        raise CliError(f"{path}: {error.strerror}", code=USAGE) from None


def unreadable(error: OSError | FilesError, files: list[str]) -> CliError:
    """A file that was named and cannot be opened or read is misuse; anything else is the machine's trouble."""
    if isinstance(error, FilesError):
        return CliError(str(error), code=USAGE)
    why = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    return CliError(why, code=USAGE if error.filename in files else UNAVAILABLE)
