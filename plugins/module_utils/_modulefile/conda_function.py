# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `conda` is in the shell of whoever loads the module, so that `conda activate` works. Pure.

`conda init` would write the same into a login file. All go by ANACONDA_HOME, the path that stays
when an upgrade turns it, and ask conda for the code of each shell (`conda shell.posix activate`).
No text has a single quote, and that for csh no newline: Lmod puts it between single quotes.
"""

from __future__ import annotations

_CONDA = '"$ANACONDA_HOME/bin/conda"'

POSIX = f"""
  case "$1" in
    activate | deactivate)
      eval "$(PS1="${{PS1-}}" {_CONDA} shell.posix "$@" || echo false)" && hash -r ;;
    install | update | upgrade | remove | uninstall)
      {_CONDA} "$@" && eval "$({_CONDA} shell.posix reactivate)" && hash -r ;;
    *) {_CONDA} "$@" ;;
  esac
"""

FISH = f"""
  switch "$argv[1]"
    case activate deactivate
      set -l code ({_CONDA} shell.fish $argv); or return
      printf "%s\\n" $code | source
    case install update upgrade remove uninstall
      {_CONDA} $argv; or return
      {_CONDA} shell.fish reactivate | source
    case "*"
      {_CONDA} $argv
  end
"""


def _begins(*commands: str) -> str:
    """A condition of csh: the words begin with one of these commands."""
    return " || ".join(f'"$_conda_words" =~ {command}?*' for command in commands)


# An alias; $* is what Lmod and Tcl Modules turn into the words behind it. conda would make the
# prompt anew from a variable that csh does not export, so the prompt is left alone. Tcl Modules do
# not quote brackets, so no word is taken out of the list: the patterns see all of it, and its "-".
# No braces: Lmod in csh evaluates its output without quotes, so that csh would expand them. Only
# the last command of an alias is what `| grep` and `&&` behind it see: that one is conda itself,
# or gives its status.
_ACTIVATES = _begins("activate", "deactivate")
_CHANGES = _begins("install", "update", "upgrade", "remove", "uninstall")
CSH = (
    "set _conda_words = ( $* - ) ; set _conda = $ANACONDA_HOME/bin/conda ; set _conda_code ; "
    f"if ( {_ACTIVATES} ) "
    'set _conda_code = ( "`env CONDA_CHANGEPS1=false $_conda shell.csh $*`" ) ; '
    f'if ( {_ACTIVATES} ) set _conda = ( sh -c "exit $status" ) ; '
    f'if ( {_ACTIVATES} ) eval "$_conda_code" ; '
    f"if ( {_CHANGES} ) $_conda $* ; "
    f'if ( {_CHANGES} ) set _conda = ( sh -c "exit $status" ) ; '
    f'if ( ( {_CHANGES} ) && "$_conda" == "sh -c exit 0" ) '
    'eval "`$ANACONDA_HOME/bin/conda shell.csh reactivate`" ; '
    "rehash ; $_conda:q $*"
)

# A person whose login files set up another conda keeps that one.
LUA = f"""
-- `conda activate` without `conda init`: a function, which unloading takes back.
local other = os.getenv("CONDA_EXE") or prefix .. "/"
if other:sub(1, #prefix + 1) == prefix .. "/" or other:sub(1, #prefix + 3) == prefix .. ".d/" then
  if myShellName():find("csh") then
    set_alias("conda", [==[{CSH}]==])
  elseif myShellName() == "fish" then
    set_shell_function("conda", [==[{FISH}]==], "")
  else
    set_shell_function("conda", [==[{POSIX}]==], "")
  end
end
"""

TCL = f"""
# `conda activate` without `conda init`: a function, which unloading takes back. Old
# Tcl Modules have no functions; there, `conda init` remains.
set other $prefix/
if {{[info exists ::env(CONDA_EXE)]}} {{ set other $::env(CONDA_EXE) }}
if {{[string first $prefix/ $other] == 0 || [string first $prefix.d/ $other] == 0}} {{
    if {{[string equal [module-info shelltype] csh]}} {{
        set-alias conda {{{CSH}}}
    }} elseif {{[llength [info commands set-function]]}} {{
        set fish [string equal [module-info shelltype] fish]
        set-function conda [expr {{$fish ? {{{FISH}}} : {{{POSIX}}}}}]
    }}
}}
"""
