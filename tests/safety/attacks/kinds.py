"""What a stranger plants at a name, and what a careless program makes of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

SECRET = "cat ~/canary/secret"


@dataclass(frozen=True)
class Kind:
    """One thing to plant.

    `careless` is a program of the shell that uses the name $1 without a look at what is there;
    `shows` is what has to be seen after that, or the attack would prove nothing.
    """

    called: str
    careless: str
    shows: str


KINDS = (
    Kind("a directory", 'mkdir "$1"', "blocked"),
    Kind("an open directory", f'mkdir -p "$1"; umask 022; {SECRET} >"$1/token"', "can be read"),
    Kind("a directory with sockets", 'tmux -S "$1/tmux.sock" -f /dev/null has-session', "code ran"),
    Kind("a directory with links", ': >"$1/lock"', "a file of the victim was changed"),
    Kind("a file", f'{SECRET} >>"$1"', "was written into"),
    Kind("a program", 'printf "#!/bin/sh\\n" >"$1"; "$1"', "code ran"),
    Kind("a link to a file", 'head -c 64 /dev/zero >"$1"', "a file of the victim was changed"),
    Kind("a link to an open directory", f'umask 022; {SECRET} >"$1/token"', "can be read"),
    Kind("a link to the home", 'chmod 755 "$1"', "the home was opened"),
    Kind("a dangling link", ': >"$1"', "a file was made through a link"),
    Kind("a fifo", f'{SECRET} >"$1"', "heard"),
    Kind("a socket", 'tmux -S "$1" -f /dev/null has-session', "code ran"),
)
SHORT = ("a directory with sockets", "a program", "a link to a file")
