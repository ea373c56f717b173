# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A login that somebody else has opened, the person or Ansible, for as long as it is used here.

ssh ends a shared login that nobody has used for a while (ControlPersist), and a port on which it
listens is no use. Whoever is connected to its socket is one, and sees it end.
"""

from __future__ import annotations

import socket
from contextlib import suppress


class BorrowedLogin:
    """It is neither ours to end, nor does it end for want of use."""

    def __init__(self, path: str) -> None:
        """Join it; OSError when nobody is there."""
        self.path = path
        self._joined = socket.socket(socket.AF_UNIX)
        try:
            self._joined.connect(path)
        except BaseException:
            self._joined.close()
            raise
        self._joined.setblocking(False)

    def lives(self) -> bool:
        """Whether it still stands, as far as this computer can know."""
        with suppress(BlockingIOError):
            while self._joined.recv(4096):  # ssh says once what it can do, and nothing more
                pass
            return False
        return True

    def leave(self) -> None:
        """Let it be."""
        self._joined.close()
