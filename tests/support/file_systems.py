"""File systems of one's own for a home directory, in a mount namespace that ends with the test."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class FileSystem:
    """A namespace in which something is mounted over a directory."""

    def __init__(self, holder: int, directory: Path) -> None:
        self.root = f"/proc/{holder}/root"
        self.behind = ["nsenter", "--target", str(holder), "--mount"]
        self._directory = directory

    def shell(self, script: str) -> str:
        """What a script says that sees this file system."""
        return subprocess.check_output([*self.behind, "sh", "-c", script], text=True)

    def remount(self, options: str) -> None:
        """Change its size, or whether it may be written."""
        self.shell(f"mount -o remount,{options} {self._directory}")

    def used(self) -> tuple[int, int]:
        """KiB and inodes."""
        words = self.shell(f"df --output=used,iused {self._directory}").split()
        return int(words[-2]), int(words[-1])


@contextmanager
def mounted(directory: Path, script: str) -> Iterator[FileSystem]:
    """Run the script, which mounts what it likes over `$1`; skip where that is not allowed."""
    whole = f"{{ {script}\n}} >&2; echo ready; exec sleep 3600 2>&-"
    held = subprocess.Popen(
        ["unshare", "--mount", "sh", "-ec", whole, "sh", str(directory)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert held.stdout
    assert held.stderr
    try:
        if held.stdout.readline() != "ready\n":
            held.wait(60)
            pytest.skip(f"this machine cannot mount it: {held.stderr.read().strip()}")
        yield FileSystem(held.pid, directory)
    finally:
        held.kill()
        held.wait()


def tmpfs(directory: Path, options: str) -> object:
    """Memory as a file system."""
    return mounted(directory, f'mount -t tmpfs -o {options} none "$1"')


def btrfs_with_quota(directory: Path, image: Path, limit: str) -> object:
    """A real quota that `df` does not show."""
    script = f"""
    truncate -s 3G {image}
    mkfs.btrfs -q {image}
    mount -o loop {image} /mnt
    btrfs quota enable /mnt
    btrfs subvolume create /mnt/home
    btrfs qgroup limit {limit} /mnt/home >&2
    mount --bind /mnt/home "$1"
    """
    return mounted(directory, script)
