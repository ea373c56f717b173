"""Text files of a role: four beats, then what else may lie there."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hpcc.notebook.plugins.modules import text_files
from modules import ModuleFailed, four_beats, run_module


def asked(home: Path, text: str = "c = 1\n") -> dict[str, Any]:
    return {
        "directories": [f"{home}/.ipython/profile_x"],
        "files": [
            {"path": f"{home}/shared.ini", "content": "[a]\n", "mode": "0644"},
            {"path": f"{home}/.ipython/profile_x/config.py", "content": text, "python": True},
        ],
    }


def modes(home: Path) -> dict[str, str]:
    return {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in home.rglob("*")}


def test_four_beats_tell_one_story(tmp_path: Path) -> None:
    beats = four_beats(text_files, **asked(tmp_path))
    assert beats[0]["reason"].count("missing") == 4
    wanted = {".ipython": "0o700", "profile_x": "0o700", "config.py": "0o600"}
    assert modes(tmp_path) == {**wanted, "shared.ini": "0o644"}
    assert (tmp_path / ".ipython/profile_x/config.py").read_text() == "c = 1\n"


def test_what_is_around_it_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / ".ipython").mkdir(mode=0o755)
    run_module(text_files, **asked(tmp_path))
    assert modes(tmp_path)[".ipython"] == "0o755"


@pytest.mark.parametrize(("name", "bits"), [("shared.ini", 0o600), ("shared.ini", 0o666)])
def test_another_mode_is_corrected(tmp_path: Path, name: str, bits: int) -> None:
    run_module(text_files, **asked(tmp_path))
    (tmp_path / name).chmod(bits)
    assert f"mode {bits:04o}" in run_module(text_files, **asked(tmp_path))["reason"]
    assert modes(tmp_path)[name] == "0o644"


def test_what_is_no_python_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ModuleFailed, match=r"config\.py: would be no Python: .*never closed"):
        run_module(text_files, **asked(tmp_path, "c = ("))
    assert modes(tmp_path) == {}


@pytest.mark.parametrize("kind", ["link", "directory"])
def test_what_is_not_ours_to_replace_is_named(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "shared.ini"
    if kind == "link":
        path.symlink_to("/etc/hostname")
    else:
        path.mkdir()
    with pytest.raises(ModuleFailed, match=r"shared\.ini: ") as failed:
        run_module(text_files, **asked(tmp_path))
    assert "\n" not in str(failed.value)
    assert not (tmp_path / ".ipython").exists()
