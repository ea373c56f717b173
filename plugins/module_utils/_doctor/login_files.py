# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each login shell reads before a command, and how a file tells that nobody types. Pure."""

from __future__ import annotations

from typing import NamedTuple


class LoginFile(NamedTuple):
    """The file that sshd's shell reads for every command, and how to keep things out of it."""

    path: str
    guard: str


_CSH = "end it early for commands: if (! $?prompt) exit"
_UNKNOWN = LoginFile("the login files of your shell", "leave them early in non-interactive shells")
_SHELLS = {
    "bash": LoginFile("~/.bashrc", "begin it with: case $- in *i*) ;; *) return ;; esac"),
    "csh": LoginFile("~/.cshrc", _CSH),
    "tcsh": LoginFile("~/.tcshrc or, without that, ~/.cshrc", _CSH),
    "zsh": LoginFile("~/.zshenv", "move it to ~/.zshrc, which only a terminal reads"),
    "fish": LoginFile(
        "~/.config/fish/config.fish", "put it between: if status is-interactive … end"
    ),
}


# Where nobody can ask for the shell, because it does not answer.
BEFORE_EACH_COMMAND = "the file that your login shell reads before each command: {}".format(
    ", ".join(f"{file.path} ({shell})" for shell, file in _SHELLS.items() if shell != "csh")
)


# What a machine says when it lets somebody in and then runs nothing for them.
_REASONS = {
    "Password change required": "Your password there has expired: set a new one with `ssh -t NODE`",
    "account is currently not available": "The account has no shell on that node: ask the site",
}


def shell_todo(said: str) -> str:
    """What to do about a shell that ends before its first command, by what was said then."""
    known = (todo for words, todo in _REASONS.items() if words in said)
    return next(known, f"Look there at {BEFORE_EACH_COMMAND}")


def for_builds(shell: str) -> str:
    """What is typed there so that programs are built below the home directory."""
    if shell in ("csh", "tcsh"):
        return 'mkdir -p "$HOME/tmp" && setenv TMPDIR "$HOME/tmp"'
    return 'mkdir -p "$HOME/tmp" && export TMPDIR="$HOME/tmp"'


def for_more_files(shell: str, number: int) -> str:
    """The line that lets everything that the shell starts open so many files."""
    line = "limit descriptors" if shell in ("csh", "tcsh") else "ulimit -n"
    return f"put this into {login_file(shell).path}: {line} {number}"


def login_file(shell: str) -> LoginFile:
    """For the name of a shell such as tcsh; in general words for any other."""
    return _SHELLS.get(shell, _UNKNOWN)
