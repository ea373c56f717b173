"""What a hostile user of the victim's own computer runs: try all that the victim opens there.

spy.py UID TUNNEL HOME SECRET: prints "ready"; until its input ends it connects to every TCP port
that UID listens on but TUNNEL, and to every socket, and opens every file, that UID has below /tmp
and HOME. Then it says where it was let in.
"""

import contextlib
import json
import os
import select
import socket
import stat
import sys
from pathlib import Path


def ports(uid):
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            field = line.split()
            if field[3] == "0A" and field[7] == str(uid):
                yield int(field[1].rpartition(":")[2], 16)


def enters(kind, where):
    with contextlib.suppress(OSError), socket.socket(kind) as trial:
        trial.settimeout(2)
        trial.connect(where)
        return True
    return False


def entries(top):
    with contextlib.suppress(OSError):
        for entry in os.scandir(top):
            yield entry.path
            if entry.is_dir(follow_symlinks=False):
                yield from entries(entry.path)


def reads(path, uid, secret):
    """Whether something of the victim's gives a secret, or leads anywhere."""
    with contextlib.suppress(OSError):
        found = os.lstat(path)
        if found.st_uid != uid:
            return False
        if stat.S_ISSOCK(found.st_mode):
            return enters(socket.AF_UNIX, path)
        if stat.S_ISREG(found.st_mode):
            return secret in Path(path).read_bytes()
    return False


def main():
    uid, tunnel, home, secret = sys.argv[1:]
    let_in = set()
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], 0.002)[0]:
        for port in ports(int(uid)):
            if port != int(tunnel) and enters(socket.AF_INET, ("127.0.0.1", port)):
                let_in.add(f"port {port}")
        for top in ("/tmp", home):
            let_in |= {path for path in entries(top) if reads(path, int(uid), secret.encode())}
    print(json.dumps(sorted(let_in)), flush=True)


main()
