"""Look at the command line and the environment of every process, twenty times a second.

poller.py: prints "ready", looks until its input ends, prints all that it saw, in base64.
"""

import base64
import contextlib
import os
import select
import sys
from pathlib import Path

seen = set()
print("ready", flush=True)
while not select.select([sys.stdin], [], [], 0.05)[0]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            for name in ("cmdline", "environ"):
                with contextlib.suppress(OSError):
                    seen.add((entry / name).read_bytes())
print(base64.b64encode(b"\n".join(seen)).decode(), flush=True)
