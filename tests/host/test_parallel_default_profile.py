"""`ipyparallel.Cluster()` as its own documentation starts it, in a kernel that we serve.

Its ports are open to every user of the node: whoever has no key must hear nothing.
"""

import os
import subprocess
import sys
import textwrap

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._server.launch import variables
from test_server import LAYOUT, SOCKET

pytestmark = pytest.mark.timeout(300)

PROGRAM = textwrap.dedent("""
    import os, time
    import ipyparallel, psutil, zmq

    def ports():
        own = {p.pid for p in psutil.Process().children(recursive=True)} | {os.getpid()}
        return {c.laddr.port for c in psutil.net_connections() if c.pid in own
                and c.status == psutil.CONN_LISTEN}

    def neighbour(port):
        socket = zmq.Context.instance().socket(zmq.SUB)
        socket.linger = 0
        socket.connect(f"tcp://127.0.0.1:{port}")
        socket.subscribe(b"")
        return socket

    with ipyparallel.Cluster(n=1, log_level=40) as client:
        neighbours = [neighbour(port) for port in ports()]
        time.sleep(1)
        for number in range(5):
            client[:].apply_sync(print, f"canary {number}")
        time.sleep(1)
        heard = b""
        for socket in neighbours:
            while socket.poll(0):
                heard += b"".join(socket.recv_multipart())
        print(client[:].apply_sync(len, "abc"), len(neighbours) > 3, b"canary" in heard, len(heard))
    os._exit(0)
""")


def heard_by_a_neighbour(home, given):
    """What a work-a-day cluster answers, whether it listens, what a neighbour reads of it."""
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "IPYTHONDIR": str(home)}
    done = subprocess.run(
        [sys.executable, "-u", "-c", PROGRAM], env={**environment, **given}, cwd=home, text=True,
        capture_output=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    return done.stdout.splitlines()[-1]


def test_a_neighbour_reads_the_output_of_engines_that_somebody_starts_elsewhere(tmp_path):
    assert heard_by_a_neighbour(tmp_path, {}).startswith("[3] True True ")


def test_a_neighbour_reads_nothing_of_engines_that_a_served_kernel_starts(tmp_path):
    served = variables(LAYOUT, SOCKET)
    of_ipyparallel = {name: value for name, value in served.items() if name.startswith("IPP_")}
    assert heard_by_a_neighbour(tmp_path, of_ipyparallel) == "[3] True False 0"
