"""What the victim runs: a kernel that talks without a pause, in code and in its output.

victim.py CONNECTION_FILE SECONDS CANARY: prints "talking", then what the kernel printed.
"""

import sys
import time

from jupyter_client import BlockingKernelClient

CODE = """
import multiprocessing, sys, time
def talk(word):
    print(word, flush=True)
end = time.time() + {seconds}
forked = multiprocessing.get_context("fork").Process(target=talk, args=("{canary} from a fork",))
forked.start(); forked.join()
while time.time() < end:
    talk("{canary}"); time.sleep(0.05)
"""


def wait(client):
    """A kernel that starts slowly is taken for a dead one by its client."""
    for _each in range(60):
        try:
            return client.wait_for_ready(timeout=60)
        except RuntimeError:
            time.sleep(1)
    raise SystemExit("the kernel does not answer")


def main():
    connection, seconds, canary = sys.argv[1:]
    client = BlockingKernelClient(connection_file=connection)
    client.load_connection_file()
    client.start_channels()
    wait(client)
    client.execute(CODE.format(seconds=seconds, canary=canary))
    print("talking", flush=True)
    said, deadline = "", time.time() + float(seconds) + 30
    while time.time() < deadline:
        message = client.get_iopub_msg(timeout=30)
        said += message["content"].get("text", "")
        if message["content"].get("execution_state") == "idle" and canary in said:
            break
    print(said.count(canary), "from a fork" in said, "FORGED" in said)


main()
