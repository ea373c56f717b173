"""A file of module_utils runs on a node that has nothing of ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ansible_collections.hpcc.notebook.plugins.module_utils._doctor import inside
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import processes
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node import sent_program

PROGRAM = sent_program.program(inside.__name__)


def test_it_runs_alone_and_writes_nothing(tmp_path: Path) -> None:
    argv = [
        sys.executable,
        "-I",
        "-S",
        "-c",
        PROGRAM,
        str(tmp_path),
        "/dev/null",
        "",
        "1",
        "no-such",
    ]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "server=none\n" in done.stdout
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_it_brings_what_it_imports_and_no_more() -> None:
    found = {name.rpartition("plugins.")[2] for name in sent_program.sources(inside.__name__)}
    assert {"module_utils._edges.processes", "module_utils._server.record"} <= found
    assert not [name for name in found if not name.startswith("module_utils.")]
    assert "module_utils._server.start" not in found


def test_it_fits_into_one_argument_with_room_to_spare() -> None:
    assert len(PROGRAM.encode()) < sent_program.LONGEST


def test_a_module_alone_needs_no_company() -> None:
    name = processes.__name__
    assert name in sent_program.sources(name)
    assert inside.__name__ not in sent_program.sources(name)
