# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ssh itself says, apart from what servers have it print.

On standard error, both are mixed: a banner may hold any sentence of ssh. `-E` sends the words of
ssh alone elsewhere. The ssh that logs in to a gateway on the way is not ours to start; it gets
that option from a program of its name, which ssh finds before itself. INFO, because what explains
a failure is said there, whatever the configuration wants to hear.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError

_LINES = 500
_VARIABLE = "NBSERVER_SSH_LOG"
# ssh runs what it was called by for the next hop, so it is called by the name of this program.
_PROGRAM = """
import os, sys
real, name, *words = sys.argv[1:]
os.execv(real, [name, "-E", os.environ["{variable}"], "-o", "LogLevel=INFO", *words])
"""
# ssh writes its own name into a shell command, as it stands.
_PLAIN = re.compile(r"[A-Za-z0-9_./-]+")
_END = "\0"


class SshLog:
    """The last lines of an ssh, and of every ssh that it starts on the way."""

    def __init__(self, path: Path, heard: Callable[[str], None], program: str) -> None:
        self._path = path
        self._program = program  # what this person has for ssh
        self._heard = heard
        self._lines: deque[str] = deque(maxlen=_LINES)
        self._reader: threading.Thread | None = None
        self._pipe = -1

    @property
    def text(self) -> str:
        """What was said since it was opened."""
        return "\n".join(self._lines)

    def open(self) -> None:
        """Listen; a pipe, because notes of days would fill a disk."""
        self._lines.clear()
        os.mkfifo(self._path, 0o600)
        self._pipe = os.open(self._path, os.O_RDWR)
        self._reader = threading.Thread(target=self._read, args=(self._pipe,), daemon=True)
        self._reader.start()

    def close(self) -> None:
        """Take in what was said until now."""
        if self._reader is None:
            return
        os.write(self._pipe, f"\n{_END}\n".encode())
        self._reader.join(timeout=2)
        os.close(self._pipe)
        self._path.unlink(missing_ok=True)
        self._reader = None

    def command(self, *words: str) -> list[str]:
        """The words of an ssh that writes here."""
        name = str(self._named_ssh())
        return [name if _PLAIN.fullmatch(name) else "ssh", "-E", str(self._path), *words]

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """One in which every other ssh writes here, too; but none behind a script of the person."""
        if _is_script(real_ssh(self._program)):  # it means the real ssh, and would find itself
            return dict(given)
        path = f"{self._named_ssh().parent}:{given.get('PATH', os.defpath)}"
        return {**given, "PATH": path, _VARIABLE: str(self._path)}

    def _named_ssh(self) -> Path:
        """The program with the name of ssh, beside what else this connection needs."""
        program = self._path.with_suffix(".bin") / "ssh"
        if not program.exists():
            program.parent.mkdir(mode=0o700, exist_ok=True)
            client = program.with_name("ssh.py")
            client.write_text(_PROGRAM.format(variable=_VARIABLE), encoding="utf-8")
            words = [sys.executable, "-I", "-S", str(client), real_ssh(self._program), str(program)]
            program.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', encoding="utf-8")
            program.chmod(0o700)
        return program

    def _read(self, pipe: int) -> None:
        with os.fdopen(os.dup(pipe), encoding="utf-8", errors="replace") as lines:
            for line in lines:
                text = line.rstrip("\r\n")
                if text == _END:
                    return
                if text:
                    self._lines.append(text)
                    self._heard(text)


def _is_script(program: str) -> bool:
    with Path(program).open("rb") as file:
        return file.read(2) == b"#!"


def real_ssh(name: str) -> str:
    """Where the person's ssh of this name is."""
    found = shutil.which(name)
    if not found:
        raise NotebookError("no such program", name, "Install OpenSSH.")
    return found
