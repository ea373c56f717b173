"""Which tests start nothing: neither they nor the helpers that they import name what starts it.

That it is so is watched where only they run: the interpreter reports each process and connection.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from architecture import imports

_STARTERS = re.compile(
    r"\b(subprocess|socketserver|http\.server|multiprocessing|os\.fork|pty"
    r"|socket\.socket|socketpair|create_server|free_port|run_module)\b"
)
EVENTS = frozenset(
    ["subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "os.exec",
     "socket.bind", "socket.connect"]
)  # fmt: skip


class Watch:
    """Refuses what starts something while it is on."""

    on = False

    def hear(self, event: str, _arguments: object) -> None:
        if self.on and event in EVENTS:
            self.on = False  # what reports the failure may do what it likes
            raise AssertionError(f"{event} in a test that starts nothing")


@cache
def is_pure(file: Path) -> bool:
    """Whether this file of tests starts nothing, as far as it says."""
    seen: set[Path] = set()
    left = [file]
    while left:
        each = left.pop()
        if each not in seen:
            seen.add(each)
            text = each.read_text(encoding="utf-8")
            if _STARTERS.search(text):
                return False
            helpers = (each.with_name(f"{name}.py") for name in imports(text))
            left += [helper for helper in helpers if helper.exists()]
    return True
