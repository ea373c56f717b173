"""Where the controller listens: one address of this node, never all of them."""

from __future__ import annotations

import ipaddress
import socket

import psutil

from cluster_helper.errors import ClusterError

LOOPBACK = "127.0.0.1"
_TODO = "set address = <address or interface> in ~/.config/cluster_helper.ini, section [cluster]"


def of_cluster(wanted: str | None) -> str:
    """The address that other nodes reach: the site's, or the one of this node's own name."""
    interfaces = _interfaces()
    every = [address for addresses in interfaces.values() for address in addresses]
    if wanted is not None:
        return _chosen(wanted, interfaces, every)
    known = [address for address in _own_name() if address in every]
    found = [address for address in known or every if not _is_loopback(address)]
    if not found:
        raise ClusterError("this node has no address that other nodes can reach", _TODO)
    return found[0]


def _chosen(wanted: str, interfaces: dict[str, list[str]], every: list[str]) -> str:
    found = interfaces.get(wanted) or [address for address in every if address == wanted]
    if not found:
        names = ", ".join(interfaces)
        raise ClusterError(f"address {wanted!r} is none of this node's", f"it has {names}")
    return found[0]


def _interfaces() -> dict[str, list[str]]:
    """The IPv4 addresses of each interface that is up."""
    up = {name for name, state in psutil.net_if_stats().items() if state.isup}
    return {
        name: [a.address for a in addresses if a.family == socket.AF_INET]
        for name, addresses in psutil.net_if_addrs().items()
        if name in up
    }


def _own_name() -> list[str]:
    try:
        found = socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
    except OSError:
        return []
    return [str(entry[4][0]) for entry in found if not _is_loopback(str(entry[4][0]))]


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback
