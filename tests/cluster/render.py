"""The files that `up` writes, as text. Pure functions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from topology import ACCOUNTS, GATEWAY, HOSTS, SSH_HOSTS, address


def containers_conf(files: int, processes: int) -> str:
    """podman's settings where root has less than root usually has.

    crun refuses hybrid cgroups, runc does not; the default limits of a container must not exceed
    those of the process that starts it.
    """
    return f"""\
[containers]
default_ulimits = ["nofile={files}:{files}", "nproc={processes}:{processes}"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
"""


def ssh_config(state: Path, port: int) -> str:
    """How this machine reaches every host. The jump is made as the same account."""
    inner = " ".join(host.name for host in SSH_HOSTS if host != GATEWAY)
    return f"""\
# Written by tests/cluster/cluster.py. Use: ssh -F {state}/ssh_config alice@dev1
Host {GATEWAY.name}
    HostName 127.0.0.1
    Port {port}
    HostKeyAlias {GATEWAY.name}

Host {inner}
    ProxyJump %r@{GATEWAY.name}

Host *
    IdentityFile {state}/id_ed25519
    IdentitiesOnly yes
    UserKnownHostsFile {state}/known_hosts
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    PasswordAuthentication no
    ForwardAgent no
    ConnectTimeout 10
    ServerAliveInterval 30
    LogLevel ERROR
"""


def known_hosts(keys: dict[str, str], subnet: str) -> str:
    """The hosts' public keys, by name and by address."""
    addresses = {host.name: address(subnet, host) for host in SSH_HOSTS}
    return "".join(f"{name},{addresses[name]} {key}\n" for name, key in sorted(keys.items()))


def shosts_equiv(subnet: str) -> str:
    """The hosts that vouch for their users to one another."""
    names = [f"{host.name}\n{address(subnet, host)}\n" for host in SSH_HOSTS]
    return "".join(names)


def accounts() -> str:
    """One account a line."""
    return "".join(f"{account}\n" for account in ACCOUNTS)


def logins_from(subnet: str) -> str:
    """The addresses of the cluster's hosts: who may log in to a node behind the gateway."""
    return " ".join(["127.0.0.1", *(address(subnet, host) for host in HOSTS)])


def inventory(state: Path, installer: dict[str, str]) -> str:
    """A person's own hpcc.ini for this cluster."""
    configuration = f"-F {state}/ssh_config"
    return f"""\
# Written by tests/cluster/cluster.py: the inventory of alice on the test cluster.

[hpcc_gateway]
gateway

[hpcc_gateway:vars]
ansible_ssh_common_args='{configuration}'

[hpcc_dev]
dev1

[hpcc_dev:vars]
# ssh goes through the gateway by jumping: no port is ever opened on it.
ansible_ssh_common_args='{configuration} -J alice@gateway'

[all:vars]
ansible_user=alice
ansible_pipelining=true
# Connections are kept open by host name only, and every test cluster has the same names.
ansible_control_path_dir={state}/cp
# The machine of the tests may be busy with other things.
nbserver_start_timeout=300

# What is installed: the test installer, and packages from the cluster's own mirror.
anaconda_distribution=miniforge
anaconda_version='{installer["version"]}'
anaconda_url={installer["url"]}
anaconda_sha256={installer["sha256"]}
anaconda_index_url=https://mirror/simple/
"""


def installers(sums: Iterable[str], mirror_port: int) -> dict[str, dict[str, str]]:
    """The published installers by version, from the lines of SHA256SUMS."""
    found = {}
    for line in sums:
        sha256, name = line.split()
        version = name.split("-")[1]
        found[version] = {
            "name": name,
            "version": version,
            "sha256": sha256,
            "url": f"https://mirror/installers/{name}",
            # The same file as this machine reaches it; ca.pem holds for it, too.
            "controller_url": f"https://127.0.0.1:{mirror_port}/installers/{name}",
        }
    return found


def installer_json(found: dict[str, dict[str, str]]) -> str:
    """What tests read: the first version is the default."""
    first = min(found)
    facts = {
        **found[first],
        "index_url": "https://mirror/simple/",
        "installers": [found[version] for version in sorted(found)],
    }
    return json.dumps(facts, indent=2) + "\n"
