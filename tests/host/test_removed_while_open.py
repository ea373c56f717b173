"""Nothing is removed that somebody of ours has open: on NFS it would stay, under another name.

So would the directory in which it lies, and with it what had to go. Here `rm` notes what is open.
"""

from __future__ import annotations

import os
import shlex
import sys

import pytest
from test_conda_distribution import Account
from test_conda_distribution_states import removed, upgraded

pytest_plugins = ["test_conda_distribution"]

RM = """\
import glob, os, sys

def opened():
    for descriptor in glob.glob("/proc/[0-9]*/fd/*"):
        try:
            yield os.readlink(descriptor)
        except OSError:
            pass  # it was closed meanwhile

going = [os.path.abspath(word) for word in sys.argv[2:] if not word.startswith("-")]
found = [each for each in opened() for path in going if (each + "/").startswith(path + "/")]
if found:
    with open(sys.argv[1], "a") as noted:
        noted.write("".join(f"{each}\\n" for each in found))
os.execv("/bin/rm", ["rm", *sys.argv[2:]])
"""


@pytest.mark.fault("F26 EBUSY")
def test_an_installation_goes_with_nothing_of_it_open(account: Account) -> None:
    first, noted = account.directory / "first", account.directory / "open"
    first.mkdir()
    (first / "rm.py").write_text(RM)
    words = shlex.join([sys.executable, "-I", "-S", str(first / "rm.py"), str(noted)])
    (first / "rm").write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    (first / "rm").chmod(0o755)
    path = {"PATH": f"{first}:{os.environ['PATH']}"}
    before = account.everything()
    account.run(env=path)
    upgraded(account)
    assert removed(account, env=path)["changed"] is True
    assert account.everything() == before
    open_then = noted.read_text().splitlines() if noted.exists() else []
    # The trial of the room takes its file's name at once, and closes it before its directory goes.
    assert [each for each in open_then if not each.endswith("/space")] == []
