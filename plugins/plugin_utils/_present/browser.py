# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: the person's browser, on the computer that the person sits at."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import webbrowser
from collections.abc import Mapping

_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY")
_OF_WINDOWS = ("wslview", "explorer.exe")  # the second one's exit code says nothing


def opened(address: str) -> bool:
    """Whether a browser could be told to show an address."""
    commands = programs(os.environ)
    if commands:
        return any(_started(command, address) for command in commands)
    return graphical(os.environ, sys.platform) and webbrowser.open(address)


def programs(environment: Mapping[str, str]) -> list[str]:
    """The commands to try: what the person has named, or, in WSL, what opens a page of Windows."""
    named = environment.get("BROWSER", "").split(os.pathsep)
    commands = [command.rstrip(" &") for command in named if command.strip(" &")]
    return commands or ([*_OF_WINDOWS] if environment.get("WSL_DISTRO_NAME") else [])


def graphical(environment: Mapping[str, str], platform: str) -> bool:
    """Whether a window can appear. Without one, Python would start a browser in the terminal."""
    has_screen = any(environment.get(name) for name in _SCREENS)
    return has_screen or platform in ("darwin", "win32", "cygwin")


def _started(command: str, address: str) -> bool:
    words = [word.replace("%s", address) for word in shlex.split(command)]
    argv = words if "%s" in command else [*words, address]
    quiet = subprocess.DEVNULL
    try:
        subprocess.Popen(argv, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)
    except OSError:
        return False
    return True
