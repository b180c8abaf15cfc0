"""How bash and zsh ask for completions, where they have to be asked otherwise than click does; fish needs nothing.

bash    breaks words at "=" as well: it is told what comes behind that, and asks for the whole line
both    put no space behind "name=", whose value comes next
"""

from __future__ import annotations

import os

from click.shell_completion import BashComplete, ZshComplete, add_completion_class, split_arg_string

BASH = """\
%(complete_func)s() {
    local IFS=$'\\n' line="${COMP_LINE:0:COMP_POINT}" before="" each kind value
    if [[ "${line##* }" == *=* && "$COMP_WORDBREAKS" == *=* ]]; then
        before="${line##* }"
        before="${before%%=*}="
    fi
    COMPREPLY=()
    for each in $(env COMP_WORDS="$line" %(complete_var)s=bash_complete "$1"); do
        kind="${each%%%%,*}"
        value="${each#*,}"
        case "$kind" in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain)
                COMPREPLY+=("${value#"$before"}")
                if [[ "$value" == *= ]]; then compopt -o nospace; fi
                ;;
        esac
    done
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""

ZSH = """\
#compdef %(prog_name)s

%(complete_func)s() {
    local -a plain described response
    local kind value text asked="${words[*]}"
    (( ! $+commands[%(prog_name)s] )) && return 1
    response=("${(@f)$(
        env COMP_WORDS="$asked" COMP_CWORD=$((CURRENT-1)) %(complete_var)s=zsh_complete %(prog_name)s
    )}")
    for kind value text in ${response}; do
        case "$kind" in
            dir) _path_files -/ ;;
            file) _path_files -f ;;
            plain) if [[ "$text" == "_" ]]; then plain+=("$value"); else described+=("$value:$text"); fi ;;
        esac
    done
    local -a pairs=(${(M)plain:#*=}) others=(${plain:#*=})
    local -a described_pairs=(${(M)described:#*=:*}) described_others=(${described:#*=:*})
    if (( $#described_pairs )); then _describe -V pairs described_pairs -U -S ''; fi
    if (( $#described_others )); then _describe -V unsorted described_others -U; fi
    if (( $#pairs )); then compadd -U -S '' -V pairs -a pairs; fi
    if (( $#others )); then compadd -U -V unsorted -a others; fi
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""


class Bash(BashComplete):
    """Asks for the line up to the cursor."""

    source_template = BASH

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one that is to be completed, and what there is of that."""
        line = os.environ["COMP_WORDS"]
        words = split_arg_string(line)[1:]
        incomplete = "" if line.endswith(" ") or not words else words.pop()
        return words, incomplete


class Zsh(ZshComplete):
    """Asks as click does."""

    source_template = ZSH


def use_shells() -> None:
    """Have click use these."""
    add_completion_class(Bash)
    add_completion_class(Zsh)
