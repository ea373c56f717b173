"""No file of the product takes a name that a neighbour could take first; careless ones are seen."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
import shared_names

CARELESS_SHELL = [
    "program=/tmp/.nbserver-try.$$.sh",
    'echo x >"$HOME/.try.$$"',
    "file=/tmp/notes",
    'file="/var/tmp/$USER"',
    "cd /dev/shm/work",
    "rm -rf ${TMPDIR:-/tmp}/work",
    "cat <$TMPDIR/x",
    "file=$(mktemp -u)",
    "mkdir -p /tmp/x && cd /tmp/x",
    "exec 3<>/tmp/fifo # and why",
    "trap.${$}",
    "lock=/run/lock/nb",
]
CAREFUL_SHELL = [
    'made=$(mktemp -d "$1/.nbserver-try.XXXXXXXXXX")',
    "made=$(mktemp -d /tmp/nb.XXXXXXXXXX)",
    "df -Pk /tmp",
    'group_of $$ "$(id -u)"',
    "# such as /tmp/x.$$",
    'mkdir -p "$WORK/tmp/x"',
    "export TMPDIR=~/tmp",
    'cp "$WORK"/a /srv/tmp/b',
]
CARELESS_PYTHON = [
    'Path("/tmp/notes").write_text("")',
    'place = "/dev/shm"',
    'f"/tmp/{name}"',
    'f"{directory}/.try.{os.getpid()}"',
    "tempfile.mktemp()",
    "from tempfile import mktemp",
    "Path(tempfile.gettempdir(), 'x')",
    'os.environ["TMPDIR"]',
    'SCRIPT = """\nset -e\necho >/tmp/x\n"""',
    'SCRIPT = "exec 3>$HOME/log.$$ 2>&1"',
]
CAREFUL_PYTHON = [
    '"""Lies in /tmp/nbserver-1000/."""',
    'RETURN = r"""\nsample: /tmp/nbserver-1000/notebook.sock\n"""',
    "tempfile.TemporaryDirectory()",
    'f"pid {os.getpid()}"',
    'say("ls -l /tmp")',
]


@pytest.mark.parametrize("line", CARELESS_SHELL)
def test_a_careless_shell_program_is_found(line):
    assert next(shared_names.in_shell(f": first\n{line}\n"))[0] == 2


@pytest.mark.parametrize("line", CAREFUL_SHELL)
def test_a_careful_shell_program_is_left_alone(line):
    assert list(shared_names.in_shell(line)) == []


@pytest.mark.parametrize("source", CARELESS_PYTHON)
def test_careless_python_is_found(source):
    assert list(shared_names.in_python(source))


@pytest.mark.parametrize("source", CAREFUL_PYTHON)
def test_careful_python_is_left_alone(source):
    assert list(shared_names.in_python(source)) == []


def test_the_product_has_no_such_name_and_no_exception_that_it_does_not_need():
    files = shared_names.product()
    assert {path.suffix for path in files} == set(shared_names.ENDINGS)
    assert shared_names.complaints(files) == []
