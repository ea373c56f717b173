# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node leads on through a login, tried out with nothing but what is ours there.

sshd answers a forbidden socket as if nothing was there, so it takes a socket behind which somebody
certainly listens: one that is made for the purpose. Nobody else's service is ever spoken to.
"""

from __future__ import annotations

import re
import secrets
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.ssh_session import (
    NotForwarded,
    Session,
)

YES, NO, UNKNOWN = "yes", "no", "unknown"
_LISTENS_WITHIN = 15.0  # seconds for a Python on the node to start, also on a slow home
_PLACE = re.compile(r"/\w+/nbserver-try-\w+/socket")  # made by mkdtemp
_FORBIDDEN = "open failed: administratively prohibited"
# In a directory that nobody else can enter. It says one word to the first who comes, and goes;
# so it does when the login ends.
_LISTENER = """
import os, select, shutil, socket, sys, tempfile
mark, word = sys.argv[1:]
place = tempfile.mkdtemp(prefix="nbserver-try-", dir="/tmp")
try:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(place + "/socket")
        listener.listen(1)
        print(mark, place + "/socket", flush=True)
        if listener in select.select([listener, sys.stdin], [], [], 60)[0]:
            listener.accept()[0].sendall(word.encode())
except OSError as error:
    print(mark, "!" + str(error), flush=True)
finally:
    shutil.rmtree(place, ignore_errors=True)
"""
_PROGRAM = """for python in {pythons}; do
  command -v "$python" >/dev/null 2>&1 && exec "$python" -I -c {listener} {mark} {word}
done
echo "{mark} !there is no Python on the node yet to try it with"
"""


@dataclass(frozen=True)
class Led:
    """Whether the node leads on; where that is not known, why."""

    answer: str
    reason: str = ""


def ports(session: Session, ssh_port: int, wait: float) -> Led:
    """Try the node's own sshd, which greets whoever comes."""
    target = f"127.0.0.1:{ssh_port}"
    notes = session.log.count(_FORBIDDEN)
    try:
        greeting = session.answer_of(target, wait)
    except NotForwarded as reason:
        return Led(UNKNOWN, f"ssh did not listen here: {reason}")
    if greeting is None:
        return Led(UNKNOWN, f"no answer within {wait:g} s")
    if greeting.startswith(b"SSH-"):
        return Led(YES)
    if session.log.count(_FORBIDDEN) > notes:
        return Led(NO)
    return Led(UNKNOWN, f"nobody answered at {target} of the node, and ssh does not say why")


def sockets(session: Session, pythons: Sequence[str], wait: float) -> Led:
    """Try a socket that is made for it, behind which a Python of the node listens."""
    mark, word = secrets.token_hex(8), secrets.token_hex(8)
    program = _PROGRAM.format(
        pythons=shlex.join([name for name in pythons if name]),
        listener=shlex.quote(_LISTENER),
        mark=mark,
        word=word,
    )
    with session.running(program, mark, _LISTENS_WITHIN) as place:
        if not _PLACE.fullmatch(place):
            return Led(UNKNOWN, place.lstrip("!") or "no socket could be made there to try it with")
        try:
            answer = session.answer_of(place, wait)
        except NotForwarded as reason:
            return Led(UNKNOWN, f"ssh did not listen here: {reason}")
    if answer is None:
        return Led(UNKNOWN, f"no answer within {wait:g} s")
    return Led(YES if answer == word.encode() else NO)
