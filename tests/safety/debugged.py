"""What the victim runs: open JupyterLab's debugger on a kernel for a moment, then go on working.

debugged.py CONNECTION_FILE: prints "debugged" once the debugger was closed again, or that there
is none, and keeps the kernel busy until its input ends.
"""

import queue
import sys
import time

from jupyter_client import BlockingKernelClient

BUSY = "import time\nwhile True: time.sleep(0.05)"
CLIENT = {"clientID": "lab", "adapterID": "", "pathFormat": "path", "locale": "en"}


def ask(client, number, command, arguments):
    content = {"type": "request", "seq": number, "command": command, "arguments": arguments}
    client.control_channel.send(client.session.msg("debug_request", content))
    try:
        return bool(client.control_channel.get_msg(timeout=20)["content"])
    except queue.Empty:
        return False


def wait(client):
    """A kernel that starts slowly is taken for a dead one by its client."""
    for _each in range(60):
        try:
            return client.wait_for_ready(timeout=60)
        except RuntimeError:
            time.sleep(1)
    raise SystemExit("the kernel does not answer")


def main():
    client = BlockingKernelClient(connection_file=sys.argv[1])
    client.load_connection_file()
    client.start_channels()
    wait(client)
    requests = ("initialize", CLIENT), ("attach", {}), ("disconnect", {"terminateDebuggee": False})
    answered = [ask(client, number, *each) for number, each in enumerate(requests, 1)]
    client.execute(BUSY)
    print("debugged" if any(answered) else "no debugger", flush=True)
    sys.stdin.read()


main()
