"""`loopweld completion bash|zsh|fish`: a script that completes both tools' arguments in a shell.

source <(loopweld completion bash)
"""

import argparse
import sys
from collections.abc import Sequence

from loopweld.cli import COMMANDS
from loopweld.opt import OptMain

BASH = """_loopweld_opt() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
  [[ $cur == "=" ]] && cur=
  [[ $prev == "=" ]] && prev=${COMP_WORDS[COMP_CWORD-2]}
  case $prev in
    -p|--passes|--pass-pipeline|--mlir-print-ir-before|--mlir-print-ir-after)
      local done=${cur%"${cur##*,}"}
      compopt -o nospace 2>/dev/null
      COMPREPLY=($(compgen -P "$done" -W "@PASSES@" -- "${cur##*,}")); return;;
    -t|--target) COMPREPLY=($(compgen -W "@TARGETS@" -- "$cur")); return;;
  esac
  case $cur in
    -*) COMPREPLY=($(compgen -W "@OPTIONS@" -- "$cur"));;
    *) COMPREPLY=($(compgen -f -- "$cur"));;
  esac
}
_loopweld() {
  local cur=${COMP_WORDS[COMP_CWORD]}
  if [[ $COMP_CWORD == 1 ]]; then COMPREPLY=($(compgen -W "@COMMANDS@" -- "$cur"))
  else COMPREPLY=($(compgen -f -- "$cur")); fi
}
complete -o filenames -F _loopweld_opt loopweld-opt
complete -o filenames -F _loopweld loopweld
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command with `argv` (else the process's arguments); returns the exit status."""
    parser = argparse.ArgumentParser(prog="loopweld completion", description="Prints a script that a shell sources.")
    parser.add_argument("shell", choices=("bash", "zsh", "fish"))
    shell = parser.parse_args(argv).shell
    tool = OptMain([])
    if shell == "fish":
        sys.stdout.write(_fish(tool))
        return 0
    values = {
        "PASSES": sorted(tool.available_passes),
        "TARGETS": list(tool.available_targets),
        "OPTIONS": list(tool.options),
        "COMMANDS": list(COMMANDS),
    }
    text = BASH
    for name, words in values.items():
        text = text.replace(f"@{name}@", " ".join(words))
    sys.stdout.write(("autoload -U +X bashcompinit && bashcompinit\n" if shell == "zsh" else "") + text)
    return 0


def _fish(tool: OptMain) -> str:
    lines = [
        f"complete -c loopweld -n __fish_use_subcommand -a {name} -d {_quoted(COMMANDS[name])}" for name in COMMANDS
    ]
    for option, what in tool.options.items():
        dashes = "-l" if option.startswith("--") else "-s"
        lines.append(f"complete -c loopweld-opt {dashes} {option.lstrip('-')} -d {_quoted(what)}")
    lines.append(f"complete -c loopweld-opt -s p -l passes -x -a {_quoted(' '.join(sorted(tool.available_passes)))}")
    lines.append(f"complete -c loopweld-opt -s t -l target -x -a {_quoted(' '.join(tool.available_targets))}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
