# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for the profile, its certificate and its server: names, keys, Jupyter's options."""

from __future__ import annotations

import math
import re

from ansible_collections.hpcc.notebook.plugins.module_utils._rules.network import host_name
from ansible_collections.hpcc.notebook.plugins.module_utils._rules.text import (
    integer,
    list_of,
    matching,
    shown,
    whole_number,
)

# /tmp/<profile>-<uid>/runtime/kernel-<36 characters>-ipc-<n> has to stay below 107 bytes.
profile_name = matching(
    re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,31}"),
    "a name of at most 32 ASCII letters, digits, _ and -",
)
# tmux gives : . # % = @ $ and a leading - a meaning, or silently another name.
session_name = matching(
    re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}"),
    "a tmux session's name of at most 64 ASCII letters, digits, _ and -",
)

# 0 means no limit, and never.
threads = whole_number(0, 1024)
idle_seconds = whole_number(0, 30 * 86400)
cpu_seconds = whole_number(0, 366 * 86400)

# Browsers refuse server certificates that are valid for longer than 398 days.
MOST_DAYS = 397  # browsers take no certificate for longer
certificate_days = whole_number(1, MOST_DAYS)
renew_days = whole_number(0, MOST_DAYS - 1)
certificate_names = list_of(host_name)

KEY_SIZES = {"ec": (256, 384), "rsa": (2048, 3072, 4096)}


def key_type(value: object) -> str | None:
    """What browsers accept in a server's certificate; Ed25519 is not among it."""
    if isinstance(value, str) and value in KEY_SIZES:
        return None
    return f"must be ec or rsa, got {shown(value)}"


def key_size(value: object) -> str | None:
    """The bits of a key of either type; `key` judges both together."""
    sizes = sorted(size for sizes in KEY_SIZES.values() for size in sizes)
    if integer(value) in sizes:
        return None
    return f"must be 256 or 384 (ec), 2048, 3072 or 4096 (rsa), got {shown(value)}"


def key(kind: str, size: int) -> str | None:
    """Whether type and size of a key go together."""
    if size in KEY_SIZES.get(kind, ()):
        return None
    choices = " or ".join(map(str, KEY_SIZES.get(kind, ())))
    return key_type(kind) or f"must be {choices} for the key type {kind}, got {size}"


_OPTION = re.compile(r"[A-Z][A-Za-z0-9]*\.[a-z_][a-z0-9_]*")
# Whatever the class in front: Jupyter has several for each, and notebook_shim forwards them.
_OURS = """
    ip port port_retries port_default_value sock sock_mode certfile keyfile root_dir notebook_dir
    open_browser hashed_password password_required transport cookie_secret cookie_secret_file
    connection_file profile config_file config_file_name
"""
_UNSAFE = """
    allow_origin allow_origin_pat allow_credentials disable_check_xsrf token password allow_root
    allow_remote_access allow_unauthenticated_access allow_insecure_kernelspec_params client_ca
    ssl_options identity_provider_class authorizer_class auth_enabled login_handler_class
    logout_handler_class password_class get_secure_cookie_kwargs cookie_options cookie_name
    secure_cookie tornado_settings webapp_settings headers local_hostnames trust_xheaders
    allow_password_change need_token extra_args
"""
# With these it serves somewhere else, or does something else than to serve.
_NOT_SERVED = "base_url base_project_url show_config show_config_json generate_config answer_yes"


def server_options(value: object) -> str | None:
    """More options of Jupyter: Class.trait to a plain value, none that opens the server."""
    if not isinstance(value, dict):
        return f"must be a dictionary of Class.trait: value, got {shown(value)}"
    reasons = (_option(name) or _plain(name, value[name]) for name in value)
    return next(filter(None, reasons), None)


def _option(name: object) -> str | None:
    if not isinstance(name, str) or not _OPTION.fullmatch(name):
        return f"must have keys of the form Class.trait, got {shown(name)}"
    trait = name.split(".")[1]
    if trait in _OURS.split():
        return f"must not contain {name}, which this collection sets itself"
    if trait in _UNSAFE.split():
        return f"must not contain {name}, which can open the server to others"
    if trait in _NOT_SERVED.split():
        return f"must not contain {name}: with it nothing answers at the address that is printed"
    return None


def _plain(name: object, value: object) -> str | None:
    if plain(value):
        return None
    return f"must have plain values, but that of {name} is not text, number, boolean, list or map"


def plain(value: object) -> bool:
    """Whether a value consists of what JSON knows, so that it means the same in Python."""
    if isinstance(value, dict):
        return all(isinstance(name, str) and plain(item) for name, item in value.items())
    if isinstance(value, (list, tuple)):
        return all(map(plain, value))
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, (str, int))


def trust(value: object) -> str | None:
    """Whether browsers are to trust an authority, or what they do now is left alone."""
    if str(value).lower() in ("untouched", "true", "false"):
        return None
    return f"must be true, false or untouched, got {shown(value)}"
