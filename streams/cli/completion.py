"""`completion SHELL`: the script that lets a shell complete commands, options, words and names.

Knows: where each shell looks for such a script.
Must not know: what is completed (`streams.cli.words`, `streams.cli.names`), how (`streams.cli.shells`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from streams.cli import output


class Shell(StrEnum):
    """Shells that there is a script for."""

    bash = "bash"
    zsh = "zsh"
    fish = "fish"


def completion(shell: Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")]) -> None:
    """Print the script that completes commands, options, kinds, phases, and names of what a worker knows.

    bash: hyperpod-state completion bash > ~/.local/share/bash-completion/completions/hyperpod-state

    zsh: hyperpod-state completion zsh > ~/.zfunc/_hyperpod-state, with fpath=(~/.zfunc $fpath) before compinit

    fish: hyperpod-state completion fish > ~/.config/fish/completions/hyperpod-state.fish

    Or for one shell alone: source <(hyperpod-state completion bash).  Names come from the worker that --server or
    HYPERPOD_STATE_SERVER names, within half a second; where none answers, there are none.
    """
    from streams.cli.shells import script

    output.write(script(shell.value))
