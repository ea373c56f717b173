# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetches an installer to the controller, once for all hosts; verified before it gets its name."""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urljoin

from ansible.module_utils.urls import open_url
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files
from ansible_collections.hpcc.notebook.plugins.module_utils._installation.progress import Progress

_CHUNK = 1024 * 1024
_PAUSES = (1, 2, 4)
_GONE = (404, 410)
_NO_RANGE = 416
_MOVED = (301, 302, 303, 307, 308)
_REDIRECTS = 10
_BUSY = (429, 503)
Show = Callable[[Progress], None]


def fetch(url: str, sha256: str, timeout: int, show: Show) -> Path:
    """The path of the verified installer in the controller's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hpcc.notebook"
    kept, part = cache / f"{sha256}.sh", cache / f"{sha256}.part"
    cache.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    files.make_private_directory(str(cache))  # what others could put there would be written to
    with _alone(cache):
        for path in (kept, part):
            _forget_planted(path)
        if not (kept.exists() and _sum(kept) == sha256):
            _bring(url, sha256, part, _Download(url, part, timeout, show))
            part.replace(kept)
    return kept


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """The hosts of a play are served by processes of their own; the first of them downloads."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _forget_planted(path: Path) -> None:
    """What was put there while others could write: another file's name, or what hangs."""
    with suppress(FileNotFoundError):
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
            path.unlink()


def _bring(url: str, sha256: str, part: Path, download: _Download) -> None:
    """What was put together from two downloads gets one whole one when it does not fit."""
    resumed = part.exists()
    if resumed and _sum(part) == sha256:
        return
    download.run()
    if resumed and _sum(part) != sha256:
        part.unlink()
        download.run()
    _check(url, sha256, part)


class _Download:
    """Goes on, within the time, when the server breaks off or is out of order for a moment."""

    def __init__(self, url: str, part: Path, timeout: int, show: Show) -> None:
        self._url, self._part, self._show = url, part, show
        self._timeout, self._waits = timeout, 0
        self._began = self._shown = time.monotonic()

    def run(self) -> None:
        """Bring all of it, from where an earlier run stopped."""
        for pause in (*_PAUSES, None):
            try:
                self._patiently()
                return
            except HTTPError as error:
                if error.code == _NO_RANGE:
                    self._part.unlink(missing_ok=True)
                elif error.code < 500 or pause is None:
                    raise self._failure(error) from error
            except ConnectionError as error:
                if pause is None:
                    raise self._failure(error) from error
            except (OSError, ValueError) as error:
                raise self._failure(error) from error
            time.sleep(min(pause or 0, max(0.0, self._left)))

    @property
    def _left(self) -> float:
        return self._began + self._timeout - time.monotonic()

    def _patiently(self) -> None:
        """As often as the server asks for patience."""
        while True:
            try:
                return self._once()
            except HTTPError as error:
                told = _told_to_wait(error)
                if told is None:
                    raise
                self._wait(told, error)

    def _wait(self, told: int, error: HTTPError) -> None:
        """As long as the server asks, within the time; each time a little longer than before."""
        self._waits += 1
        seconds = max(told, self._waits)
        if seconds >= self._left:
            raise NotebookError(
                what=f"the server has too many requests (HTTP {error.code}) and asks to wait "
                f"{seconds} s, longer than the {self._timeout} s allowed",
                where=self._url,
                todo="Run again later, or set a longer anaconda_download_timeout.",
            ) from error
        time.sleep(seconds)

    def _once(self) -> None:
        begun = self._part.stat().st_size if self._part.exists() else 0
        headers = {"Range": f"bytes={begun}-"} if begun else {}
        patience = max(1.0, min(self._left, 60))
        with _opened(self._url, patience, headers) as answer:
            begun = begun if answer.status == 206 else 0
            with self._part.open("ab" if begun else "wb") as file:
                self._copy(answer, file, begun)

    def _copy(self, answer: Any, file: Any, begun: int) -> None:
        done, total = begun, begun + int(answer.headers.get("Content-Length") or 0)
        while chunk := answer.read1(_CHUNK):
            file.write(chunk)
            done += len(chunk)
            if self._left < 0:
                raise TimeoutError(f"it took longer than {self._timeout} s")
            self._tell(done, total, begun)
        if total > begun and done < total:
            raise ConnectionError(f"it ended after {done} of {total} bytes")

    def _tell(self, done: int, total: int, begun: int) -> None:
        if time.monotonic() - self._shown > 0.2:
            self._shown = time.monotonic()
            self._show(Progress("fetch", int(self._shown - self._began), done, total, begun))

    def _failure(self, error: Exception) -> NotebookError:
        if isinstance(error, HTTPError) and error.code in _GONE:
            return NotebookError(
                what=f"does not exist (HTTP {error.code})",
                where=self._url,
                todo="Give another anaconda_version, or another anaconda_url.",
            )
        if isinstance(error, HTTPError) and error.code < 500:
            return NotebookError(
                what=f"the server refuses to give it (HTTP {error.code})",
                where=self._url,
                todo="Look at the address, and whether it needs a login; or use a mirror "
                "(anaconda_url).",
            )
        proxy = os.environ.get("https_proxy") or os.environ.get("HTTPS_PROXY")
        return NotebookError(
            what=f"cannot be fetched to the controller: {error}"
            + (f" (through the proxy {proxy})" if proxy else ""),
            where=self._url,
            todo="Look at the address, the proxy and the certificates, and run again: it resumes "
            "where it stopped.",
        )


def _opened(url: str, patience: float, headers: dict[str, str]) -> Any:
    """The answer behind all redirects; none of them may leave https."""
    place = url
    for _redirect in range(_REDIRECTS):
        try:
            return open_url(place, timeout=patience, headers=headers, follow_redirects="none")
        except HTTPError as error:
            if error.code not in _MOVED or not error.headers.get("Location"):
                raise
            place = urljoin(place, error.headers["Location"])
        if not place.startswith("https://"):
            raise NotebookError(
                what="redirects to plain http",
                where=url,
                todo="Use an address that stays with https.",
            )
    raise NotebookError(
        what="redirects in a loop",
        where=url,
        todo="Look at the address, or use another mirror (anaconda_url).",
    )


def _told_to_wait(error: HTTPError) -> int | None:
    """The seconds that a server asks for, as such or as a date."""
    told = error.headers.get("Retry-After")
    if error.code not in _BUSY or not told:
        return None
    if told.strip().isdigit():
        return int(told)
    try:
        return max(0, int(parsedate_to_datetime(told).timestamp() - time.time()))
    except ValueError:
        return 0


def _check(url: str, sha256: str, part: Path) -> None:
    found = _sum(part)
    if found == sha256:
        return
    with part.open("rb") as file:
        page = " It is a web page, perhaps a login page." if file.read(1) == b"<" else ""
    part.unlink()
    raise NotebookError(
        what=f"has the wrong checksum: sha256 {found}, expected {sha256}; it was deleted",
        where=url,
        todo=f"Look at the version and the mirror.{page}",
    )


def _sum(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
