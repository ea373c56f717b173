"""What killed trials have left is removed by the next; nothing else is, whoever made it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import kernel_trial
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
