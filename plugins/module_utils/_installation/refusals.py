# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What forbids an installation, said before anything is written. Pure: raises or is silent."""

from __future__ import annotations

import re

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._installation import installers
from ansible_collections.hpcc.notebook.plugins.module_utils._installation import (
    plan as installation,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._installation.observation import (
    Observed,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._rules import rules

_FOREIGN = {
    "directory": "is a directory that was not made by this collection{kind}",
    "file": "is a file",
    "link": "is a symbolic link to {target}, which was not made by this collection",
    "adopted": "was made by hand and adopted, and cannot be replaced in one step",
    "dangling": "is a symbolic link to {target}, which does not exist",
}
_CHECKSUM_TOOLS = {"sha256sum", "shasum", "openssl"}


def refuse_terms(distribution: str, accepted: bool) -> None:
    """Nobody accepts terms without having been told so."""
    terms = installers.DISTRIBUTIONS[distribution].terms
    if terms and not accepted:
        raise NotebookError(
            what=f"{distribution.title()} needs its terms of service accepted ({terms})",
            where="accept_terms",
            todo="Set anaconda_accept_terms: true to accept them; or set anaconda_distribution: "
            f"{installers.without_terms()}, without such terms.",
        )


def refuse_group(group: str, seen: Observed) -> None:
    """Only a member can give something to a group."""
    if group and group not in seen.groups:
        raise NotebookError(
            what=f"{seen.user} is not in the group {group}",
            where="anaconda_group",
            todo="Choose one of your groups (see `id`); a new one counts from the next login.",
        )


def refuse(
    plan: installation.Plan, installer: installers.Installer, on_host: bool, seen: Observed
) -> None:
    """Whatever stands against this plan on this host."""
    if not plan.job:
        return
    _refuse_holder(seen)
    _refuse_store(seen)
    if plan.job == installation.ADOPT:
        _refuse_adoption(installer, seen)
    if plan.job == installation.INSTALL:
        _refuse_foreign(seen)
        _refuse_host(installer, seen)
        _refuse_tools(on_host, seen)
    if plan.job in (installation.INSTALL, installation.ADOPT):
        rules.require("prefix", "generation", f"{seen.prefix}.d/{plan.generation}")
    _refuse_place(seen)
    if plan.job == installation.INSTALL and plan.generation not in seen.complete:
        _refuse_room(installers.DISTRIBUTIONS[installer.distribution], seen)


def _refuse_holder(seen: Observed) -> None:
    """One that may live is waited for."""
    if seen.held == "elsewhere" and not seen.life:
        raise held_elsewhere(seen)


def works(seen: Observed) -> str:
    """Who has the lock."""
    holder = seen.holder
    return (
        f"{holder.get('user')} on {holder.get('host')} (process {holder.get('pid')}) has "
        f"been working on this installation since {holder.get('since')}"
    )


def held_elsewhere(seen: Observed, silent: str = "") -> NotebookError:
    """Whether the holder runs cannot be seen from here: the person has to judge."""
    return NotebookError(
        what=f"{works(seen)}{silent}",
        where=seen.prefix,
        todo="Run again when that has ended. When it cannot be running any more, unlock with: "
        f"rm {seen.prefix}.d/lock",
    )


def _refuse_store(seen: Observed) -> None:
    if seen.store == "foreign":
        raise NotebookError(
            what="is a directory that was not made by this collection, and is left alone",
            where=f"{seen.prefix}.d",
            todo="The installation needs that name: choose another anaconda_prefix, "
            f"or move it away: mv {seen.prefix}.d {seen.prefix}.d.old",
        )


def _refuse_foreign(seen: Observed) -> None:
    if seen.what not in _FOREIGN:
        return
    found = seen.foreign
    kind = f" ({found.get('distribution')} {found.get('version')})" if found else ""
    adopt = ", or take it over as it is with anaconda_adopt: true" if found else ""
    raise NotebookError(
        what=f"{_FOREIGN[seen.what].format(target=seen.target, kind=kind)}, and is left alone",
        where=seen.prefix,
        todo=f"Choose another anaconda_prefix{adopt}, "
        f"or move it away: mv {seen.prefix} {seen.prefix}.old",
    )


def _refuse_adoption(installer: installers.Installer, seen: Observed) -> None:
    found = seen.foreign
    if found.get("python") and found.get("distribution") == installer.distribution:
        return
    kind = f"{found.get('distribution')}" if found else "no conda installation"
    works = "" if found.get("python") or not found else ", whose python and conda do not both run"
    raise NotebookError(
        what=f"cannot be adopted as {installer.distribution}: it is {kind}{works}",
        where=seen.prefix,
        todo="Name the anaconda_distribution that it is, or choose another anaconda_prefix.",
    )


def _refuse_host(installer: installers.Installer, seen: Observed) -> None:
    system, _space, machine = seen.machine.partition(" ")
    wanted = installers.machine_of(installer.url)
    if system != "Linux" or (wanted and machine != wanted):
        raise NotebookError(
            what=f"the host is {seen.machine}, the installer is for Linux {wanted}",
            where="url",
            todo="Give the url and sha256 of an installer for this host.",
        )
    _refuse_libc(installers.DISTRIBUTIONS[installer.distribution].glibc, seen)


def _refuse_libc(needed: tuple[int, int], seen: Observed) -> None:
    found = re.fullmatch(r"glibc (\d+)\.(\d+).*", seen.libc)
    if found and (int(found[1]), int(found[2])) >= needed:
        return
    raise NotebookError(
        what=f"the host has {seen.libc or 'no glibc'}, the distribution needs glibc "
        f"{needed[0]}.{needed[1]} or newer",
        where=seen.prefix,
        todo="Choose a distribution that runs there; "
        f"{installers.for_the_oldest().title()} is content with the oldest.",
    )


def _refuse_tools(on_host: bool, seen: Observed) -> None:
    if not _CHECKSUM_TOOLS & set(seen.tools):
        raise NotebookError(
            what="the host has neither sha256sum nor openssl nor shasum to check the download with",
            todo="Load or install one of them.",
        )
    if on_host and not {"curl", "wget"} & set(seen.tools):
        raise NotebookError(
            what="the host has neither curl nor wget",
            where="download_on",
            todo="Set anaconda_download_on: controller to copy the installer over.",
        )


def _refuse_place(seen: Observed) -> None:
    if not seen.writable:
        raise NotebookError(
            what=f"{seen.user} may not write there (it is read-only, or belongs to somebody else)",
            where=seen.place,
            todo="Choose another anaconda_prefix, or ask the owner to make the change.",
        )


def _refuse_room(needed: installers.Distribution, seen: Observed) -> None:
    """What `df` knows; whether a quota allows it, too, is tried before the work begins."""
    if seen.kib is not None and seen.kib < needed.kib:
        _refuse_lack("room", f"{needed.kib // 1024} MiB", f"{seen.kib // 1024} MiB", seen)
    if seen.inodes is not None and seen.inodes < needed.inodes:
        _refuse_lack("inodes", str(needed.inodes), str(seen.inodes), seen)


def _refuse_lack(of: str, needed: str, free: str, seen: Observed) -> None:
    raise NotebookError(
        what=f"not enough {of}: {needed} are needed, {free} are free",
        where=seen.place,
        todo="Make room, or choose an anaconda_prefix on another file system.",
    )
