"""Make a profile again and again while another user reads whatever can be opened for a moment.

race.py [RUNS]: ends with one line of figures, and exit 1 if a secret was read.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SAFETY = Path(__file__).resolve().parent
COLLECTIONS = SAFETY.parents[1] / "playbooks" / "collections"
sys.path[:0] = [str(SAFETY.parent / "support"), str(COLLECTIONS)]

import servers  # noqa: E402

STRANGER = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
# Opens all that it can see below a directory, as fast as it can, and counts what it gets.
READER = """
import json, os, select, sys
tops, found = sys.argv[1:], {}
print("ready", flush=True)
def files(top):
    try:
        entries = list(os.scandir(top))
    except OSError:
        return
    for entry in entries:
        yield entry.path
        if entry.is_dir(follow_symlinks=False):
            yield from files(entry.path)
while not select.select([sys.stdin], [], [], 0)[0]:
    for top in tops:
        for path in files(top):
            try:
                with open(path, "rb") as file:
                    if file.read(1):
                        found[path] = found.get(path, 0) + 1
            except OSError:
                pass
print(json.dumps(found), flush=True)
"""
# As the account: the role's three modules on an empty home, over and over.
WRITER = f"""
import os, shutil, sys
sys.path[:0] = [{str(SAFETY.parent / "support")!r}, {str(COLLECTIONS)!r}]
from modules import run_module
from ansible_collections.hpcc.notebook.plugins.modules import (
    ipython_profile, notebook_certificate, notebook_password,
)
runs, home = int(sys.argv[1]), os.environ["HOME"]
for run in range(runs):
    os.umask((0o022, 0o000, 0o002, 0o077)[run % 4])
    shutil.rmtree(f"{{home}}/.ipython", ignore_errors=True)
    if run % 2:
        os.mkdir(f"{{home}}/.ipython")  # as a careless IPython makes it: open to all
        os.chmod(f"{{home}}/.ipython", 0o755)
    run_module(ipython_profile)
    run_module(notebook_certificate)
    run_module(notebook_password, password={servers.PASSWORD!r})
"""
# What `mode: 0600` of a copied file comes to: open for a moment, then closed.
CARELESS = """
import os, sys, time
home = os.environ["HOME"]
os.umask(0o022)
for run in range(int(sys.argv[1])):
    with open(f"{home}/careless.key", "w") as file:
        file.write("secret")
    time.sleep(0.001)
    os.chmod(f"{home}/careless.key", 0o600)
    os.remove(f"{home}/careless.key")
"""


@contextmanager
def account() -> Iterator[servers.Account]:
    """A new account with a home that everybody may look into, as on many clusters."""
    with servers.python_for_everybody() as python:
        found = servers.new_account(python)
        found.home.chmod(0o755)
        try:
            yield found
        finally:
            found.clean_up()


def stolen(whose: servers.Account, writer: str, runs: int) -> dict[str, int]:
    """What the stranger could read, and how often, while the writer was at work."""
    reader = subprocess.Popen(
        [*STRANGER, "env", "-i", whose.python, "-c", READER, str(whose.home)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/",
    )  # fmt: skip
    assert reader.stdout
    assert reader.stdout.readline() == "ready\n"
    work = whose.command(whose.python, "-c", writer, str(runs), USER="nobody")
    subprocess.run(work, check=True, cwd="/")
    found: dict[str, int] = json.loads(reader.communicate("stop")[0])
    return found


def main() -> int:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with account() as whose:
        careless = stolen(whose, CARELESS, runs)
        ours = stolen(whose, WRITER, runs)
    print(f"{sum(ours.values())} secrets read by a racing reader in {runs} runs")
    print(f"    from a writer that closes the file afterwards it read {sum(careless.values())}")
    return 1 if ours else 0


if __name__ == "__main__":
    sys.exit(main())
