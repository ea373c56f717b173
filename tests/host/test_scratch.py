"""What killed trials have left is removed by the next; nothing else is, whoever made it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import kernel_trial, proof
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.kernel_trial import (
    MARK,
    scratch,
)

# As a node runs it: from its text. It makes what a trial makes, and waits.
WAITS = """
import sys
source, top = sys.argv[1:]
names = {"__name__": "trial"}
exec(source, names)
with names["scratch"]("kernel-", top) as directory:
    names["os"].makedirs(directory + "/security/deep")
    open(directory + "/security/deep/key", "w").close()
    names["os"].symlink("/etc", directory + "/security/link")
    print(directory, flush=True)
    sys.stdin.read()
"""


def trial(top: Path) -> tuple[subprocess.Popen[str], Path]:
    """One that is at work, and its directory."""
    source = Path(kernel_trial.__file__).read_text(encoding="utf-8")
    begun = subprocess.Popen(
        [sys.executable, "-I", "-c", WAITS, source, str(top)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert begun.stdout
    return begun, Path(begun.stdout.readline().strip())


def test_what_a_killed_trial_left_is_removed_by_the_next(tmp_path: Path) -> None:
    begun, left = trial(tmp_path)
    with begun:
        begun.send_signal(signal.SIGKILL)
    assert (left / "security" / "deep" / "key").exists()
    with scratch("kernel-", str(tmp_path)) as directory:
        assert [str(path) for path in tmp_path.iterdir()] == [directory]
    assert not list(tmp_path.iterdir())
    assert Path("/etc/passwd").exists()


def test_one_that_is_at_work_keeps_its_directory(tmp_path: Path) -> None:
    begun, used = trial(tmp_path)
    with begun:
        with scratch("kernel-", str(tmp_path)):
            assert (used / "security" / "deep" / "key").exists()
        begun.communicate("")
    assert not list(tmp_path.iterdir())


def test_a_sweep_that_was_cut_off_goes_on(tmp_path: Path) -> None:
    begun, left = trial(tmp_path)
    with begun:
        begun.send_signal(signal.SIGKILL)
    (left / "security" / "deep" / "key").unlink()
    with scratch("kernel-", str(tmp_path)):
        assert not left.exists()


def marked(directory: Path, mode: int = 0o700) -> Path:
    directory.mkdir(parents=True)
    directory.chmod(mode)
    (directory / MARK).touch()
    (directory / "thesis").write_text("years of work")
    return directory


def without_a_mark(top: Path) -> Path:
    directory = marked(top / "kernel-mine")
    (directory / MARK).unlink()
    return directory


def with_a_link_for_a_mark(top: Path) -> Path:
    directory = without_a_mark(top)
    (directory / MARK).symlink_to("/etc/passwd")
    return directory


def open_to_others(top: Path) -> Path:
    return marked(top / "kernel-open", 0o755)


def behind_a_link(top: Path) -> Path:
    directory = marked(top / "elsewhere")
    (top / "kernel-link").symlink_to(directory)
    return directory


def of_another_prefix(top: Path) -> Path:
    return marked(top / "kernels")


def of_somebody_else(top: Path) -> Path:
    if os.geteuid():
        pytest.skip("only root can make what belongs to somebody else")
    directory = marked(top / "kernel-hers")
    os.chown(directory, 65534, 65534)
    return directory


@pytest.mark.parametrize(
    "made",
    [
        without_a_mark, with_a_link_for_a_mark, open_to_others, behind_a_link, of_another_prefix,
        of_somebody_else,
    ],
)  # fmt: skip
def test_what_is_not_proved_to_be_ours_stays(tmp_path: Path, made: Callable[[Path], Path]) -> None:
    directory = made(tmp_path)
    os.mkfifo(tmp_path / "kernel-fifo")
    before = sorted(tmp_path.iterdir())
    with scratch("kernel-", str(tmp_path)):
        pass
    assert (directory / "thesis").read_text() == "years of work"
    assert sorted(tmp_path.iterdir()) == before


def test_where_nothing_can_be_locked_a_trial_still_has_its_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_words: object) -> None:
        raise OSError

    monkeypatch.setattr(kernel_trial.fcntl, "flock", refuse)
    with scratch("kernel-", str(tmp_path)) as directory:
        assert not (Path(directory) / MARK).exists(), "nobody could tell that it is in use"
    assert not list(tmp_path.iterdir())


def other(top: Path, mode: int, owner: int, group: int) -> Path:
    """A directory for temporary files, as a site may have one."""
    place = top / "site"
    place.mkdir()
    place.chmod(mode)
    os.chown(place, owner, group)
    return place


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make what belongs to somebody else")
@pytest.mark.parametrize(
    ("mode", "owner", "group", "used"),
    [
        (0o1777, 0, 0, True), (0o755, 0, 5, True), (0o700, 0, 5, True), (0o775, 0, 0, True),
        (0o777, 0, 0, False), (0o775, 0, 5, False), (0o1777, 65534, 0, False),
        (0o755, 65534, 65534, False),
    ],
)  # fmt: skip
def test_no_trial_lies_where_others_could_put_theirs_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, owner: int, group: int, used: bool
) -> None:
    place = other(tmp_path, mode, owner, group)
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    with scratch("kernel-") as directory:
        assert (Path(directory).parent == place) == used
        assert list(place.iterdir()) == ([Path(directory)] if used else [])
    (place / "mine").mkdir()
    with scratch("kernel-", str(place / "mine")) as directory:
        assert (Path(directory).parents[1] == place) == used, "whoever renames that has all of it"


def test_where_even_tmp_is_open_to_all_it_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o777)
    monkeypatch.setattr(kernel_trial, "SHORT", str(tmp_path))
    words = "others can rename what you make there"
    with (
        pytest.raises(NotebookError, match=words),
        proof.scratch("nbserver-", str(tmp_path)),
    ):
        pass
    assert not list(tmp_path.iterdir())
