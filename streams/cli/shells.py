"""What a shell asks when somebody presses Tab, and what it is told: a line for each word that may come next.

Knows: the scripts of bash, zsh and fish, and what a line of an answer has: `plain`, `file` or `dir`, a word, its help.
Must not know: which words there are (`streams.cli.words`, `streams.cli.names`).

Typer has scripts of its own.  With them zsh offers nothing at the first Tab, complains in the middle of the prompt
where the program is not on the path, and in all three a name of a file that was begun cannot be completed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.cli import PROGRAM, output

if TYPE_CHECKING:
    from typer import Typer

LINE = "_HYPERPOD_STATE_COMPLETE_LINE"
"""The variable with the command line up to the cursor."""
PATHS = {"FILE": "file", "[FILE]...": "file", "PATH": "file", "DIR": "dir"}
"""What is called so is completed by the shell, which knows its files."""

BASH = r"""
_hyperpod_state() {
    local kind value help
    COMPREPLY=()
    while IFS=$'\t' read -r kind value help; do
        case $kind in
            file) compopt -o default ;;
            dir) compopt -o dirnames ;;
            plain) COMPREPLY+=("$value") ;;
        esac
    done < <(%(line)s="${COMP_LINE:0:COMP_POINT}" "${1/#\~/$HOME}" 2>/dev/null)
}
complete -F _hyperpod_state %(program)s
"""
ZSH = r"""#compdef %(program)s

_%(program)s() {
    local told kind value help line="${(j: :)words[1,CURRENT-1]} $PREFIX" program=${(Q)words[1]}
    local -a offered
    compset -P 1 '--*='
    for told in "${(@f)$(%(line)s=$line ${program/#\~/$HOME} 2>/dev/null)}"; do
        IFS=$'\t' read -r kind value help <<<$told
        case $kind in
            file) _files && return ;;
            dir) _files -/ && return ;;
            plain) offered+=("${value//:/\\:}${help:+:$help}") ;;
        esac
    done
    (( $#offered )) && _describe -V %(program)s offered
}

if [[ $funcstack[1] == _%(program)s ]]; then
    _%(program)s "$@"
elif (( $+functions[compdef] )); then
    compdef _%(program)s %(program)s
else
    print -u2 '%(program)s: completion comes after: autoload -Uz compinit && compinit'
fi
"""
FISH = r"""
function __hyperpod_state_complete
    set -l current (commandline -ct)
    set -l option (string match -r -- '^--[^=]+=' $current)
    set -l program (string replace -r -- '^~' $HOME (commandline -opc)[1])
    set -lx %(line)s (commandline -cp | string collect)
    for told in ($program 2>/dev/null)
        set -l parts (string split -m 2 -- \t $told)
        switch $parts[1]
            case file
                __fish_complete_path (string replace -- "$option" '' $current)
            case dir
                __fish_complete_directories (string replace -- "$option" '' $current)
            case plain
                printf '%%s%%s\t%%s\n' "$option" $parts[2] "$parts[3]"
        end
    end
end
complete -c %(program)s -f -a '(__hyperpod_state_complete)'
"""
SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


def script(shell: str) -> str:
    """What a shell has to read once."""
    return SCRIPTS[shell].lstrip() % {"program": PROGRAM, "line": LINE}


def offer(app: Typer, line: str) -> None:
    """Prints what may come next in the line."""
    from typer._click.shell_completion import _resolve_context, _resolve_incomplete, split_arg_string
    from typer.main import get_command

    command = get_command(app)
    words = split_arg_string(line)[1:]
    begun = words.pop() if words and not line[-1].isspace() else ""
    context = _resolve_context(command, {}, PROGRAM, words)
    if context._protected_args:  # a command that there is not
        return
    asked, begun = _resolve_incomplete(context, words, begun)
    path = PATHS.get(getattr(asked, "metavar", None) or "")
    if path is not None:
        output.write(f"{path}\t\n")
        return
    told = (("plain", item.value, " ".join((item.help or "").split())) for item in asked.shell_complete(context, begun))
    output.write("".join("\t".join(each) + "\n" for each in told))
