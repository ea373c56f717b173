"""What others could put into the controller's cache is neither written to nor believed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.plugin_utils._installation import installer_cache

SHA256 = "0" * 64


def fetched(cache: Path, monkeypatch: pytest.MonkeyPatch, port: int = 1) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    installer_cache.fetch(f"http://127.0.0.1:{port}/x.sh", SHA256, 1, lambda _progress: None)


class Installer(BaseHTTPRequestHandler):
    """Answers with an installer, and says nothing of it."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"#!/bin/sh\n")

    def log_message(self, *_words: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Installer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make what belongs to somebody else")
def test_a_directory_of_somebody_else_in_its_place_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    thesis = tmp_path / "thesis"
    thesis.write_text("years of work")
    planted = tmp_path / "hpcc.notebook"
    planted.mkdir()
    (planted / f"{SHA256}.part").symlink_to(thesis)
    os.chown(planted, 65534, 65534)
    with pytest.raises(NotebookError, match=r"hpcc\.notebook: belongs to"):
        fetched(tmp_path, monkeypatch)
    assert thesis.read_text() == "years of work"


def test_so_is_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "hpcc.notebook").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotebookError, match=r"hpcc\.notebook: is"):
        fetched(tmp_path, monkeypatch)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_one_of_ours_that_others_can_enter_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hpcc.notebook").mkdir()
    (tmp_path / "hpcc.notebook").chmod(0o777)
    with pytest.raises(NotebookError, match=r"127\.0\.0\.1"):
        fetched(tmp_path, monkeypatch)
    assert (tmp_path / "hpcc.notebook").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", [f"{SHA256}.part", f"{SHA256}.sh"])
@pytest.mark.parametrize("kind", ["a link", "another name", "a fifo"])
def test_what_was_put_there_while_it_was_open_is_not_written_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, port: int, kind: str, name: str
) -> None:
    thesis = tmp_path / "thesis"
    thesis.write_text("years of work")
    planted = tmp_path / "hpcc.notebook" / name
    planted.parent.mkdir()
    plant = {"a link": planted.symlink_to, "another name": planted.hardlink_to, "a fifo": os.mkfifo}
    plant[kind](planted if kind == "a fifo" else thesis)
    with pytest.raises(NotebookError, match="has the wrong checksum"):
        fetched(tmp_path, monkeypatch, port)
    assert thesis.read_text() == "years of work"
