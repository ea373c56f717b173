# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What several values have to be together, by name. Pure: values go in, None or the reason out.

A relation gets its values in the order in which they are named; one that is not set is None.
A reason is a clause that follows the name of the first.
"""

from __future__ import annotations

from typing import Callable, Mapping

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._installation import (
    installers,
    refusals,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._rules import server
from ansible_collections.hpcc.notebook.plugins.module_utils._rules.text import integer

Relation = Callable[..., "str | None"]


def _is_true(value: object) -> bool:
    """As Ansible reads what was typed behind -e."""
    return str(value).lower() in ("true", "yes", "on", "1", "t", "y")


def terms_accepted(distribution: object, accepted: object, state: object = "present") -> str | None:
    """Nobody accepts terms without having been told so; going back and removing need none."""
    if distribution not in installers.DISTRIBUTIONS or state not in ("present", None):
        return None
    try:
        refusals.refuse_terms(str(distribution), _is_true(accepted))
    except NotebookError as error:
        return f"{error.what}. {error.todo}".rstrip(".")
    return None


def url_with_checksum(url: object, sha256: object) -> str | None:
    """A download without its checksum could be anything."""
    if (url is None) == (sha256 is None):
        return None
    return "needs the sha256 of the installer beside it, and the sha256 needs the url"


def password_or_hash(password: object, password_hash: object) -> str | None:
    """Two ways to say the same thing would contradict each other."""
    both = password is not None and password_hash is not None
    return "cannot be set together with a password hash: keep one of them" if both else None


def without_profile(installation: object, profile: object) -> str | None:
    """A profile is made, and served, by the Python of an installation."""
    if installation != "absent" or profile not in ("present", None):
        return None
    return (
        "cannot be absent while the profile is to be present, which needs the installation: the "
        "playbook teardown removes all that setup has made"
    )


def renewed_in_time(renew_days: object, days: object) -> str | None:
    """A certificate that is renewed as soon as it is made would change at every run."""
    smaller, larger = integer(renew_days), integer(days)
    if smaller is None or larger is None or smaller < larger:
        return None
    return f"must be less than {larger}, the days that a certificate lasts, got {smaller}"


def key(key_type: object, size: object) -> str | None:
    """Each kind of key has sizes of its own."""
    bits = integer(size)
    return None if bits is None else server.key(str(key_type), bits)


def job_over_socket(transport: object, where: object) -> str | None:
    """A port of a compute node is everybody's who has a job there."""
    if where != "job" or transport in ("socket", None):
        return None
    return "must be socket when nbserver_where is job"


def next_of_job(successor: object, where: object) -> str | None:
    """Only a job has an end for which another one could wait in a queue."""
    if not _is_true(successor) or where == "job":
        return None
    return "needs nbserver_where=job: what runs on a node has no successor"


RELATIONS: Mapping[str, Relation] = {
    "terms_accepted": terms_accepted,
    "url_with_checksum": url_with_checksum,
    "password_or_hash": password_or_hash,
    "without_profile": without_profile,
    "renewed_in_time": renewed_in_time,
    "key": key,
    "job_over_socket": job_over_socket,
    "next_of_job": next_of_job,
}
