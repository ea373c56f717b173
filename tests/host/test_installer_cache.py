"""What others could put into the controller's cache is neither written to nor believed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.plugin_utils._installation import installer_cache

SHA256 = "0" * 64


def fetched(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    installer_cache.fetch("http://127.0.0.1:1/x.sh", SHA256, 1, lambda _progress: None)


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
