"""Reading and writing private files, with real disks that are full and real other users."""

from __future__ import annotations

import errno
import os
import resource
import signal
import socket
import stat
import subprocess
import time
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files

ROOT = os.geteuid() == 0
as_root = pytest.mark.skipif(not ROOT, reason="two users are needed")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_a_missing_file_reads_as_none(tmp_path):
    assert files.read(str(tmp_path / "missing")) is None


def test_a_file_that_nfs_believes_to_be_missing_is_read(tmp_path, monkeypatch):
    """As nfs(5) has it; NFS itself cannot be mounted where these tests run."""
    (tmp_path / "answer").write_bytes(b"served")
    opened, believed = os.open, {str(tmp_path / "answer")}

    def on_nfs(path, flags, *more, **named):
        if path in believed:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
        if flags & os.O_DIRECTORY:
            believed.clear()
        return opened(path, flags, *more, **named)

    monkeypatch.setattr(os, "open", on_nfs)
    assert files.read(str(tmp_path / "answer")) == b"served"


def test_what_was_written_is_read(tmp_path):
    files.write_private(str(tmp_path / "file"), b"content\x00\xff")
    assert files.read(str(tmp_path / "file")) == b"content\x00\xff"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o277])
def test_files_and_directories_are_private_whatever_the_umask(tmp_path, umask):
    previous = os.umask(umask)
    try:
        files.make_private_directory(str(tmp_path / "directory"))
        files.write_private(str(tmp_path / "directory" / "file"), b"x")
    finally:
        os.umask(previous)
    assert mode(tmp_path / "directory") == 0o700
    assert mode(tmp_path / "directory" / "file") == 0o600


def test_a_directory_that_passes_its_group_on_counts_as_private(tmp_path):
    tmp_path.chmod(0o2775)
    assert files.make_private_directory(str(tmp_path / "inside"))
    assert not files.make_private_directory(str(tmp_path / "inside"))


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (lambda path: None, "missing"),  # noqa: ARG005
        (lambda path: path.mkdir(mode=0o755), "mode 0755"),
        (lambda path: path.mkdir(mode=0o700), None),
    ],
)
def test_the_reason_for_a_directory_is_what_making_it_acts_on(tmp_path, prepare, reason):
    directory = tmp_path / "directory"
    prepare(directory)
    assert files.private_directory_reason(str(directory)) == reason
    assert files.make_private_directory(str(directory)) == bool(reason)
    assert files.private_directory_reason(str(directory)) is None


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (lambda path: None, "missing"),  # noqa: ARG005
        (lambda path: path.write_bytes(b"other"), "content differs"),
        (lambda path: path.write_bytes(b"x") and path.chmod(0o644), "mode 0644"),
        (lambda path: path.write_bytes(b"x") and path.chmod(0o600), None),
    ],
)
def test_the_reason_for_a_file_is_gone_once_it_is_written(tmp_path, prepare, reason):
    file = tmp_path / "file"
    prepare(file)
    assert files.private_file_reason(str(file), b"x") == reason
    files.write_private(str(file), b"x")
    assert files.private_file_reason(str(file), b"x") is None


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda path: path.mkdir(), "is a directory"),
        (lambda path: path.symlink_to("/etc/passwd"), "is a symbolic link"),
        (lambda path: path.symlink_to("/nonexistent"), "is a symbolic link"),
        (os.mkfifo, "is not a regular file"),
        (
            lambda path: os.truncate(os.open(path, os.O_CREAT | os.O_RDWR), 1 << 30),
            "is larger than",
        ),
    ],
)
def test_only_sensible_regular_files_are_read(tmp_path, prepare, message):
    prepare(tmp_path / "file")
    with pytest.raises(NotebookError, match=message):
        files.read(str(tmp_path / "file"))


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda path: path.write_text("x"), "is not a directory"),
        (lambda path: path.symlink_to("/tmp"), "is a symbolic link"),
        (lambda path: path.symlink_to("/nonexistent"), "is a symbolic link"),
    ],
)
def test_only_real_directories_are_taken(tmp_path, prepare, message):
    prepare(tmp_path / "directory")
    for function in (files.private_directory_reason, files.make_private_directory):
        with pytest.raises(NotebookError, match=message):
            function(str(tmp_path / "directory"))


@pytest.mark.skipif(not ROOT, reason="needs root to give a directory away")
def test_somebody_elses_directory_is_refused(tmp_path):
    os.chown(tmp_path, 65534, 65534)
    with pytest.raises(NotebookError, match="belongs to uid 65534, not to uid 0"):
        files.make_private_directory(str(tmp_path))


def test_a_link_is_replaced_and_what_it_points_to_is_left_alone(tmp_path):
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "file").symlink_to(tmp_path / "victim")
    files.write_private(str(tmp_path / "file"), b"new")
    assert (tmp_path / "victim").read_text() == "mine"
    assert not (tmp_path / "file").is_symlink()


def test_a_missing_directory_is_named(tmp_path):
    with pytest.raises(NotebookError, match=r"/no/file: its directory does not exist\."):
        files.write_private(str(tmp_path / "no" / "file"), b"x")


def test_the_limit_on_file_sizes_leaves_the_old_file(tmp_path):
    file = tmp_path / "file"
    files.write_private(str(file), b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, limits[1]))
        with pytest.raises(NotebookError, match="the limit on the size of files is reached"):
            files.write_private(str(file), b"new" * 1024)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"old")]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of a few pages, where one can be mounted."""
    command = ["mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", str(tmp_path)]
    if not ROOT or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let us mount a tmpfs")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_full_disk_leaves_the_old_file(small_disk):
    file = small_disk / "file"
    files.write_private(str(file), b"old")
    with pytest.raises(NotebookError, match=r"file: no space .* left on the file system\. Free"):
        files.write_private(str(file), b"new" * 50_000)
    assert [(path.name, path.read_bytes()) for path in small_disk.iterdir()] == [("file", b"old")]


def test_a_full_disk_leaves_all_of_what_belongs_together(small_disk):
    key, certificate = small_disk / "key", small_disk / "certificate"
    for path in (key, certificate):
        files.write_private(str(path), b"old")
    with pytest.raises(NotebookError, match="no space"):
        files.write_together({str(key): b"new", str(certificate): b"x" * 2**21}, 0o600)
    assert [path.read_bytes() for path in (key, certificate)] == [b"old", b"old"]
    assert sorted(small_disk.iterdir()) == [certificate, key]


def test_nothing_is_replaced_before_all_that_belongs_together_is_on_the_disk(tmp_path, monkeypatch):
    paths = [tmp_path / "key", tmp_path / "certificate"]
    replaced, replace = [], Path.replace

    def watched(self, target):
        replaced.append(sorted(path.name for path in tmp_path.glob(".*.tmp")))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    files.write_together({str(path): b"new" for path in paths}, 0o600)
    assert [len(names) for names in replaced] == [2, 1]
    assert sorted(tmp_path.iterdir()) == sorted(paths)


def test_a_read_only_file_system_is_named(small_disk):
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(NotebookError, match="the file system is read-only"):
        files.write_private(str(small_disk / "file"), b"x")


def test_a_file_system_that_keeps_no_permissions_gets_no_secret(tmp_path, monkeypatch):
    real = os.fstat

    def wide(handle: int) -> os.stat_result:
        found = list(real(handle))
        found[0] |= 0o077
        return os.stat_result(found)

    monkeypatch.setattr(files.os, "fstat", wide)
    with pytest.raises(NotebookError, match="does not keep permissions"):
        files.write_private(str(tmp_path / "file"), b"secret")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.EDQUOT, "the disk quota is used up"),
        (errno.EACCES, "permission denied"),
        (errno.ESTALE, "Stale file handle"),
        (errno.ETIMEDOUT, "timed out"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_each_error_of_the_system_is_one_line(tmp_path, monkeypatch, number, message):
    def broken(_handle: int) -> None:
        raise OSError(number, "x")

    monkeypatch.setattr(files.os, "fsync", broken)
    with pytest.raises(NotebookError, match=message) as failure:
        files.write_private(str(tmp_path / "file"), b"x")
    assert "\n" not in str(failure.value)


def test_what_a_killed_run_left_is_swept_away_and_a_working_run_is_not(tmp_path):
    old, young = tmp_path / ".file.aaaa.tmp", tmp_path / ".file.bbbb.tmp"
    other = tmp_path / ".other.cccc.tmp"
    for path in (old, young, other):
        path.write_text("half")
    yesterday = time.time() - 86400
    os.utime(old, (yesterday, yesterday))
    os.utime(other, (yesterday, yesterday))
    files.write_private(str(tmp_path / "file"), b"x")
    assert {path.name for path in tmp_path.iterdir()} == {"file", young.name, other.name}


def test_a_kill_at_any_moment_leaves_the_old_file_or_the_new_one(tmp_path):
    file = tmp_path / "file"
    contents = {bytes([letter]) * 300_000 for letter in b"ab"}
    files.write_private(str(file), min(contents))
    for delay in range(40):
        child = os.fork()
        if child == 0:
            while True:
                for content in contents:
                    files.write_private(str(file), content)
        time.sleep(delay / 4000)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert file.read_bytes() in contents


def test_removing_takes_files_links_and_empty_directories_and_nothing_else(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "directory").mkdir()
    for name in ("link", "directory", "file", "file"):
        files.remove(str(tmp_path / name))
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("x")
    with pytest.raises(NotebookError, match="the directory is not empty"):
        files.remove(str(tmp_path / "full"))


def test_names_in_a_directory_are_sorted_and_a_missing_one_has_none(tmp_path):
    for name in "cab":
        (tmp_path / name).touch()
    assert files.entries(str(tmp_path)) == ["a", "b", "c"]
    assert files.entries(str(tmp_path / "missing")) == []


def test_a_chosen_directory_may_lie_behind_a_link(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    assert files.directory_status(str(tmp_path / "link")) is not None
    assert files.directory_status(str(tmp_path / "missing")) is None
    (tmp_path / "file").touch()
    with pytest.raises(NotebookError, match="is not a directory"):
        files.directory_status(str(tmp_path / "file"))


@as_root
def test_a_socket_is_ours_only_where_nobody_else_can_put_one(tmp_path):
    place = tmp_path / "place"
    place.mkdir(mode=0o700)
    path = place / "s"
    with socket.socket(socket.AF_UNIX) as held:
        assert not files.is_our_socket(str(path)), "missing"
        held.bind(str(path))
        assert files.is_our_socket(str(path))
        for mode in (0o711, 0o770, 0o777):
            place.chmod(mode)
            assert not files.is_our_socket(str(path)), oct(mode)
        place.chmod(0o700)
        os.chown(path, 65534, -1)
        assert not files.is_our_socket(str(path)), "the socket of somebody else"
        os.chown(path, 0, -1)
        os.chown(place, 65534, -1)
        assert not files.is_our_socket(str(path)), "the directory of somebody else"
        os.chown(place, 0, -1)
        (place / "link").symlink_to(path)
        assert not files.is_our_socket(str(place / "link")), "a link"
        (tmp_path / "linked").symlink_to(place)
        assert not files.is_our_socket(str(tmp_path / "linked" / "s")), "through a link"


@as_root
def test_what_belongs_to_somebody_else_is_named(tmp_path):
    for name in ("b", "a", "ours"):
        (tmp_path / name).touch()
    (tmp_path / "c").symlink_to("ours")
    for name in "abc":
        os.chown(tmp_path / name, 65534, -1, follow_symlinks=False)
    assert files.foreign(str(tmp_path)) == ["a", "b", "c"]
    assert files.foreign(str(tmp_path / "missing")) == []
