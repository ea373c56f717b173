# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which values are accepted, by name. Pure: a value goes in, None or the reason comes out.

A reason is a clause that follows the name of the option: "must be an absolute path, got 'x'".
The rules themselves, with the policy behind each, are in ruleset/, one file per subject.
"""

from __future__ import annotations

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._rules import (
    installation,
    modulefile,
    network,
    paths,
    scheduler,
    secrets,
    server,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._rules.text import Rule

RULES: dict[str, Rule] = {
    "prefix": paths.prefix,
    "generation": paths.generation,
    "path": paths.path,
    "optional_path": paths.optional_path,
    "root_dir": paths.root_dir,
    "modulefile_dir": paths.searched,
    "modulefile_prefix": paths.searched,
    "installer_url": installation.installer_url,
    "sha256": installation.sha256,
    "version": installation.version,
    "packages": installation.packages,
    "channels": installation.channels,
    "index_url": installation.https_url,
    "port": network.port,
    "seconds": network.seconds,
    "ssh_user": network.ssh_user,
    "ssh_port": network.port,  # without the warning: sshd is expected below 1024
    "owner": network.owner,
    "group": network.group,
    "ssh_host": network.ssh_host,
    "host_name": network.host_name,
    "ssh_alias": network.ssh_alias,
    "key_file": network.key_file,
    "password": secrets.password,
    "password_hash": secrets.password_hash,
    "profile_name": server.profile_name,
    "session_name": server.session_name,
    "key_type": server.key_type,
    "key_size": server.key_size,
    "certificate_days": server.certificate_days,
    "renew_days": server.renew_days,
    "trust": server.trust,
    "certificate_names": server.certificate_names,
    "server_options": server.server_options,
    "threads": server.threads,
    "idle_seconds": server.idle_seconds,
    "cpu_seconds": server.cpu_seconds,
    "module_name": modulefile.module_name,
    "module_names": modulefile.module_names,
    "module_text": modulefile.module_text,
    "queue": scheduler.queue,
    "optional_queue": scheduler.optional_queue,
    "cores": scheduler.cores,
    "resources": scheduler.resources,
    "account": scheduler.account,
    "walltime": scheduler.walltime,
    "parallel_environment": scheduler.parallel_environment,
    "max_jobs": scheduler.max_jobs,
    "address": scheduler.address,
}

# What is accepted although it is probably not meant: the same shape, but only said, never refused.
WARNINGS: dict[str, Rule] = {
    "prefix": paths.prefix_warning,
    "port": network.port_warning,
    "ssh_user": network.ssh_user_warning,
    "password": secrets.password_warning,
}


def require(name: str, rule: str, value: object) -> None:
    """Refuse a value that breaks a rule, in the name of the option that holds it."""
    reason = RULES[rule](value)
    if reason:
        raise NotebookError(what=reason, where=name)


def warn(rule: str, value: object) -> str | None:
    """What to say about a value that is accepted."""
    return WARNINGS[rule](value) if rule in WARNINGS else None
