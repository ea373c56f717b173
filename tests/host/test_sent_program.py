"""A file of module_utils runs on a node that has nothing of ours."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common.imported import PACKAGE, closure
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


def imported(text: str) -> Iterator[str]:
    """What Python's own parser finds that a text imports of ours, wherever it does."""
    for node in ast.walk(ast.parse(text)):
        origin = getattr(node, "module", None) or ""
        if isinstance(node, ast.ImportFrom) and origin.startswith(PACKAGE):
            named = [origin, *(f"{origin}.{alias.name}" for alias in node.names)]
            yield from (one for one in named if sent_program.file_of(one).exists())


@pytest.mark.parametrize("room", ["modules", "module_utils"])
def test_nothing_is_missing_or_needless_among_the_texts_of_any_program(room: str) -> None:
    plugins = sent_program.PLUGINS
    paths = sorted((plugins / room).rglob("*.py"))
    assert paths
    for path in paths:
        name = ".".join((PACKAGE, *path.relative_to(plugins).with_suffix("").parts))
        texts = sent_program.sources(name)
        needed = {name, *(one for text in texts.values() for one in imported(text))}
        assert set(texts) == needed, name


def test_every_way_to_write_an_import_is_seen() -> None:
    text = (
        f"from {PACKAGE}.module_utils._edges import files, room as space  # noqa: X\n"
        f"if True:\n    from {PACKAGE}.module_utils._edges import (\n"
        f"        generations,  # why\n        processes as running,\n    )\n"
        f"from {PACKAGE}.module_utils._common.errors import NotebookError\n"
    )
    found = closure("it", lambda name: text if name == "it" else sent_program._text(name))
    assert set(imported(text)) <= set(found)
    assert len(set(imported(text))) == 5
