# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How progress is worded. Pure: what a poll answered goes in, text comes out."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.hpcc.notebook.plugins.module_utils._common.answers import Answers
from ansible_collections.hpcc.notebook.plugins.module_utils._common.printable import printable

WORDS = {
    "start": "preparing",
    "check": "checking the installer's checksum",
    "fetch": "fetching the installer to this computer",
    "download": "downloading the installer",
    "wait": "waiting, as the server asks",
    "install": "running the installer",
    "resolve": "fetching what the list of packages needs",
    "packages": "installing the notebook packages",
    "verify": "trying what was installed",
    "activate": "switching to the new installation",
    "remove": "removing what was installed",
    "clean": "removing what is not needed any more",
}
# Nothing can be counted there; what the programs say is shown instead.
_UNCOUNTED = ("install", "resolve", "packages")
_WORDS = 100
_MIB = 1024 * 1024
_BAR = 24


@dataclass(frozen=True)
class Progress:
    """One look at a running worker."""

    phase: str
    seconds: int
    bytes: int = 0
    total: int = 0
    begun: int = 0  # the bytes that an earlier run had brought
    detail: str = ""


def progress(found: Answers) -> Progress | None:
    """What a poll answered; nothing while the worker has not said anything yet."""

    def number(name: str) -> int:
        text = found.get(name, ["0"])[0]
        return int(text) if text.isdigit() else 0

    if "phase" not in found:
        return None
    seconds = max(0, number("now") - number("since"))
    detail = found.get("detail", [""])[0]
    sizes = number("bytes"), number("total"), number("from")
    return Progress(found["phase"][0], seconds, *sizes, detail)


def line(now: Progress) -> str:
    """One line for a log: what, how far, how fast, how long."""
    parts = [WORDS.get(now.phase, now.phase), _amount(now), _rate(now), _time(now.seconds)]
    text = ", ".join(part for part in (*parts, _remaining(now)) if part)
    happens = printable(now.detail.strip())[:_WORDS] if now.phase in _UNCOUNTED else ""
    return f"{text}: {happens}" if happens else text


def drawn(now: Progress, columns: int) -> str:
    """One line, never wider than the terminal."""
    text = line(now)
    if now.total:
        filled = _BAR * min(now.bytes, now.total) // now.total
        text = f"[{'#' * filled}{'.' * (_BAR - filled)}] {text}"
    return text[: columns - 1].ljust(columns - 1)


def _amount(now: Progress) -> str:
    if not now.bytes:
        return ""
    done = f"{now.bytes / _MIB:.0f}"
    if not now.total:
        return f"{done} MiB"
    percent = 100 * min(now.bytes, now.total) // now.total
    return f"{percent} % ({done} of {now.total / _MIB:.0f} MiB)"


def _time(seconds: int) -> str:
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def _rate(now: Progress) -> str:
    """Worth saying once there is something to reckon with."""
    if now.seconds < 3 or now.bytes <= now.begun:
        return ""
    return f"{(now.bytes - now.begun) / now.seconds / _MIB:.1f} MiB/s"


def _remaining(now: Progress) -> str:
    if now.seconds < 3 or not now.begun < now.bytes < now.total:
        return ""
    seconds = now.seconds * (now.total - now.bytes) // (now.bytes - now.begun)
    return f"about {_time(seconds)} left"
