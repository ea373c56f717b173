# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Side effects on files: the only place that reads and writes what lies on disk.

Everything here is private from its first moment: directories are made 0700 and files 0600,
never made wider and narrowed afterwards, whatever the umask says. What everybody may read is given
its wider mode before there is anything in it.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import secrets
import stat
import time
from pathlib import Path
from shlex import quote
from typing import BinaryIO, Iterator, Mapping

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError

SIZE_LIMIT = 4 * 1024 * 1024  # Nothing of ours comes near; a larger file is not ours to parse.
_READING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
STALE_AFTER = 3600.0  # Seconds until what a killed run left half written is swept away.

_PROBLEMS = {
    errno.EACCES: ("permission denied", "Check owner and mode of it and of its directories"),
    errno.EPERM: ("operation not permitted", "Check its owner"),
    errno.ENOENT: ("its directory does not exist", "Create the profile first"),
    errno.ENOTDIR: ("a part of this path is not a directory", "Move that file away"),
    errno.EISDIR: ("is a directory", "Move it away"),
    errno.ELOOP: ("is a symbolic link", "Replace it by what it points to"),
    errno.ENOSPC: ("no space (or no inode) left on the file system", "Free some and run again"),
    errno.EDQUOT: ("the disk quota is used up", "Free some space and run again"),
    errno.EFBIG: ("the limit on the size of files is reached", "Raise `ulimit -f` and run again"),
    errno.EROFS: ("the file system is read-only", "Ask the site why and run again"),
    errno.ENAMETOOLONG: ("the path is too long", "Choose a shorter one"),
    errno.ENOTEMPTY: ("the directory is not empty", "Look at what is in it"),
}


def home() -> str:
    """The home directory of whoever runs this, in the person's own spelling."""
    return expanded("~")


def expanded(path: str) -> str:
    """The path for whoever runs this: `~` is their home directory, `~name` that of an account.

    A list of accounts may write a home as //home/alice/. on one host and /home/alice on the next.
    """
    found = str(Path(path).expanduser())
    return f"/{found.lstrip('/')}" if found.startswith("//") else found


def read(path: str) -> bytes | None:
    """Give the content of a regular file, or None when there is none."""
    with _explained(path):
        try:
            handle = _opened(path)
        except FileNotFoundError:
            return None
        with os.fdopen(handle, "rb") as file:
            return _checked_content(path, file)


def _opened(path: str) -> int:
    """Open a file, and once more where NFS believes that it is missing, for up to a minute.

    Another host may just have written it. An opened directory is compared with the server's
    (close-to-open consistency, nfs(5)).
    """
    with contextlib.suppress(FileNotFoundError):
        return os.open(path, _READING)
    with contextlib.suppress(OSError):
        os.close(os.open(Path(path).parent, _DIRECTORY))
    return os.open(path, _READING)


def make_private_directory(path: str) -> bool:
    """Make sure that this is a directory of ours with mode 0700; say whether that took a change."""
    if private_directory_reason(path) is None:
        return False
    with _explained(path):
        with contextlib.suppress(FileExistsError):
            Path(path).mkdir(mode=0o700)
        # By descriptor and not through links: nobody can put another directory in between.
        handle = os.open(path, _DIRECTORY | os.O_NOFOLLOW)
        try:
            _refuse_foreign_directory(path, os.fstat(handle))
            _keep_mode(path, handle, 0o700)
        finally:
            os.close(handle)
    return True


def private_directory_reason(path: str) -> str | None:
    """Say why make_private_directory would change something, or give None."""
    found = _status(path)
    if found is None:
        return "missing"
    _refuse_foreign_directory(path, found)
    return _mode_reason(found, 0o700)


def is_our_socket(path: str) -> bool:
    """Whether a socket is ours and nobody else can take its place: clients trust who listens."""
    try:
        found = _status(path)
        return (
            private_directory_reason(str(Path(path).parent)) is None
            and found is not None
            and stat.S_ISSOCK(found.st_mode)
            and found.st_uid == os.geteuid()
        )
    except NotebookError:
        return False


def foreign(path: str) -> list[str]:
    """Give the sorted names in a directory that belong to somebody else."""
    kinds = ((name, _status(f"{path}/{name}")) for name in entries(path))
    return [name for name, found in kinds if found and found.st_uid != os.geteuid()]


def lock_file(path: str) -> int:
    """Open a file to lock it, made if it is missing; give its descriptor."""
    with _explained(path):
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def directory_status(path: str) -> os.stat_result | None:
    """Look at a directory that the person chose, possibly behind a link; None when missing."""
    with _explained(path):
        try:
            found = Path(path).stat()
        except FileNotFoundError:
            return None
    if not stat.S_ISDIR(found.st_mode):
        raise NotebookError("is not a directory", path, "Move it away")
    return found


def require_readable_directory(path: str) -> None:
    """Refuse a directory that we may not list and enter."""
    if not os.access(path, os.R_OK | os.X_OK):
        todo = f"Check who owns it and its directories; when it is you: chmod u+rx {quote(path)}"
        raise NotebookError("you may not list what is in it", path, todo)


def entries(path: str) -> list[str]:
    """Give the sorted names in a directory; none when it is missing."""
    with _explained(path):
        try:
            return sorted(entry.name for entry in Path(path).iterdir())
        except FileNotFoundError:
            return []


def sockets(path: str) -> list[str]:
    """Give the sorted names of the sockets in a directory."""
    kinds = ((name, _status(f"{path}/{name}")) for name in entries(path))
    return [name for name, found in kinds if found and stat.S_ISSOCK(found.st_mode)]


def write_private(path: str, content: bytes) -> None:
    """Replace a file by one with this content that only its owner can open, whole or not at all."""
    write(path, content, 0o600)


def leave(path: str, content: bytes) -> None:
    """The same where it can be done, for who has better to do than to end with a full disk."""
    with contextlib.suppress(NotebookError, OSError):
        write_private(path, content)


def write(path: str, content: bytes, mode: int) -> None:
    """Replace a file by one with this content and mode, whole or not at all."""
    write_together({path: content}, mode)


def write_together(contents: Mapping[str, bytes], mode: int) -> None:
    """Replace files that belong together: none of them before all are on the disk.

    No call of the kernel takes two names at once. What remains is the moment between two of them.
    """
    with contextlib.ExitStack() as prepared:
        replacements = [
            (path, prepared.enter_context(_on_disk(path, content, mode)))
            for path, content in contents.items()
        ]
        for path, temporary in replacements:
            with _explained(path):
                temporary.replace(path)
    for path in contents:
        with _explained(path):
            _sync_directory(Path(path).parent)


@contextlib.contextmanager
def _on_disk(path: str, content: bytes, mode: int) -> Iterator[Path]:
    """What shall replace a file, beside it; it is gone when that did not come about."""
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
    try:
        with _explained(path):
            _sweep(target)
            _write_new(temporary, content, mode)
        yield temporary
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def private_file_reason(path: str, content: bytes) -> str | None:
    """Say why write_private would change something, or give None."""
    return file_reason(path, content, 0o600)


def file_reason(path: str, content: bytes, mode: int) -> str | None:
    """Say why write would change something, or give None."""
    present = read(path)
    if present is None:
        return "missing"
    if present != content:
        return "content differs"
    return _owner_reason(path, mode)


def private_mode_reason(path: str) -> str | None:
    """Say why an existing file is not private to us, or give None."""
    return _owner_reason(path, 0o600)


def _owner_reason(path: str, mode: int) -> str | None:
    """Say why an existing file is not ours with this mode, or give None."""
    found = _status(path)
    if found is None:
        return "missing"
    if found.st_uid != os.geteuid():
        return f"owned by uid {found.st_uid}"
    return _mode_reason(found, mode)


def remove(path: str) -> None:
    """Remove a file, a symbolic link or an empty directory; it may be missing already."""
    found = _status(path)
    if found is None:
        return
    with _explained(path), contextlib.suppress(FileNotFoundError):
        if stat.S_ISDIR(found.st_mode):
            Path(path).rmdir()
        else:
            Path(path).unlink()


def _checked_content(path: str, file: BinaryIO) -> bytes:
    """Read an open file, after making sure that it is one of a sensible size."""
    found = os.fstat(file.fileno())
    if not stat.S_ISREG(found.st_mode):
        raise NotebookError("is not a regular file", path, "Move it away")
    if found.st_size > SIZE_LIMIT:
        raise NotebookError(f"is larger than {SIZE_LIMIT} bytes", path, "Move it away")
    return file.read(SIZE_LIMIT)


def _status(path: str) -> os.stat_result | None:
    """Look at the thing itself, not at what a link points to."""
    with _explained(path):
        try:
            return os.lstat(path)
        except FileNotFoundError:
            return None


def _refuse_foreign_directory(path: str, found: os.stat_result) -> None:
    """A link or somebody else's directory could be swapped under us later."""
    if stat.S_ISLNK(found.st_mode):
        raise NotebookError("is a symbolic link", path, "Replace it by a directory of your own")
    if not stat.S_ISDIR(found.st_mode):
        raise NotebookError("is not a directory", path, "Move it away")
    if found.st_uid != os.geteuid():
        what = f"belongs to uid {found.st_uid}, not to uid {os.geteuid()}"
        raise NotebookError(what, path, "Ask its owner or the site to remove it")


def _mode_reason(found: os.stat_result, wanted: int) -> str | None:
    """Compare the permission bits; setgid comes from the parent and opens nothing."""
    mode = stat.S_IMODE(found.st_mode) & 0o777
    return None if mode == wanted else f"mode {mode:04o}"


def _keep_mode(path: str, handle: int, mode: int) -> None:
    """Give exactly this mode, and believe only what the file system then says."""
    if _mode_reason(os.fstat(handle), mode):
        os.fchmod(handle, mode)
    left = _mode_reason(os.fstat(handle), mode)
    if left:
        what = f"the file system does not keep permissions ({left} instead of {mode:04o})"
        raise NotebookError(what, path, "Use a home directory on a file system that does")


def _write_new(path: Path, content: bytes, mode: int) -> None:
    """Create a file of our own and bring its content to the disk."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        _keep_mode(str(path), file.fileno(), mode)  # before there is anything to read in it
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def remove_half_written(path: str) -> None:
    """Remove what processes that were killed left beside a file; nobody may write it any more."""
    with _explained(path):
        _sweep(Path(path), 0)


def _sweep(target: Path, age: float = STALE_AFTER) -> None:
    """Remove what earlier, killed runs left half written; a run at work is younger than that."""
    for entry in target.parent.glob(f".{glob.escape(target.name)}.*.tmp"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - entry.lstat().st_mtime >= age:
                entry.unlink()


def _sync_directory(path: Path) -> None:
    """Make the new name itself survive a crash."""
    handle = os.open(path, _DIRECTORY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems cannot, and need not
            raise
    finally:
        os.close(handle)


def explained(words: str, path: str) -> NotebookError:
    """What a program of the host said of a path, in the words of everything else here."""
    for number, (what, todo) in _PROBLEMS.items():
        if os.strerror(number) in words:
            return NotebookError(what, path, todo)
    return NotebookError(words, path)


@contextlib.contextmanager
def _explained(path: str) -> Iterator[None]:
    """Turn the operating system's errors into one line each."""
    try:
        yield
    except OSError as error:
        default = (os.strerror(error.errno) if error.errno else str(error), "")
        what, todo = _PROBLEMS.get(error.errno or 0, default)
        raise NotebookError(what, path, todo) from error
