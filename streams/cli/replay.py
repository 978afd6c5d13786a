"""`replay FILE…`: the reconstruction from files, no broker needed.

Knows: how the document is printed.
Must not know: how files are read or states are found (`streams.replay`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from models.deadlines import Thresholds
from models.public import Document, Summary, dumps, iso
from models.public_silence import Silence
from streams import config_file, garbage
from streams.cli import output, views
from streams.cli.errors import EXIT_CODES, UNAVAILABLE, USAGE, CliError
from streams.cli.get import fail_if, kind_table
from streams.cli.options import At, FailOn, NoColor, Now, Output
from streams.cli.output import Format
from streams.cli.progress import Progress
from streams.files import FilesError
from streams.silences import NotASilence, read_file

LISTS = (
    ("clusters", "cluster"),
    ("instance_groups", "instance_group"),
    ("instances", "instance"),
    ("anomalies", "anomaly"),
    ("dead_letters", "dead_letter"),
)
Files = Annotated[
    list[str],
    typer.Argument(metavar="FILE", help="JSON, JSONL or either gzipped, in any wrapping; - is standard input."),
]

Config = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="TOML with deadlines and windows, or a worker's file that has them."),
]

SilenceFile = Annotated[
    Path | None,
    typer.Option("--silences", metavar="FILE", help="Silences, one JSON record a line, as `silence list -o jsonl`."),
]


def replay(
    files: Files,
    now: Now = None,
    at: At = None,
    fail_on: FailOn = None,
    form: Output = Format.table,
    no_color: NoColor = False,
    config: Config = None,
    silences: SilenceFile = None,
) -> None:
    """Reconstruct state and anomalies from files of events.

    TIME is ISO 8601, epoch seconds or milliseconds, or a distance from now such as -10m.
    """
    from streams.replay import replay as reconstruct

    by: dict[str, Any] = {
        "thresholds": None if config is None else _thresholds(config),
        "silences": () if silences is None else _silences(silences),
    }
    garbage.look_rarely()
    try:
        with Progress("reading") as progress:
            document = reconstruct(files, now_ms=now, at_ms=at, progress=progress, **by)
    except (OSError, FilesError) as error:
        raise unreadable(error, files) from None
    clock = at if at is not None else now
    show(document, form, no_color, document.summary.watermark if clock is None else iso(clock))
    fail_if(_dicts(document.anomalies), fail_on)


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


def show(document: Document, form: Format, no_color: bool, now: str | None) -> None:
    """Prints the document; ages in tables are distances from `now`."""
    if form is Format.json:
        output.write_json(dumps(document))
    elif form is Format.yaml:
        output.write_object(form, document.model_dump(mode="json"))
    elif form is Format.jsonl:
        output.write_lines(_lines(document))
    else:
        output.write(_tables(document, output.screen(no_color), form is Format.wide, now))


def _lines(document: Document) -> Iterator[dict[str, Any]]:
    """Every item on its own line, its list's name in the singular as `type`."""
    yield {"type": "summary", **document.summary.model_dump(mode="json")}
    for name, word in LISTS:
        for item in getattr(document, name):
            yield {"type": word, **item.model_dump(mode="json")}


def _dicts(items: tuple[Any, ...]) -> list[views.Item]:
    return [item.model_dump(mode="json", exclude={"history"}) for item in items]


def _tables(document: Document, screen: output.Screen, wide: bool, now: str | None) -> str:
    clusters, anomalies = _dicts(document.clusters), _dicts(document.anomalies)
    opened = [item for item in anomalies if item["status"] == "open"]
    ctx = views.context(now, clusters, anomalies)
    lists = [
        ("clusters", "clusters", clusters),
        ("instance groups", "groups", _dicts(document.instance_groups)),
        ("instances", "instances", _dicts(document.instances)),
        ("open anomalies", "anomalies", _worst_first(opened)),
    ]
    parts = [summary_lines(document.summary)]
    parts += [
        _section(title, items, kind_table(kind, items, ctx, screen, wide)) for title, kind, items in lists if items
    ]
    if not opened:
        parts.append(f"NO OPEN ANOMALIES ({len(anomalies)} resolved)\n")
    return "\n".join([*parts, *_dead_letters(document)])


def _section(title: str, items: list[views.Item], body: str) -> str:
    return f"{title.upper()} ({len(items)})\n{body}"


def _worst_first(items: list[views.Item]) -> list[views.Item]:
    return sorted(items, key=lambda item: -views.severity_rank(item["severity"]))


def summary_lines(summary: Summary) -> str:
    """The counts in words, so that one sees that they add up."""
    ignored = sum(summary.ignored.values())
    first = f"read {summary.read}: {summary.applied} applied, {summary.duplicate} duplicate, {ignored} ignored, "
    second = f"late {summary.late}, unrecognized {summary.unrecognized}, newest event {summary.watermark or '-'}"
    return f"{first}{summary.dead_lettered} dead-lettered\n{second}\n"


def _dead_letters(document: Document) -> list[str]:
    reasons = Counter(letter.reason for letter in document.dead_letters)
    if not reasons:
        return []
    words = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
    return [f"DEAD LETTERS ({reasons.total()})\n{words}; see them with -o json\n"]
