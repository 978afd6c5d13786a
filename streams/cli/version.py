"""`hyperpod-state --version`.

Knows: how it is printed: a name and a version a line, those of the project first.
Must not know: where a version comes from.
"""

from __future__ import annotations

from typing import Annotated

import typer

from streams.cli import output


def _told(wanted: bool) -> None:
    if not wanted:
        return
    from streams.version import about

    output.write("".join(f"{name} {version}\n" for name, version in about()))
    raise typer.Exit


def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_told, is_eager=True, help="Print the version, and of what it is made, and exit."
        ),
    ] = False,
) -> None:
    """What stands before any command."""
    del version
