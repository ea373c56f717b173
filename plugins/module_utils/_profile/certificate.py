# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a key and its certificate have to be replaced. Pure: what was found in, a reason out."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Iterable, Union

from ansible_collections.hpcc.notebook.plugins.module_utils._common.moments import timestamp
from ansible_collections.hpcc.notebook.plugins.module_utils._rules import server

SKEW = timedelta(hours=1)  # Clocks of laptops are wrong; a certificate of this minute must do.
KEPT_DAYS = 3650  # of an authority whose key is kept; it is trusted once, and has no successor soon
LONGEST = timedelta(days=server.MOST_DAYS) + SKEW
DEFAULT_SIZES = {"ec": 256, "rsa": 3072}
ALWAYS = ("localhost", "127.0.0.1", "::1")

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]

BROKEN = ("md5", "sha1")  # whoever has them forged can sign as well


@dataclass(frozen=True)
class Wanted:
    """What the certificate has to be like."""

    key_type: str
    key_size: int
    names: frozenset[str]
    days: int
    renew_days: int
    authority: bool = False  # signed by one of its own that browsers can be told to trust
    issuer: str = ""  # that authority, as PEM, where its key is kept on the person's computer


@dataclass(frozen=True)
class Found:
    """What a readable pair on the disk is like."""

    key_type: str
    key_size: int
    names: frozenset[str]
    not_before: datetime
    not_after: datetime
    key_matches: bool
    for_server: bool
    fingerprint: str
    authority: bool = False
    digest: str = "sha256"  # by which it is signed
    issuer: str = ""  # its authority, as PEM
    kept: bool = False  # whether that one is of the kind whose key is kept


def names_for(more: Iterable[str]) -> frozenset[str]:
    """Give the names in the spelling in which certificates show them: DNS:… and IP:…"""
    return frozenset(map(_typed, (*ALWAYS, *more)))


def address(name: str) -> Address | None:
    """Give the address that a name is, or None when it is a name."""
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def why_renew(found: Found | str, wanted: Wanted, now: datetime) -> str | None:
    """Say why a new pair is needed; what could not be read comes as the reason itself."""
    if isinstance(found, str):
        return found
    return _wrong_key(found, wanted) or _wrong_content(found, wanted) or _time(found, wanted, now)


def is_kept(begin: datetime, end: datetime) -> bool:
    """Whether an authority lives so long that its key has to be somewhere."""
    return end - begin > LONGEST


def days_left(found: Found, now: datetime) -> int:
    """Give the whole days until it expires, negative afterwards."""
    return (found.not_after - now).days


def known(found: Found | str, now: datetime) -> dict[str, object]:
    """Report what people compare and plan with."""
    if isinstance(found, str):
        return {}
    return {
        "fingerprint": found.fingerprint,
        "not_after": timestamp(found.not_after.timestamp()),
        "days_left": days_left(found, now),
    }


def description(found: Found | str) -> str:
    """Describe what is there for a diff."""
    if isinstance(found, str):
        return f"{found}\n"
    until = found.not_after.strftime("%Y-%m-%d %H:%M UTC")
    return _lines(found, f"valid until {until}")


def intention(wanted: Wanted) -> str:
    """Describe what will be there, by the decision: nothing random, the same in every run."""
    return _lines(wanted, f"new, valid for {wanted.days} days")


def why_unfit(key_type: str, key_size: int, days: int, renew_days: int) -> str | None:
    """Say which two options do not go together."""
    if renew_days >= days:
        return f"renew_days ({renew_days}) must be less than days ({days})"
    reason = server.key(key_type, key_size)
    return f"key_size {reason}" if reason else None


def _wrong_key(found: Found, wanted: Wanted) -> str | None:
    if not found.key_matches:
        return "key and certificate do not belong together"
    if (found.key_type, found.key_size) != (wanted.key_type, wanted.key_size):
        return (
            f"the key is {found.key_type} {found.key_size}, not {wanted.key_type} {wanted.key_size}"
        )
    return None


def _wrong_content(found: Found, wanted: Wanted) -> str | None:
    if found.names != wanted.names:
        return f"the names are {_joined(found.names)}, not {_joined(wanted.names)}"
    if found.authority != wanted.authority:
        return f"it is {_signed(found)}, not {_signed(wanted)}"
    if wanted.issuer and found.issuer != wanted.issuer:
        return "it is signed by another authority than the one that is kept"
    if found.kept and not wanted.issuer:
        return "the key of its authority is kept on a computer"
    if not found.for_server:
        return "it is not a certificate for a server"
    if found.digest in BROKEN:
        return f"it is signed by {found.digest}, which browsers refuse"
    # Browsers refuse what lives too long, as `openssl req -days 3650` makes it.
    if found.not_after - found.not_before > timedelta(days=wanted.days) + SKEW:
        return f"it is valid for longer than {wanted.days} days"
    return None


def _time(found: Found, wanted: Wanted, now: datetime) -> str | None:
    if now < found.not_before:
        return f"it is not valid before {found.not_before:%Y-%m-%d %H:%M} UTC"
    left = days_left(found, now)
    if left < 0:
        return "it has expired"
    return f"it expires in {left} days" if left < wanted.renew_days else None


def _typed(name: str) -> str:
    found = address(name)
    return f"IP:{found}" if found else f"DNS:{name.lower()}"


def _joined(names: frozenset[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _signed(pair: Found | Wanted) -> str:
    return "signed by an authority of its own" if pair.authority else "self-signed"


def _lines(pair: Found | Wanted, validity: str) -> str:
    names = f"names: {_joined(pair.names)}, {_signed(pair)}"
    return f"key: {pair.key_type} {pair.key_size}\n{names}\n{validity}\n"
