"""What is wrong with the nodes, the gateway and the computers that people have, and its right name.

Each breakage is made on the running cluster and taken back. The doctor has to print the line that
names the cause, and to call nothing else wrong but what the cause breaks, too.
"""

from __future__ import annotations

from dataclasses import dataclass

NODE, GATEWAY, COMPUTER = "node", "gateway", "computer"


@dataclass(frozen=True)
class Breakage:
    """How something breaks, and what the doctor says of it.

    `broken` and `mended` are programs of root's shell; they know $ACCOUNT, its $HOME and
    $LOGIN_SHELL, and $RC, the file that this shell reads for every command. Braces hold what a
    place is called: {home}, {node}.
    """

    name: str
    said: str  # a pattern for the line that names the cause
    broken: str = ":"
    mended: str = ":"
    mounts: tuple[str, ...] = ()  # before the program runs, as mounts.py takes them
    where: str = NODE
    options: str = ""  # for the playbook
    also: str = ""  # a pattern for what else is wrong then


_RELOAD = "pkill -HUP -o -x sshd; sleep 1"
_FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
_SSHD = "/etc/ssh/sshd_config.d/cluster.conf"


# What each login shell reads for every command.
LOGIN_FILES = {
    "bash": ".bashrc", "zsh": ".zshenv", "tcsh": ".cshrc", "fish": ".config/fish/config.fish",
}  # fmt: skip


def _sshd(
    name: str, before: str, after: str, said: str, where: str = NODE, options: str = ""
) -> Breakage:
    """A line of sshd's configuration."""
    broken = f"cp -p {_SSHD} /run/kept.conf && sed -i 's|^{before}|{after}|' {_SSHD}"
    mended = f"cp -p /run/kept.conf {_SSHD}"
    return Breakage(name, said, f"{broken}; {_RELOAD}", f"{mended}; {_RELOAD}", (), where, options)


def _login_file(name: str, line: str, said: str) -> Breakage:
    """The file that the account's shell reads for every command."""
    broken = f"""[ ! -e "$RC" ] || cp -p "$RC" /run/kept.rc
    mkdir -p "${{RC%/*}}"; {{ echo {line!r}; cat /run/kept.rc 2>/dev/null; }} > /run/new.rc
    cat /run/new.rc > "$RC"; chown -R "$ACCOUNT:" "${{RC%/*}}"
    """
    mended = 'if [ -e /run/kept.rc ]; then mv /run/kept.rc "$RC"; else rm "$RC"; fi'
    return Breakage(name, said, broken, mended)


BREAKAGES = (
    Breakage(
        "no tmux",
        "wrong +tmux: there is none",
        "mv /usr/bin/tmux /usr/bin/tmux.away",
        "mv /usr/bin/tmux.away /usr/bin/tmux",
    ),
    Breakage(
        "a home that is read-only",
        "wrong +home directory: cannot be written to: Read-only file system",
        mounts=("{home},{home},,bind,", "{home},{home},,ro,"),
    ),
    Breakage(
        "a home that is full",
        "wrong +home directory: cannot be written to: .*No space left on device",
        mounts=("{home},/mnt,,bind,", ",{home},tmpfs,,size=800m,mode=700"),
        broken='cp -a /mnt/. "$HOME"; head -c 900M /dev/zero > "$HOME/filled" || :',
        also="room at home",
    ),
    Breakage(
        "a /tmp without room",
        "wrong +temporary files: cannot be written to: .*No space left on device",
        mounts=(",/tmp,tmpfs,,size=64k,mode=1777",),
        broken="head -c 99999 /dev/zero > /tmp/filled || :",
        # The directory of the server that runs, and its socket, are not in this /tmp.
        also="room in /tmp|node-local directory|answer",
    ),
    Breakage(
        "a /tmp that runs no program",
        r"warning +programs in /tmp: programs cannot be run there \(noexec\)",
        mounts=("/tmp,/tmp,,bind,", "/tmp,/tmp,,noexec,"),
    ),
    Breakage(
        "a /tmp that is not sticky",
        "wrong +safety of /tmp: is not sticky",
        "chmod -t /tmp",
        "chmod +t /tmp",
        also="kernel",
    ),
    _sshd(
        "a node that forwards no sockets",
        "AllowStreamLocalForwarding yes",
        "AllowStreamLocalForwarding no",
        "wrong +forwarding of sockets: the node forbids it",
    ),
    _sshd(
        "a node that forwards nothing",
        "AllowTcpForwarding yes",
        "AllowTcpForwarding no",
        "wrong +forwarding: the node forbids every forwarding",
    ),
    _sshd(
        "a gateway that forbids jumping",
        "AllowTcpForwarding yes",
        "AllowTcpForwarding no",
        "wrong +login: the gateway: it does not allow ProxyJump",
        where=GATEWAY,
    ),
    _login_file(
        "a login file that prints",
        "echo Welcome to the cluster",
        r"warning +login files: print 1 lines in non-interactive shells\n +-> in .*{rc}",
    ),
    _login_file(
        "a login file that ends the shell",
        "exec false",  # "exit" would end only the file in tcsh
        r"wrong +shell on the node: `sh -s` ended with 1.*\n +-> .*{rc}",
    ),
    _login_file(
        "a login file that hangs",
        "sleep 300",
        r"wrong +shell on the node: `sh -s` ended with 124: no answer within.*\n +-> .*{rc}",
    ),
    Breakage(
        "no module system",
        "warning +modules: there is no `module` here",
        "mv /etc/profile.d /etc/profile.away",
        "mv /etc/profile.away /etc/profile.d",
    ),
    Breakage(
        "modulefiles that were moved away",
        "warning +modulefile: there is none in {home}/modulefiles",
        'mv "$HOME/modulefiles" "$HOME/modules"',
        'mv "$HOME/modules" "$HOME/modulefiles"',
    ),
    _sshd(
        "a clock that is three hours off",
        "SetEnv LANG=C.UTF-8",
        f"SetEnv LANG=C.UTF-8 LD_PRELOAD={_FAKETIME} FAKETIME=+3h",
        "wrong +clock: this computer and the node are 3.0 hours apart",
    ),
    Breakage(
        "a node that was set up anew",
        "wrong +login: {node}: its host key has changed",
        """cd /etc/ssh && mkdir /run/keys && mv ssh_host_ed25519_key* /run/keys
        ssh-keygen -q -t ed25519 -N '' -f ssh_host_ed25519_key; """
        + _RELOAD,
        f"mv /run/keys/* /etc/ssh/; rmdir /run/keys; {_RELOAD}",
    ),
    Breakage(
        "a password that has expired",
        r"wrong +shell on the node: (?s:.*)-> Your password there has expired",
        'chage -d 0 "$ACCOUNT"',
        'chage -d -1 "$ACCOUNT"',
    ),
    Breakage(
        "an account without a shell on the node",
        r"wrong +shell on the node: .*not available.*\n +-> The account has no shell on that node",
        'usermod -s /usr/sbin/nologin "$ACCOUNT"',
        'usermod -s "$LOGIN_SHELL" "$ACCOUNT"',
    ),
    Breakage(
        "a node in maintenance",
        r"Down for maintenance until Friday(?s:.*)\nwrong +login: ssh: the connection was cut",
        "echo 'Down for maintenance until Friday' > /etc/nologin",
        "rm /etc/nologin",
        also="login",
    ),
    Breakage(
        "a computer without the key",
        "warning +keys: none in the agent and none in the files that ssh looks at",
        'mv "$HOME/cluster/id_ed25519" "$HOME/id"',
        'mv "$HOME/id" "$HOME/cluster/id_ed25519"',
        where=COMPUTER,
        also="login",
    ),
    Breakage(
        "a key that others can read",
        "wrong +key files: others can read .*/id_ed25519: ssh ignores it",
        'chmod 644 "$HOME/cluster/id_ed25519"',
        'chmod 600 "$HOME/cluster/id_ed25519"',
        where=COMPUTER,
        also="login",
    ),
    Breakage(
        "a Python of the node that does not run, which nothing needs",
        r", 0 wrong\.",
        "printf '#!/bin/sh\\nexit 1\\n' > /usr/local/bin/python3; chmod 755 /usr/local/bin/python3",
        "rm /usr/local/bin/python3",
    ),
)
