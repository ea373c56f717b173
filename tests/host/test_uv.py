"""Packages by uv: only where it does what pip would do, and only as the bytes that are named."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from small_distribution import Mirror, mirror, wheel

SCRIPTS = Path(__file__).parents[2] / "plugins/plugin_utils/_node/scripts/installation"
PROGRAM = """
say() { printf '%s\\n' "$*"; }
run_installer() { echo "the installer was run again"; }
empty_trash() { :; }
phase() { :; }
. "$SCRIPTS/change.sh"
. "$SCRIPTS/uv.sh"
@MORE@
export TREE=$1 INDEX_URL=$2 PACKAGES='one>=1'
install_with_uv
"""
# A program in its place; the real bytes alone would be run.
INSTEAD = """
UV_LIMIT=2
fetch_uv() {
  mkdir -p "$WORK/tmp/uv/bin" && printf '#!/bin/sh\\n%s\\n' '@LINES@' >"$WORK/tmp/uv/bin/uv" &&
    chmod +x "$WORK/tmp/uv/bin/uv"
}
"""
WITHOUT = ("-I", "-m", "pip", "--isolated", "--disable-pip-version-check")
Install = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    """An index of one package, without uv."""
    with mirror(tmp_path_factory.mktemp("served")) as running:
        wheel(running.root, "one", "1.0", "answer = 42\n")
        yield running


@pytest.fixture(scope="module")
def with_uv(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    """An index that has the real one, too."""
    (pin,) = [
        line.partition("'")[2]
        for line in (SCRIPTS / "uv.sh").read_text(encoding="utf-8").splitlines()
        if line.startswith("UV='")
    ]
    with mirror(tmp_path_factory.mktemp("with-uv")) as running:
        wheel(running.root, "one", "1.0", "answer = 42\n")
        place = running.root / "simple" / "uv"
        place.mkdir()
        argv = ["download", "-q", "--no-deps", "--only-binary", ":all:", "-d", str(place), pin]
        subprocess.run([sys.executable, "-m", "pip", *argv], check=True)
        yield running


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a pip of today: that of Python 3.13.0 fails at addresses such as https://127.0.0.1."""
    place = tmp_path_factory.mktemp("template") / "tree"
    subprocess.run([sys.executable, "-m", "venv", "--upgrade-deps", str(place)], check=True)
    return place


@pytest.fixture
def tree(template: Path, tmp_path: Path) -> Path:
    return shutil.copytree(template, tmp_path / "tree", symlinks=True)


@pytest.fixture
def install(tree: Path, tmp_path: Path) -> Install:
    (tmp_path / "tmp").mkdir()

    def run(
        index: Mirror, settings: str = "", url: str | None = None, instead: str = ""
    ) -> subprocess.CompletedProcess[str]:
        (tree / "pip.conf").write_text(f"[global]\ncert = {index.certificate}\n{settings}")
        environment = {
            "PATH": "/usr/bin:/bin", "SCRIPTS": str(SCRIPTS), "HOME": str(tmp_path / "tmp"),
            "TMPDIR": str(tmp_path / "tmp"), "WORK": str(tmp_path),
            "XDG_CONFIG_DIRS": "/nonexistent",
        }  # fmt: skip
        more = INSTEAD.replace("@LINES@", instead) if instead else ""
        given = f"{index.url}/simple/" if url is None else url
        argv = ["sh", "-c", PROGRAM.replace("@MORE@", more), "sh", str(tree), given]
        return subprocess.run(
            argv, capture_output=True, text=True, check=False, env=environment, timeout=100
        )

    return run


def installer(tree: Path) -> str:
    """Who says that it has installed the package."""
    found = list(tree.glob("lib/python3*/site-packages/one-1.0.dist-info/INSTALLER"))
    return found[0].read_text().strip() if found else ""


def test_packages_come_by_uv_and_nothing_of_it_stays(
    tree: Path, install: Install, with_uv: Mirror, tmp_path: Path
) -> None:
    done = install(with_uv)
    assert done.returncode == 0, done.stdout + done.stderr
    assert installer(tree) == "uv"
    assert not (tmp_path / "tmp/uv").exists()
    assert not (tmp_path / "tmp/uv-cache").exists()
    assert not (tree / ".lock").exists()
    files = [path for path in tree.rglob("site-packages/one*/**/*") if path.is_file()]
    files += tree.rglob("site-packages/one.py")
    assert {(path.stat().st_nlink, path.stat().st_mode & 0o777) for path in files} == {(1, 0o644)}
    checked = subprocess.run([tree / "bin/python", *WITHOUT, "check"], check=False)
    assert checked.returncode == 0, "pip goes on with what uv has left"


@pytest.mark.parametrize(
    "settings",
    ["constraint = /dev/null\n", "extra-index-url =\n", "find-links = /srv\n",
     "trusted-host = x\n", "proxy = http://127.0.0.1:9\n", "no-index = true\n",
     "[install]\nrequire-hashes = true\n", "[install]\nanything-new = 1\n"],
)  # fmt: skip
def test_what_only_pip_can_obey_is_left_to_pip(
    settings: str, tree: Path, install: Install, with_uv: Mirror
) -> None:
    before = len(with_uv.requests)
    assert install(with_uv, settings).returncode != 0
    assert installer(tree) == ""
    assert len(with_uv.requests) == before, "it was not even fetched"


def test_an_index_without_encryption_is_left_to_pip(
    tree: Path, install: Install, with_uv: Mirror
) -> None:
    assert install(with_uv, url="http://127.0.0.1:9/simple/").returncode != 0
    assert installer(tree) == ""


@pytest.mark.parametrize("settings", ["", "index-url = https://127.0.0.1:9/simple/\n[install]\n"])
def test_the_index_of_pips_own_configuration_is_taken(
    settings: str, tree: Path, install: Install, with_uv: Mirror
) -> None:
    """The one for `install` where there are two, as by pip; and nobody sees it among arguments."""
    own = f"{settings}index-url = {with_uv.url}/simple/\n"
    assert install(with_uv, own, url="").returncode == 0
    assert installer(tree) == "uv"
    shown = install(with_uv, own, url="", instead='echo "$*"; exit 1').stdout
    assert "uv cannot install them, so pip does: pip install" in shown
    assert "https" not in shown


def test_a_value_that_only_python_can_read_is_left_to_pip(
    tree: Path, install: Install, with_uv: Mirror
) -> None:
    assert install(with_uv, "index-url = https://it's.example/\n", url="").returncode != 0
    assert installer(tree) == ""


def test_certificates_that_are_not_there_are_left_to_pip(
    tree: Path, install: Install, with_uv: Mirror
) -> None:
    assert install(with_uv, "[install]\ncert = ~/my.pem\n").returncode != 0
    assert installer(tree) == ""


def test_one_that_hangs_is_ended_and_the_tree_is_as_it_was(
    install: Install, with_uv: Mirror, tmp_path: Path
) -> None:
    began = time.monotonic()
    done = install(with_uv, instead="exec sleep 60")
    assert time.monotonic() - began < 30
    assert done.returncode == 1
    assert "the installer was run again" not in done.stdout
    assert not (tmp_path / "tmp/uv").exists()


def test_what_it_was_cut_off_in_is_not_taken_for_whole(install: Install, with_uv: Mirror) -> None:
    half = 'mkdir "$(echo "$TREE"/lib/python3*/site-packages)/one-1.0.dist-info"; exit 1'
    done = install(with_uv, instead=half)
    assert done.returncode == 1
    assert "the installer was run again" in done.stdout


def test_a_mirror_that_lacks_it_is_left_to_pip(
    tree: Path, install: Install, served: Mirror
) -> None:
    assert install(served).returncode != 0
    assert installer(tree) == ""
    assert sum("/uv/" in request for request in served.requests) == 1


def test_other_bytes_under_its_name_are_never_run(
    tree: Path, install: Install, served: Mirror, with_uv: Mirror, tmp_path: Path
) -> None:
    (real,) = (with_uv.root / "simple/uv").glob("*.whl")
    place = served.root / "simple" / "uv"
    place.mkdir()
    (place / real.name).write_bytes(real.read_bytes() + b"\0")
    try:
        assert install(served).returncode != 0
    finally:
        (place / real.name).unlink()
        place.rmdir()
    assert not (tmp_path / "tmp/uv/bin/uv").exists()
    assert installer(tree) == ""


def test_a_package_that_it_cannot_have_is_left_to_pip_with_its_words(
    tree: Path, install: Install, with_uv: Mirror
) -> None:
    place = with_uv.root / "simple" / "one"
    place.rename(place.with_name("two"))
    try:
        done = install(with_uv)
    finally:
        place.with_name("two").rename(place)
    assert done.returncode == 1
    assert "uv cannot install them, so pip does: " in done.stdout
    assert installer(tree) == ""
